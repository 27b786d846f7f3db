package dev.hal0.hardware.live;

import static dev.hal0.hardware.live.LiveBox.first;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What single files and answers of tools come to. */
class LiveValuesTest {
    private static final String CARD = "sys/bus/pci/devices/0000:c5:00.0/";
    private static final String SENSORS = CARD + "hwmon/hwmon3/";

    @TempDir
    Path folder;

    private LiveBox halo() {
        return new LiveBox("strix-halo", folder)
                .file(CARD + "gpu_busy_percent", "37\n")
                .file(CARD + "power_dpm_force_performance_level", "auto\n")
                .file(SENSORS + "temp1_input", "45500\n")
                .file(SENSORS + "power1_average", "28040000\n")
                .file(SENSORS + "freq1_input", "2900000000\n");
    }

    @Test
    void amdApu_givesAllItsValuesInTheSamplesUnits() {
        LiveGpu gpu = first(halo().start().latest());

        assertThat(gpu.slot()).isEqualTo("0000:c5:00.0");
        assertThat(gpu.part()).isEqualTo("gpu 0000:c5:00.0");
        assertThat(gpu.busyPercent()).isEqualTo(37.0);
        assertThat(gpu.utilForcedHigh()).isFalse();
        assertThat(gpu.vramUsedMb()).isEqualTo(200);
        assertThat(gpu.vramTotalMb()).isEqualTo(512);
        assertThat(gpu.gttUsedMb()).isEqualTo(6200);
        assertThat(gpu.gttTotalMb()).isEqualTo(98304);
        assertThat(gpu.temperatureC()).isEqualTo(45.5);
        assertThat(gpu.powerW()).isEqualTo(28.04);
        assertThat(gpu.powerIncludesCpu()).isTrue();
        assertThat(gpu.clockMhz()).isEqualTo(2900);
        assertThat(gpu.suspended()).isFalse();
    }

    @Test
    void performanceLevelHigh_saysThatTheCounterSticks() {
        LiveBox box = halo().file(CARD + "power_dpm_force_performance_level", "high\n")
                .file(CARD + "gpu_busy_percent", "100\n");

        LiveGpu gpu = first(box.start().latest());

        assertThat(gpu.utilForcedHigh()).isTrue();
        assertThat(gpu.busyPercent()).isEqualTo(100.0);
    }

    @Test
    void newerKernelWithoutAverage_givesTheInputPower() {
        LiveBox box = halo().without(SENSORS + "power1_average").file(SENSORS + "power1_input", "31500000\n");

        assertThat(first(box.start().latest()).powerW()).isEqualTo(31.5);
    }

    @Test
    void filesThatAreMissingOrNonsense_areUnknownAndNeverZero() {
        LiveBox box = new LiveBox("strix-halo", folder)
                .file(CARD + "gpu_busy_percent", "65535\n")
                .file(SENSORS + "temp1_input", "\n")
                .without(CARD + "mem_info_gtt_used");

        LiveGpu gpu = first(box.start().latest());

        assertThat(gpu.busyPercent()).isNull();
        assertThat(gpu.utilForcedHigh()).isNull();
        assertThat(gpu.gttUsedMb()).isNull();
        assertThat(gpu.temperatureC()).isNull();
        assertThat(gpu.powerW()).isNull();
        assertThat(gpu.powerIncludesCpu()).isNull();
        assertThat(gpu.clockMhz()).isNull();
    }

    /** Reading the sensors of a card that sleeps wakes it, every time. */
    @Test
    void suspendedCard_isAskedForItsMemoryOnly() {
        LiveBox box = halo().file(CARD + "power/runtime_status", "suspended\n");

        LiveGpu gpu = first(box.start().latest());

        assertThat(gpu.suspended()).isTrue();
        assertThat(gpu.vramUsedMb()).isEqualTo(200);
        assertThat(gpu.busyPercent()).isNull();
        assertThat(gpu.temperatureC()).isNull();
    }

    @Test
    void driverThatStartedAnew_isReadAtItsNewSensorNumber() {
        LiveBox box = halo();
        LiveSampler sampler = box.start();
        box.without(CARD + "hwmon/hwmon3").file(CARD + "hwmon/hwmon7/temp1_input", "61000\n");

        assertThat(first(box.next(sampler)).temperatureC()).isEqualTo(61.0);
    }

    @Test
    void mainMemoryAndDisk_areReadAnewEachTime() {
        LiveBox box = halo();
        LiveSampler sampler = box.start();
        LiveSample before = sampler.latest();
        box.file("proc/meminfo", "MemTotal: 64000000 kB\nMemAvailable: 2048000 kB\n")
                .file("sys/fs/cgroup/memory.current", "1073741824\n")
                .file("disk_free_bytes", "5368709120");

        LiveSample now = box.next(sampler);

        assertThat(before.ramTotalMb()).isEqualTo(131000000 / 1024);
        assertThat(before.ramAvailableMb()).isEqualTo(120000000 / 1024);
        assertThat(before.ramUsedMb()).isEqualTo(131000000 / 1024 - 120000000 / 1024);
        assertThat(now.ramTotalMb()).isEqualTo(62500);
        assertThat(now.ramUsedMb()).isEqualTo(60500);
        assertThat(now.cgroupUsedMb()).isEqualTo(1024);
        assertThat(now.diskFreeMb()).isEqualTo(5120);
    }

    @Test
    void emulatedDisplay_isNoGpuOfASample() {
        LiveBox box = new LiveBox("cpu-only", folder);

        assertThat(box.report.gpus()).hasSize(1);
        assertThat(box.start().latest().gpus()).isEmpty();
    }

    @Test
    void machineWithoutNpu_hasNoNpuPart() {
        LiveSample sample = new LiveBox("cpu-only", folder).start().latest();

        assertThat(sample.npuBusyPercent()).isNull();
        assertThat(sample.parts()).extracting(LivePart::name).containsExactly("memory", "cpu", "disk");
    }
}
