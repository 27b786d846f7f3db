package dev.hal0.runtime.install;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.TomlDocument;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The version folders of the engines, their records and which of them is current. */
final class InstalledVersions {
    private static final Logger log = LoggerFactory.getLogger(InstalledVersions.class);
    private static final Pattern LEFTOVER = Pattern.compile("\\.(unpacking|removing)-.*|\\.current\\..*\\.tmp");

    private final Path enginesRoot;
    private final DurableFiles files;
    private final StorageFaults faults;

    InstalledVersions(Path enginesRoot, DurableFiles files) {
        this.enginesRoot = enginesRoot;
        this.files = files;
        this.faults = new StorageFaults(enginesRoot);
    }

    Path folder(String engine) {
        return enginesRoot.resolve(engine);
    }

    /** Newest first. */
    List<InstalledVersion> list(String engine) {
        var found = new ArrayList<InstalledVersion>();
        String current = currentName(engine).orElse("");
        for (String version : names(engine)) {
            record(engine, version)
                    .ifPresent(install -> found.add(new InstalledVersion(
                            engine,
                            version,
                            install.string(List.of("reported_version")).orElse(""),
                            install.string(List.of("source")).orElse(""),
                            version.equals(current))));
        }
        return List.copyOf(found);
    }

    Optional<String> currentName(String engine) {
        return files.read(folder(engine).resolve("current")).map(String::strip).filter(names(engine)::contains);
    }

    /** Empty when it is not there, or damaged. */
    Optional<Program> program(String engine, String version) {
        Path root = folder(engine).resolve(version).resolve("root");
        try {
            return record(engine, version)
                    .map(install -> EngineLock.parse(install.source(), install.text())
                            .program(
                                    root,
                                    install.string(List.of("reported_version")).orElse("")))
                    .filter(program -> Files.isExecutable(
                                    Path.of(program.command().getFirst()))
                            && Files.isRegularFile(Path.of(program.command().getLast()))
                            && program.workingDirectory()
                                    .filter(Files::isDirectory)
                                    .isPresent());
        } catch (Hal0Exception damaged) {
            log.warn("{} {} is left out: {}", engine, version, damaged.message());
            return Optional.empty();
        }
    }

    List<String> names(String engine) {
        try (var entries = Files.list(folder(engine))) {
            return entries.filter(entry -> Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS))
                    .filter(entry -> !entry.getFileName().toString().startsWith("."))
                    .sorted(Comparator.comparing(InstalledVersions::installedAt).reversed())
                    .map(entry -> entry.getFileName().toString())
                    .toList();
        } catch (NoSuchFileException nothingInstalled) {
            return List.of();
        } catch (IOException failure) {
            throw faults.of(failure);
        }
    }

    /** A new pin of a library keeps the engine's version, yet is another closure. */
    String nameFor(EngineLock lock) {
        String name = lock.version() + (lock.pinned() ? "" : "_unpinned");
        boolean taken = record(lock.engine(), name)
                .map(InstalledVersions::pins)
                .filter(pins -> !pins.isEmpty() && !pins.equals(lock.packages()))
                .isPresent();
        return taken ? name + "_" + fingerprint(lock) : name;
    }

    /** The version before stays for a way back; older ones go. */
    void switchTo(String engine, String version, Runnable switched) {
        String previous = currentName(engine).orElse("");
        files.write(folder(engine).resolve("current"), version + "\n");
        switched.run();
        var others =
                names(engine).stream().filter(name -> !name.equals(version)).toList();
        String kept = others.contains(previous)
                ? previous
                : others.stream().findFirst().orElse("");
        for (String other : others) {
            if (!other.equals(kept)) {
                try {
                    // Its files are opened as it goes along; it stays until nothing runs from it.
                    if (RunningPrograms.from(folder(engine).resolve(other)).isEmpty()) {
                        discard(engine, other);
                    }
                } catch (IOException leftForNextTime) {
                    log.warn("{} {} could not be removed: {}", engine, other, leftForNextTime.toString());
                }
            }
        }
    }

    /** @throws Hal0Exception {@code engine.in_use} while a process runs from it */
    void requireUnused(String engine, String version) throws IOException {
        RunningPrograms.from(folder(engine).resolve(version)).ifPresent(pid -> {
            throw new Hal0Exception(
                    ErrorCode.ENGINE_IN_USE,
                    "Process " + pid + " runs " + engine + " " + version + "; nothing was deleted");
        });
    }

    /** If it is the current version, the newest of the others becomes it, or there is none. */
    void abdicate(String engine, String version) throws IOException {
        if (currentName(engine).filter(version::equals).isEmpty()) {
            return;
        }
        Path current = folder(engine).resolve("current");
        Optional<String> next =
                names(engine).stream().filter(other -> !other.equals(version)).findFirst();
        if (next.isPresent()) {
            files.write(current, next.get() + "\n");
        } else {
            Files.deleteIfExists(current);
        }
    }

    void clearLeftovers(String engine) throws IOException {
        try (var entries = Files.list(folder(engine))) {
            for (Path entry : (Iterable<Path>) entries::iterator) {
                if (LEFTOVER.matcher(entry.getFileName().toString()).matches()) {
                    Trees.delete(entry);
                }
            }
        }
    }

    /** By a rename first, so that no half of a version is ever seen. */
    void discard(String engine, String version) throws IOException {
        Path removing = folder(engine).resolve(".removing-" + UUID.randomUUID());
        Files.move(folder(engine).resolve(version), removing, StandardCopyOption.ATOMIC_MOVE);
        Trees.delete(removing);
    }

    private Optional<TomlDocument> record(String engine, String version) {
        Path file = folder(engine).resolve(version).resolve("install.toml");
        try {
            return files.read(file).map(text -> TomlDocument.parse(file.toString(), text));
        } catch (Hal0Exception unreadable) {
            log.warn("{} {} is left out: {}", engine, version, unreadable.message());
            return Optional.empty();
        }
    }

    /** None when the record is damaged: then the version is, and is installed anew. */
    private static List<EngineLock.Pin> pins(TomlDocument install) {
        try {
            return EngineLock.parse(install.source(), install.text()).packages();
        } catch (Hal0Exception damaged) {
            return List.of();
        }
    }

    private static String fingerprint(EngineLock lock) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest(lock.packages().toString().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 4);
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError("every JDK has SHA-256", impossible);
        }
    }

    private static long installedAt(Path version) {
        return version.resolve("install.toml").toFile().lastModified();
    }
}
