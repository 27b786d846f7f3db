package dev.hal0.hardware.live;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.hardware.MemoryLimit;
import dev.hal0.hardware.MemoryReadings;
import dev.hal0.hardware.MemoryTruth;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LiveMemoryTest {
    private static final String CARD = "sys/bus/pci/devices/0000:c5:00.0/";

    @TempDir
    Path folder;

    @Test
    void unifiedMachine_hasTheTruthOfReadingItDirectly() {
        var box = new LiveBox("strix-halo", folder);
        var memory = new LiveMemory(box.start(), box.report);

        assertThat(memory.now().truth())
                .isEqualTo(MemoryTruth.of(box.report, MemoryReadings.read(box.host(), box.gpu())));
        assertThat(memory.now().ageMs()).isZero();
    }

    /** Pitfall 29: GTT that the kernel moved. */
    @Test
    void gttThatMoved_isInTheNextTruth() {
        var box = new LiveBox("strix-halo", folder);
        LiveSampler sampler = box.start();
        var memory = new LiveMemory(sampler, box.report);
        box.file(CARD + "mem_info_gtt_total", "85899345920\n");

        box.next(sampler);

        assertThat(memory.now().truth().gttTotalMb()).isEqualTo(81920);
    }

    @Test
    void proxmoxHost_isAskedForItsNewestFigureEachTime() {
        var box = new LiveBox("strix-halo-lxc", folder);
        var free = new long[] {20000};
        var memory = new LiveMemory(box.start(), box.report, () -> OptionalLong.of(free[0]));
        Long before = memory.now().truth().limits().get(MemoryLimit.HOST);
        free[0] = 1000;

        assertThat(memory.now().truth().limits().get(MemoryLimit.HOST))
                .isEqualTo(before == null ? null : before - 19000);
        assertThat(before).isNotNull();
    }

    @Test
    void cpuModel_isLimitedByMainMemoryAlone() {
        var box = new LiveBox("strix-halo", folder);

        MemoryTruth truth = new LiveMemory(box.start(), box.report).now(null).truth();

        assertThat(truth.poolMb()).isNull();
        assertThat(truth.limits()).containsKey(MemoryLimit.RAM).doesNotContainKey(MemoryLimit.POOL);
    }

    /** The sample is new each period; what the card said is not. */
    @Test
    void hungCard_makesTheTruthAsOldAsItsReading() {
        var box = new LiveBox("strix-halo", folder);
        LiveSampler sampler = box.start();
        var memory = new LiveMemory(sampler, box.report);
        box.threads.hang("gpu 0000:c5:00.0");

        box.watchFor(sampler, Duration.ofSeconds(20));

        assertThat(memory.now().ageMs()).isEqualTo(20_000);
        assertThat(memory.now(null).ageMs()).isLessThan(2500);
        assertThat(memory.now().truth().poolFreeMb()).isNotNull();
    }

    /** Rather no figure than one from minutes ago. */
    @Test
    void cardThatHangsForLong_leavesThePoolUnknown() {
        var box = new LiveBox("strix-halo", folder);
        LiveSampler sampler = box.start();
        box.threads.hang("gpu 0000:c5:00.0");

        box.watchFor(sampler, Duration.ofSeconds(70));

        assertThat(new LiveMemory(sampler, box.report).now().truth().poolFreeMb())
                .isNull();
    }

    @Test
    void nvidiaCard_isMeasuredByItsOwnMemory() {
        var box = new LiveBox("two-rtx", folder).file("commands/nvidia-smi.out", """
                        0, 00000000:41:00.0, 12, 576, 24576, 51, 101.25, 1395
                        1, 00000000:81:00.0, 98, 20000, 24576, 70, 349.90, 1920
                        """);

        var memory = new LiveMemory(box.start(), box.report);

        assertThat(memory.now(box.report.gpus().get(1)).truth().headroomMb()).isEqualTo(4576);
    }
}
