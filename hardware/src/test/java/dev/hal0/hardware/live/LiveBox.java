package dev.hal0.hardware.live;

import dev.hal0.hardware.Gpu;
import dev.hal0.hardware.HardwareReport;
import dev.hal0.hardware.Host;
import dev.hal0.hardware.Probe;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** A copy of a fixture machine whose files change, its report, and a sampler on manual time. */
final class LiveBox {
    static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");
    static final Path STATE = Path.of("/var/lib/hal0");

    final Path root;
    final ManualThreads threads = new ManualThreads();
    final List<LiveSample> published = new ArrayList<>();
    final HardwareReport report;
    Instant wallClock = NOON;
    NvidiaReader.Tool nvidiaSmi;

    LiveBox(String machine, Path target) {
        Path source = Path.of(Objects.requireNonNull(LiveBox.class.getResource("/hosts/" + machine), machine)
                .getPath());
        try (Stream<Path> paths = Files.walk(source)) {
            for (Path path : paths.toList()) {
                Path copy = target.resolve(source.relativize(path).toString());
                if (Files.isDirectory(path)) {
                    Files.createDirectories(copy);
                } else {
                    Files.copy(path, copy);
                }
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
        root = target;
        file("proc/stat", "cpu 1 0 0 1 0 0 0 0 0 0\n");
        nvidiaSmi = host()::output;
        report = new Probe(Clock.fixed(NOON, ZoneOffset.UTC), STATE).run(host());
    }

    Host host() {
        return Host.fixture(root);
    }

    Gpu gpu() {
        return report.gpus().getFirst();
    }

    /** Starts, and reads once. */
    LiveSampler start() {
        var sources = new Sources(host(), (deadline, argv) -> nvidiaSmi.output(deadline, argv), report, STATE);
        var sampler = LiveSampler.start(sources, SamplerTimes.DEFAULT, () -> wallClock, threads);
        sampler.listen(published::add);
        threads.settle();
        return sampler;
    }

    /** The sample one period later, somebody looking. */
    LiveSample next(LiveSampler sampler) {
        sampler.latest();
        threads.advance(SamplerTimes.DEFAULT.watched());
        return sampler.latest();
    }

    /** Somebody looks all the time. */
    LiveSample watchFor(LiveSampler sampler, Duration time) {
        for (long period = 0; period < time.dividedBy(SamplerTimes.DEFAULT.watched()); period++) {
            next(sampler);
        }
        return sampler.latest();
    }

    LiveBox file(String path, String content) {
        try {
            Path file = root.resolve(path.replaceFirst("^/", ""));
            Files.createDirectories(file.getParent());
            Files.writeString(file, content);
            return this;
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** Also a folder with all that is in it. */
    LiveBox without(String path) {
        try (Stream<Path> paths = Files.walk(root.resolve(path))) {
            for (Path each : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(each);
            }
            return this;
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    static LiveGpu first(LiveSample sample) {
        return sample.gpus().getFirst();
    }
}
