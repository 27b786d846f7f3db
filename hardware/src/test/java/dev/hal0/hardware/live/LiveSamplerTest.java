package dev.hal0.hardware.live;

import static dev.hal0.hardware.live.LiveBox.first;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.hardware.MemoryReadings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When is read, and what samples say about their age. */
class LiveSamplerTest {
    private static final String CARD = "sys/bus/pci/devices/0000:c5:00.0";
    private static final String CARD_PART = "gpu 0000:c5:00.0";
    private static final String NPU = "sys/class/accel/accel0/device/power/";

    @TempDir
    Path folder;

    private LiveBox box;

    @BeforeEach
    void machine() {
        box = new LiveBox("strix-halo", folder)
                .file(CARD + "/gpu_busy_percent", "37\n")
                .file(NPU + "runtime_active_time", "0\n")
                .file(NPU + "runtime_suspended_time", "0\n");
    }

    @Test
    void start_readsAtOnceAndPublishesOneSample() {
        LiveSampler sampler = box.start();

        assertThat(box.published).hasSize(1);
        assertThat(sampler.latest()).isSameAs(box.published.getFirst());
        assertThat(sampler.latest().stale()).isEmpty();
        assertThat(sampler.latest().takenAt()).isEqualTo(LiveBox.NOON);
    }

    @Test
    void nothingReadYet_isASampleInWhichEverythingIsUnknown() {
        box.threads.hang("memory");
        box.threads.hang(CARD_PART);
        box.threads.hang("disk");
        LiveSampler sampler = box.start();

        LiveSample sample = sampler.latest();

        assertThat(sample.ramAvailableMb()).isNull();
        assertThat(sample.diskFreeMb()).isNull();
        assertThat(first(sample).busyPercent()).isNull();
        assertThat(sample.stale()).contains("memory", CARD_PART, "disk");
        assertThat(sample.memory(box.gpu())).isEqualTo(MemoryReadings.UNKNOWN);
    }

    @Test
    void nobodyAsks_isReadEveryFifteenSeconds() {
        box.start();

        box.threads.advance(Duration.ofSeconds(61));

        assertThat(box.threads.reads("memory")).isEqualTo(5);
    }

    @Test
    void somebodyAsks_isReadEveryPeriodUntilHalfAMinuteAfterTheLastAsked() {
        LiveSampler sampler = box.start();
        sampler.latest();

        box.threads.advance(Duration.ofSeconds(30));
        long watched = box.threads.reads("memory");
        box.threads.advance(Duration.ofSeconds(60));

        assertThat(watched).isEqualTo(13);
        assertThat(box.threads.reads("memory")).isEqualTo(13 + 4);
    }

    @Test
    void firstWhoAsksAfterALongTime_hasACurrentSampleAPeriodLater() {
        LiveSampler sampler = box.start();
        box.threads.advance(Duration.ofMinutes(10).plusSeconds(7));
        long before = box.threads.reads("memory");
        sampler.latest();

        box.threads.advance(Duration.ofMillis(2500));

        assertThat(box.threads.reads("memory")).isEqualTo(before + 1);
    }

    /** Pitfall 43: work must not grow with the number of clients. */
    @Test
    void thousandPolls_readNothing() {
        LiveSampler sampler = box.start();

        for (int poll = 0; poll < 1000; poll++) {
            sampler.latest();
        }
        box.threads.settle();

        assertThat(box.threads.reads("memory")).isEqualTo(1);
        assertThat(box.published).hasSize(1);
    }

    @Test
    void listening_isNotAsking() {
        LiveSampler sampler = box.start();
        sampler.listen(sample -> {});

        box.threads.advance(Duration.ofSeconds(46));

        assertThat(box.threads.reads("memory")).isEqualTo(4);
    }

    @Test
    void hungFile_agesAloneAndIsNotAskedAgain() {
        LiveSampler sampler = box.start();
        box.threads.hang(CARD_PART);
        box.file("disk_free_bytes", "1048576");

        LiveSample sample = box.watchFor(sampler, Duration.ofSeconds(20));

        assertThat(sample.stale()).containsExactly(CARD_PART);
        assertThat(sample.diskFreeMb()).isEqualTo(1);
        assertThat(first(sample).busyPercent()).isEqualTo(37.0);
        assertThat(box.threads.reads(CARD_PART)).isEqualTo(2);
    }

