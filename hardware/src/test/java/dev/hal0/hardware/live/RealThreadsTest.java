package dev.hal0.hardware.live;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.hardware.Host;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The threads themselves; what is read when is tested on manual time. */
@Timeout(30)
class RealThreadsTest {
    private static final SamplerTimes QUICK = new SamplerTimes(
            Duration.ofMillis(40),
            Duration.ofMillis(40),
            Duration.ofSeconds(30),
            Duration.ofMillis(20),
            Duration.ofSeconds(60));

    @TempDir
    Path folder;

    private final BlockingQueue<LiveSample> published = new ArrayBlockingQueue<>(1000);
    private final RealThreads threads = new RealThreads();

    @AfterEach
    void end() {
        threads.close();
    }

    private LiveSampler start(LiveBox box, NvidiaReader.Tool tool) {
        var sources = new Sources(box.host(), tool, box.report, LiveBox.STATE);
        LiveSampler sampler = LiveSampler.start(sources, QUICK, InstantSource.system(), threads);
        sampler.listen(published::offer);
        return sampler;
    }

    /** A pool counts as ended moments before its last thread has. */
    private static void assertThreadsEnd() throws InterruptedException {
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().startsWith("live-")) {
                assertThat(thread.join(Duration.ofSeconds(10)))
                        .as(thread.getName())
                        .isTrue();
            }
        }
    }

    private LiveSample next(Predicate<LiveSample> wanted) throws InterruptedException {
        LiveSample sample = published.take();
        while (!wanted.test(sample)) {
            sample = published.take();
        }
        return sample;
    }

    @Test
    void close_endsItsThreadsAndInterruptsTheTool() throws InterruptedException {
        var box = new LiveBox("rtx-4090", folder);
        var started = new CountDownLatch(1);
        var interrupted = new CountDownLatch(1);
        LiveSampler sampler = start(box, (deadline, argv) -> {
            started.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException killed) {
                interrupted.countDown();
            }
            throw new IllegalStateException("operation cancelled");
        });
        started.await();

        sampler.close();
        sampler.close();

        assertThat(interrupted.await(10, TimeUnit.SECONDS)).isTrue();
        assertThreadsEnd();
        assertThat(sampler.latest()).isNotNull();
    }

    /** Opening a pipe that nobody writes waits in the kernel, beyond interruption, as a file of a wedged driver does. */
    @Test
    void fileThatHangsInTheKernel_leavesTheOtherPartsCurrent() throws Exception {
        var box = new LiveBox("strix-halo", folder);
        Path pipe = folder.resolve("sys/bus/pci/devices/0000:c5:00.0/gpu_busy_percent");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        LiveSampler sampler = start(box, box.nvidiaSmi);

        Predicate<LiveSample> onlyTheCardHangs =
                sample -> sample.in(LivePart.State.OVERDUE).equals(List.of("gpu 0000:c5:00.0"))
                        && sample.in(LivePart.State.FRESH).containsAll(List.of("memory", "cpu", "disk"));
        LiveSample first = next(onlyTheCardHangs);
        LiveSample second = next(onlyTheCardHangs);

        assertThat(first.ramAvailableMb()).isEqualTo(120000000 / 1024);
        assertThat(second.takenNanos()).isGreaterThan(first.takenNanos());
        sampler.close();
        release(pipe);
        assertThreadsEnd();
    }

    private static void release(Path pipe) throws IOException {
        Files.write(pipe, new byte[] {'1', '\n'}, StandardOpenOption.WRITE);
    }

    @Test
    void realMachine_isSampledAndGivesASecondSampleWithCpuShare() throws InterruptedException {
        var box = new LiveBox("cpu-only", folder);
        try (var sampler = LiveSampler.start(Host.real(), box.report, folder, QUICK, InstantSource.system())) {
            sampler.listen(published::offer);
            LiveSample sample = next(each -> each.cpuBusyPercent() != null && each.diskFreeMb() != null);

            assertThat(sample.cpuBusyPercent()).isBetween(0.0, 100.0);
            assertThat(sample.ramTotalMb()).isPositive();
        }
        assertThreadsEnd();
    }

    @Test
    void taskThatFails_doesNotEndTheSchedule() throws InterruptedException {
        var runs = new CountDownLatch(3);
        threads.every(Duration.ofMillis(1), () -> {
            runs.countDown();
            throw new IllegalStateException("broken");
        });

        assertThat(runs.await(10, TimeUnit.SECONDS)).isTrue();
    }
}
