package dev.hal0.hardware.live;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Values that are differences of two readings. */
class CountersTest {
    private static final String NPU = "sys/class/accel/accel0/device/power/";

    @TempDir
    Path folder;

    private LiveBox box;

    @BeforeEach
    void machine() {
        box = new LiveBox("strix-halo", folder);
        cpu(1000, 9000);
        npu(5000, 60000);
    }

    private void cpu(long user, long idle) {
        box.file("proc/stat", "cpu  " + user + " 0 0 " + idle + " 0 0 0 0 999 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n");
    }

    private void npu(long active, long suspended) {
        box.file(NPU + "runtime_active_time", active + "\n").file(NPU + "runtime_suspended_time", suspended + "\n");
    }

    @Test
    void firstSample_knowsNoShares() {
        LiveSample first = box.start().latest();

        assertThat(first.cpuBusyPercent()).isNull();
        assertThat(first.npuBusyPercent()).isNull();
        assertThat(first.stale()).isEmpty();
    }

    @Test
    void secondSample_givesTheSharesBetweenTheTwo() {
        LiveSampler sampler = box.start();
        cpu(1025, 9075);
        npu(5500, 62000);

        LiveSample second = box.next(sampler);

        assertThat(second.cpuBusyPercent()).isEqualTo(25.0);
        assertThat(second.npuBusyPercent()).isEqualTo(20.0);
    }

    @Test
    void countersThatStandStill_areUnknownRatherThanIdle() {
        LiveSampler sampler = box.start();

        LiveSample second = box.next(sampler);

        assertThat(second.cpuBusyPercent()).isNull();
        assertThat(second.npuBusyPercent()).isNull();
    }

    /** A container that starts anew, a driver that is loaded anew. */
    @Test
    void countersThatWentBack_areUnknownOnceAndThenKnown() {
        LiveSampler sampler = box.start();
        cpu(10, 90);
        npu(100, 0);
        LiveSample reset = box.next(sampler);
        cpu(60, 140);
        npu(400, 100);
        LiveSample after = box.next(sampler);

        assertThat(reset.cpuBusyPercent()).isNull();
        assertThat(reset.npuBusyPercent()).isNull();
        assertThat(after.cpuBusyPercent()).isEqualTo(50.0);
        assertThat(after.npuBusyPercent()).isEqualTo(75.0);
    }

    @Test
    void countersThatWereGoneForAWhile_giveNoShareOverTheGap() {
        LiveSampler sampler = box.start();
        box.without("proc/stat").without(NPU + "runtime_active_time");
        LiveSample gone = box.next(sampler);
        cpu(2000, 9000);
        npu(9000, 60000);
        LiveSample back = box.next(sampler);

        assertThat(gone.stale()).containsExactly("cpu", "npu");
        assertThat(gone.cpuBusyPercent()).isNull();
        assertThat(back.stale()).isEmpty();
        assertThat(back.cpuBusyPercent()).isNull();
        assertThat(back.npuBusyPercent()).isNull();
    }

    @Test
    void npuThatMayNotSleep_hasNoShare() {
        LiveSampler sampler = box.start();
        npu(9000, 60000);
        box.file(NPU + "control", "on\n");

        assertThat(box.next(sampler).npuBusyPercent()).isNull();
    }

    @Test
    void lineThatIsNoCounterLine_isUnknown() {
        for (String line : new String[] {"", "cpu", "cpu 1 2 3", "cpu a b c d e f g h", "intr 1 2 3 4 5 6 7 8"}) {
            box.file("proc/stat", line);
            assertThat(new CpuReader(box.host()).read(true)).as(line).isInstanceOf(Outcome.Gone.class);
        }
    }

    @Test
    void timeStolenByTheHypervisor_countsAsBusyAndGuestTimeOnce() {
        var counter = new CpuReader(box.host());
        box.file("proc/stat", "cpu 0 0 0 0 0 0 0 0 0 0\n");
        counter.read(true);
        box.file("proc/stat", "cpu 20 0 0 50 10 0 0 20 20 0\n");

        assertThat(counter.read(true)).isEqualTo(new Outcome.Value<>(new Share(40.0)));
    }
}