    @Test
    void hungFileThatReturns_isPublishedAtOnceAndFresh() {
        LiveSampler sampler = box.start();
        box.threads.hang(CARD_PART);
        box.watchFor(sampler, Duration.ofSeconds(20));
        box.file(CARD + "/gpu_busy_percent", "90\n");
        box.threads.advance(Duration.ofMillis(1200));
        int published = box.published.size();

        box.threads.resume(CARD_PART);

        assertThat(box.published).hasSize(published + 1);
        assertThat(first(sampler.latest()).busyPercent()).isEqualTo(90.0);
        assertThat(sampler.latest().stale()).isEmpty();
    }

    @Test
    void partThatIsSlow_holdsTheSampleForItsPatienceOnly() {
        LiveSampler sampler = box.start();
        box.threads.hang(CARD_PART);
        sampler.latest();
        box.threads.advance(Duration.ofMillis(2500 + 900));
        int beforePatience = box.published.size();

        box.threads.advance(Duration.ofMillis(100));
        LiveSample without = sampler.latest();
        box.threads.advance(Duration.ofMillis(300));
        box.threads.resume(CARD_PART);

        assertThat(beforePatience).isEqualTo(1);
        assertThat(box.published).hasSize(3);
        assertThat(without.stale()).as("slow is not overdue").isEmpty();
    }

    @Test
    void readThatHangsWhileNobodyAsks_isToldBeforeTheNextRound() {
        LiveSampler sampler = box.start();
        box.threads.hang("disk");

        box.threads.advance(Duration.ofSeconds(18));

        assertThat(box.published.getLast().stale()).containsExactly("disk");
        assertThat(box.threads.reads("memory")).isEqualTo(2);
        assertThat(sampler.latest()).isSameAs(box.published.getLast());
    }

    @Test
    void vanishedGpu_isUnknownAtOnceAndReadWhenItIsBack() {
        LiveSampler sampler = box.start();
        box.without(CARD);
        LiveSample gone = box.next(sampler);
        box.file(CARD + "/gpu_busy_percent", "5\n");
        LiveSample back = box.next(sampler);

        assertThat(gone.gpus()).hasSize(1);
        assertThat(first(gone)).isEqualTo(LiveGpu.unknown(box.gpu(), CARD_PART, null));
        assertThat(gone.stale()).containsExactly(CARD_PART);
        assertThat(first(back).busyPercent()).isEqualTo(5.0);
        assertThat(back.stale()).isEmpty();
    }

    @Test
    void wallClockThatJumpsBack_changesNoAgeAndNoPeriod() {
        LiveSampler sampler = box.start();
        box.wallClock = LiveBox.NOON.minus(Duration.ofDays(1));

        LiveSample sample = box.next(sampler);
        box.threads.advance(Duration.ofMillis(700));

        assertThat(sample.takenAt()).isEqualTo(LiveBox.NOON.minus(Duration.ofDays(1)));
        assertThat(sample.ageMs(sampler.nanos())).isEqualTo(700);
        assertThat(box.threads.reads("memory")).isEqualTo(2);
    }

    @Test
    void listenerThatThrows_keepsNobodyFromTheSample() {
        LiveSampler sampler = box.start();
        List<LiveSample> others = new ArrayList<>();
        sampler.listen(sample -> {
            throw new IllegalStateException("broken");
        });
        sampler.listen(others::add);

        LiveSample sample = box.next(sampler);

        assertThat(others).containsExactly(sample);
    }

    @Test
    void listenerAddedTwice_isRemovedOnce() {
        LiveSampler sampler = box.start();
        List<LiveSample> heard = new ArrayList<>();
        Consumer<LiveSample> listener = heard::add;
        sampler.listen(listener);
        Runnable end = sampler.listen(listener);
        end.run();
        end.run();

        box.next(sampler);

        assertThat(heard).hasSize(1);
    }

    @Test
    void closed_keepsTheLastSampleAndReadsNoMore() {
        LiveSampler sampler = box.start();
        LiveSample last = sampler.latest();

        sampler.close();
        box.threads.advance(Duration.ofMinutes(1));

        assertThat(sampler.latest()).isSameAs(last);
        assertThat(sampler.latest().ageMs(sampler.nanos())).isEqualTo(60_000);
        assertThat(box.threads.closed()).isTrue();
    }

    @Test
    void timesThatContradictEachOther_areRefused() {
        Duration second = Duration.ofSeconds(1);
        assertThatThrownBy(() -> new SamplerTimes(second, second, second, second, second.multipliedBy(9)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new SamplerTimes(
                        second.multipliedBy(3), second.multipliedBy(2), second, second, second.multipliedBy(9)))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
