package dev.hal0.hardware;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** The stored report, {@code hardware.json}: sorted keys, sizes in MiB. Thread-safe. */
public final class HardwareFile {
    private static final Logger log = LoggerFactory.getLogger(HardwareFile.class);

    private static final JsonMapper SORTED = Json.PRETTY
            .rebuild()
            .enable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
            .disable(MapperFeature.SORT_CREATOR_PROPERTIES_FIRST)
            .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
            .build();

    private final DurableFiles files;
    private final Path path;

    public HardwareFile(DurableFiles files, Path path) {
        this.files = files;
        this.path = path;
    }

    /** @throws Hal0Exception {@code system.storage} when the disk refuses; the old file is then still in place */
    public void write(HardwareReport report) {
        files.write(path, SORTED.writeValueAsString(report) + "\n");
    }

    /** Empty when the file is absent, unreadable, broken or of another schema: the answer to each is a new probe. */
    public Optional<HardwareReport> read() {
        try {
            Optional<String> text = files.read(path);
            if (text.isEmpty()) {
                return Optional.empty();
            }
            var tree = SORTED.readTree(text.get());
            if (tree.path("schema_version").asInt(0) != HardwareReport.SCHEMA_VERSION) {
                log.info("{} has another form and is probed anew", path);
                return Optional.empty();
            }
            return Optional.of(SORTED.treeToValue(tree, HardwareReport.class));
        } catch (JacksonException | Hal0Exception broken) {
            log.warn("{} cannot be used and is probed anew: {}", path, broken.getMessage());
            return Optional.empty();
        }
    }

    /** The stored report where it is of this boot, else a new one, which is then stored. Blocks like {@link Probe#run}. */
    public HardwareReport current(Probe probe, Host host) {
        String bootId = BootIdentity.bootId(host);
        String kernel = BootIdentity.kernel(host);
        return read().filter(report -> isFresh(report, bootId, kernel)).orElseGet(() -> probeAndWrite(probe, host));
    }

    /** A report that cannot be stored is still a report; the next start probes again. */
    public HardwareReport probeAndWrite(Probe probe, Host host) {
        HardwareReport report = probe.run(host);
        try {
            write(report);
        } catch (Hal0Exception failure) {
            log.warn("The probe's result is used but could not be stored: {}", failure.message());
        }
        return report;
    }

    /**
     * Whether {@code report} is of this boot and kernel. What is unknown on either side is no proof, hence not fresh.
     *
     * @param bootId as the probe reports it: in a container not the bare content of {@code boot_id}
     */
    public static boolean isFresh(HardwareReport report, @Nullable String bootId, @Nullable String kernel) {
        return report.schemaVersion() == HardwareReport.SCHEMA_VERSION
                && bootId != null
                && bootId.equals(report.bootId())
                && kernel != null
                && kernel.equals(report.kernel());
    }
}
