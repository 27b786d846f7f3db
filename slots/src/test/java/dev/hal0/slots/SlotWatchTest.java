package dev.hal0.slots;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.DurableFiles;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SlotWatchTest {
    private static final Incarnation LIFE = new Incarnation("life");

    private final FakeEngine engine = new FakeEngine();
    private final SlotWorkloads workloads = new SlotWorkloads();
    private final List<SlotEvent> events = new ArrayList<>();
    private long nanos;

    private final SlotWatch watch = new SlotWatch(
            new EngineCatalog(List.of(engine)),
            new EndpointKeys(new DurableFiles()),
            workloads,
            Duration.ofSeconds(120),
            events::add,
            () -> nanos);

    @BeforeEach
    void open() {
        Gate gate = workloads.gate(Samples.SLOT);
        gate.prepare(LIFE);
        gate.open(LIFE, 4);
        engine.counts.set(true);
    }

    @Test
    void oneFailedHealthCheck_isForgiven() {
        engine.health.set(new Health.Unreachable("refused"));
        look(2);
        engine.health.set(new Health.Ready());
        look(2);
        engine.health.set(new Health.Unreachable("refused"));
        look(2);
        assertThat(events).isEmpty();
    }

    @Test
    void twoFailedHealthChecks_areADoubt() {
        engine.health.set(new Health.Unreachable("refused"));
        look(2);
        look(2);
        assertThat(events)
                .containsExactly(new SlotEvent.Doubted(Samples.SLOT, LIFE, "failed 2 health checks: refused"));
    }

    @Test
    void countersThatStandStillWithWorkInside_areAHang() {
        enter();
        engine.counters.set("a");
        look(2);
        look(119);
        assertThat(events).isEmpty();
        look(2);
        look(60);
        assertThat(events).singleElement().isInstanceOfSatisfying(SlotEvent.Hung.class, hung -> {
            assertThat(hung.incarnation()).isEqualTo(LIFE);
            assertThat(hung.evidence()).contains("121 s", "1 inside", "its counters: a");
        });
    }

    @Test
    void countersThatCannotBeReadWhileHealthIsFine_standStill() {
        enter();
        engine.counters.set("");
        look(2);
        look(130);
        assertThat(events).hasSize(1);
    }

    @Test
    void nobodyInside_isNoStandstill() {
        engine.counters.set("a");
        look(2);
        look(1_000);
        assertThat(events).isEmpty();
    }

    /** A long prefill of a slow machine must not be killed: its own pauses are the measure. */
    @Test
    void engineThatPausedLongBefore_isGivenThreeTimesAsLong() {
        enter();
        engine.counters.set("a");
        look(2);
        look(100);
        engine.counters.set("b");
        look(2);
        look(300);
        assertThat(events).isEmpty();
        look(10);
        assertThat(events).hasSize(1);
    }

    @Test
    void familyWithoutCounters_isNeverCalledHung() {
        enter();
        engine.counts.set(false);
        look(2);
        look(10_000);
        assertThat(events).isEmpty();
    }

    private void enter() {
        assertThat(workloads.gate(Samples.SLOT).tryEnter()).isInstanceOf(Gate.Entry.Entered.class);
    }

    private void look(int afterSeconds) {
        nanos += TimeUnit.SECONDS.toNanos(afterSeconds);
        LaunchPlan plan = Samples.plan(Samples.SLOT, "small");
        watch.lookAt(new Launch("n", plan, OptionalLong.empty(), Optional.of(LIFE)));
    }
}
