package dev.hal0.hardware.proxmox;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.HomeDirectory;
import dev.hal0.kernel.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import tools.jackson.core.JacksonException;

/**
 * {@code <config>/proxmox.json}, readable by its owner only because it holds the token. Nothing is cached: an edit by hand
 * is seen at the next read. A file that cannot be understood is never replaced by an update; {@link #remove} is the way
 * out. Thread-safe; one object per file.
 */
public final class ProxmoxSettingsFile {
    private final Path path;
    private final DurableFiles files;
    private final ReentrantLock changing = new ReentrantLock();

    public ProxmoxSettingsFile(HomeDirectory home, DurableFiles files) {
        this.path = home.config().resolve("proxmox.json");
        this.files = files;
    }

    /**
     * What is stored, or empty when there is no file.
     *
     * @throws Hal0Exception {@code config.invalid} for a broken file, with its path and the place or the fields at fault;
     *     {@code system.storage} for an unreadable one
     */
    public Optional<ProxmoxSettings> load() {
        return files.read(path).map(this::parse);
    }

    /**
     * What {@link #update} would store, without storing it.
     *
     * @throws Hal0Exception as for {@link #update}
     */
    public ProxmoxSettings candidate(ProxmoxUpdate update) {
        return update.mergedOnto(load().orElse(null));
    }

    /**
     * Completes the update from what is stored and stores it durably.
     *
     * @return what is now in force
     * @throws Hal0Exception {@code proxmox.config_invalid} for the update, {@code config.invalid} for a broken file,
     *     {@code system.storage} when writing fails; what is stored is then unchanged
     */
    public ProxmoxSettings update(ProxmoxUpdate update) {
        return exclusively(() -> {
            ProxmoxSettings settings = candidate(update);
            // A kept mode would keep a file readable that a person created with the default one.
            closeToOthers();
            String text = Json.PRETTY.writeValueAsString(StoredProxmox.of(settings)) + "\n";
            files.write(path, text.getBytes(StandardCharsets.UTF_8), DurableFiles.PRIVATE);
            return settings;
        });
    }

    /** Deletes the file, also a broken one. Succeeds when there is none. */
    public void remove() {
        exclusively(() -> {
            files.delete(path);
            return path;
        });
    }

    private <T> T exclusively(Supplier<T> work) {
        changing.lock();
        try {
            return work.get();
        } finally {
            changing.unlock();
        }
    }

    private void closeToOthers() {
        try {
            if (Files.exists(path) && !Files.getPosixFilePermissions(path).equals(DurableFiles.PRIVATE)) {
                Files.setPosixFilePermissions(path, DurableFiles.PRIVATE);
            }
        } catch (IOException failure) {
            throw new Hal0Exception(
                            ErrorCode.SYSTEM_STORAGE,
                            "Could not make " + path + " readable by its owner only: "
                                    + failure.getClass().getSimpleName(),
                            failure)
                    .withDetail("path", path.toString());
        }
    }

    private ProxmoxSettings parse(String text) {
        StoredProxmox stored;
        try {
            stored = Json.STRICT.readValue(text, StoredProxmox.class);
        } catch (JacksonException broken) {
            // Neither the parser's message nor the parser's exception goes on: both may quote the token.
            throw broken(place(broken));
        }
        if (stored == null) {
            throw broken("it is empty");
        }
        try {
            return stored.settings();
        } catch (Hal0Exception invalid) {
            Map<String, String> fields = StoredProxmox.inFile(invalid);
            String first = fields.keySet().stream().findFirst().orElse("proxmox");
            throw broken(first + " " + fields.getOrDefault(first, "is not valid"))
                    .withParam(first)
                    .withDetail("fields", fields);
        }
    }

    private static String place(JacksonException broken) {
        var location = broken.getLocation();
        return location == null || location.getLineNr() < 1
                ? "it is not the JSON that hal0 writes"
                : "it is not the JSON that hal0 writes, at line " + location.getLineNr() + ", column "
                        + location.getColumnNr();
    }

    private Hal0Exception broken(String why) {
        return new Hal0Exception(
                        ErrorCode.CONFIG_INVALID, "The Proxmox settings in " + path + " cannot be used: " + why + ".")
                .withDetail("path", path.toString());
    }
}
