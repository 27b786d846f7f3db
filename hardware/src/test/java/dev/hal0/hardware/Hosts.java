package dev.hal0.hardware;

import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Objects;

/** The machines below {@code src/test/resources/hosts}, each a folder that looks like one. */
final class Hosts {
    static final Instant NOW = Instant.parse("2026-11-22T10:00:00Z");

    private Hosts() {}

    static Path folder(String name) {
        URL url = Objects.requireNonNull(Hosts.class.getResource("/hosts/" + name), name);
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    static Host host(String name) {
        return Host.fixture(folder(name));
    }

    static Probe probe() {
        return new Probe(Clock.fixed(NOW, ZoneOffset.UTC), Path.of("/var/lib/hal0"));
    }

    static HardwareReport report(String name) {
        return probe().run(host(name));
    }

    static MemoryTruth truth(String name) {
        HardwareReport report = report(name);
        return MemoryTruth.of(
                report, MemoryReadings.read(host(name), report.primaryGpu().orElse(null)));
    }
}
