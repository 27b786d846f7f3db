package dev.hal0.hardware.live;

import static dev.hal0.hardware.live.LiveBox.first;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NvidiaTest {
    private static final String TWO = """
            0, 00000000:41:00.0, 12, 600, 24576, 51, 101.25, 1395
            1, 00000000:81:00.0, 98, 20000, 24576, 70, 349.90, 1920
            """;
    private static final String SECOND_ONLY = "0, 00000000:81:00.0, 97, 20001, 24576, 71, 350.00, 1905\n";

    @TempDir
    Path folder;

    private final List<String> asked = new ArrayList<>();
    private String answer = TWO;

    private LiveBox box(String machine) {
        var box = new LiveBox(machine, folder);
        box.nvidiaSmi = (deadline, argv) -> {
            asked.add(deadline + " " + String.join(" ", argv));
            return answer.isEmpty() ? Optional.empty() : Optional.of(answer);
        };
        return box;
    }

    @Test
    void twoCards_areReadByOneProcessWithinItsDeadline() {
        LiveSample sample = box("two-rtx").start().latest();

        assertThat(asked)
                .containsExactly(
                        "PT4S nvidia-smi --query-gpu=index,pci.bus_id,utilization.gpu,memory.used,memory.total,"
                                + "temperature.gpu,power.draw,clocks.sm --format=csv,noheader,nounits");
        LiveGpu second = sample.gpus().get(1);
        assertThat(second.slot()).isEqualTo("0000:81:00.0");
        assertThat(second.busyPercent()).isEqualTo(98.0);
        assertThat(second.vramUsedMb()).isEqualTo(20000);
        assertThat(second.vramTotalMb()).isEqualTo(24576);
        assertThat(second.gttTotalMb()).isNull();
        assertThat(second.temperatureC()).isEqualTo(70.0);
        assertThat(second.powerW()).isEqualTo(349.9);
        assertThat(second.powerIncludesCpu()).isFalse();
        assertThat(second.clockMhz()).isEqualTo(1920);
        assertThat(first(sample).busyPercent()).isEqualTo(12.0);
    }

    /** The tool numbers what is left from 0, so numbers would give the first card the second's values. */
    @Test
    void vanishedCard_isUnknownAtOnceAndTheOtherGoesOn() {
        LiveBox box = box("two-rtx");
        LiveSampler sampler = box.start();
        answer = SECOND_ONLY;

        LiveSample sample = box.next(sampler);

        assertThat(first(sample).busyPercent()).isNull();
        assertThat(first(sample).vramUsedMb()).isNull();
        assertThat(sample.gpus().get(1).busyPercent()).isEqualTo(97.0);
        assertThat(sample.stale()).isEmpty();
    }

    /** Pitfall 42. */
    @Test
    void wordsInPlaceOfNumbers_areUnknown() {
        answer = "0, 0000000F:01:00.0, 3, [N/A], [N/A], 40, [Not Supported], [Unknown Error]\n";

        LiveGpu gpu = first(box("gb10").start().latest());

        assertThat(gpu.busyPercent()).isEqualTo(3.0);
        assertThat(gpu.vramUsedMb()).isNull();
        assertThat(gpu.vramTotalMb()).isNull();
        assertThat(gpu.powerW()).isNull();
        assertThat(gpu.clockMhz()).isNull();
    }

    @Test
    void toolThatFails_isAskedAfterGrowingPausesAndItsLastValuesAreMarked() {
        LiveBox box = box("two-rtx");
        LiveSampler sampler = box.start();
        answer = "";

        LiveSample soon = box.watchFor(sampler, Duration.ofSeconds(40));
        int inForty = asked.size();
        LiveSample later = box.watchFor(sampler, Duration.ofSeconds(60));
        box.watchFor(sampler, Duration.ofMinutes(60));
        int inAnHour = asked.size();

        assertThat(soon.stale()).containsExactly("nvidia-smi");
        assertThat(first(soon).busyPercent()).isEqualTo(12.0);
        assertThat(first(later).busyPercent()).isNull();
        // At 0 s with success, then 2.5, 7.5, 17.5 and 37.5.
        assertThat(inForty).isEqualTo(5);
        assertThat(inAnHour).isBetween(15, 25);
    }

    @Test
    void toolThatWorksAgain_isAskedEachPeriodAgain() {
        LiveBox box = box("two-rtx");
        LiveSampler sampler = box.start();
        answer = "";
        box.watchFor(sampler, Duration.ofSeconds(30));
        answer = TWO;
        box.watchFor(sampler, Duration.ofSeconds(30));
        asked.clear();

        LiveSample sample = box.watchFor(sampler, Duration.ofSeconds(25));

        assertThat(asked).hasSize(10);
        assertThat(sample.stale()).isEmpty();
    }

    @Test
    void toolThatThrows_isAFailureLikeAnother() {
        LiveBox box = new LiveBox("two-rtx", folder);
        box.nvidiaSmi = (deadline, argv) -> {
            throw new IllegalStateException("interrupted");
        };

        assertThat(box.start().latest().stale()).containsExactly("nvidia-smi");
    }

    @Test
    void hungTool_delaysNothingAndIsNotStartedAgain() {
        LiveBox box = box("two-rtx");
        LiveSampler sampler = box.start();
        box.threads.hang("nvidia-smi");
        box.file("proc/meminfo", "MemTotal: 64000000 kB\nMemAvailable: 1024 kB\n");

        LiveSample sample = box.watchFor(sampler, Duration.ofSeconds(10));

        assertThat(box.threads.reads("nvidia-smi")).isEqualTo(2);
        assertThat(box.threads.reads("memory")).isGreaterThanOrEqualTo(4);
        assertThat(sample.ramAvailableMb()).isEqualTo(1);
        assertThat(sample.stale()).containsExactly("nvidia-smi");
        assertThat(first(sample).busyPercent()).isEqualTo(12.0);
        assertThat(sample.ageMs(sampler.nanos())).isLessThan(2500);
        LivePart part = sample.parts().stream()
                .filter(each -> each.name().equals("nvidia-smi"))
                .findFirst()
                .orElseThrow();
        assertThat(part.state()).isEqualTo(LivePart.State.OVERDUE);
        assertThat(part.ageMs(sampler.nanos())).isEqualTo(10_000);
    }

    @Test
    void toolThatHangsForLong_leavesItsValuesUnknown() {
        LiveBox box = box("two-rtx");
        LiveSampler sampler = box.start();
        box.threads.hang("nvidia-smi");

        LiveSample sample = box.watchFor(sampler, Duration.ofSeconds(70));

        assertThat(first(sample).vramUsedMb()).isNull();
        assertThat(sample.stale()).containsExactly("nvidia-smi");
    }

    /** A laptop's second card: each look would keep it awake. */
    @Test
    void sleepingCard_isWokenOnlyForSomebodyWhoLooks() {
        LiveBox box = box("rtx-4090").file("sys/bus/pci/devices/0000:01:00.0/power/runtime_status", "suspended\n");
        answer = "0, 00000000:01:00.0, 1, 5, 24564, 35, 20.00, 210\n";
        LiveSampler sampler = box.start();
        box.threads.advance(Duration.ofMinutes(5));
        boolean wokenBefore = !asked.isEmpty();
        LiveSample asleep = sampler.latest();

        LiveSample awake = box.next(sampler);

        assertThat(wokenBefore).isFalse();
        assertThat(first(asleep).suspended()).isTrue();
        assertThat(first(asleep).busyPercent()).isNull();
        assertThat(asleep.stale()).isEmpty();
        assertThat(first(awake).suspended()).isFalse();
        assertThat(first(awake).busyPercent()).isEqualTo(1.0);
    }
}
