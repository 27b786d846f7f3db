package dev.hal0.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class SteadyClockTest {
    private static final Instant START = Instant.parse("2026-11-23T10:00:00Z");

    private Instant wall = START;
    private long nanos = 77;
    private final SteadyClock clock = new SteadyClock(() -> wall, () -> nanos);

    private void pass(Duration time) {
        wall = wall.plus(time);
        nanos += time.toNanos();
    }

    @Test
    void timePasses_itPassesHere() {
        pass(Duration.ofSeconds(5));

        assertThat(clock.instant()).isEqualTo(START.plusSeconds(5));
        assertThat(clock.shown(START)).isEqualTo(START);
    }

    /** Regression: a clock that was set after the start unloaded every slot as unused and refused every load that waited. */
    @Test
    void wallClockIsSet_noTimePassesButWhatIsShownIsRight() {
        pass(Duration.ofSeconds(5));
        wall = wall.plus(Duration.ofHours(2));

        assertThat(clock.instant()).isEqualTo(START.plusSeconds(5));
        assertThat(clock.shown(clock.instant())).isEqualTo(wall);

        wall = wall.minus(Duration.ofHours(9));

        assertThat(clock.instant()).isEqualTo(START.plusSeconds(5));
        assertThat(clock.shown(clock.instant())).isEqualTo(wall);
    }

    @Test
    void wallClockDriftsByMilliseconds_whatIsShownStaysTheSame() {
        wall = wall.plusMillis(40);

        assertThat(clock.shown(START)).isEqualTo(START);
    }

    @Test
    void momentRecordedUnderAClockThatRanAhead_isNow() {
        assertThat(clock.past(START.plusSeconds(900))).isEqualTo(START);
        assertThat(clock.past(START.minusSeconds(900))).isEqualTo(START.minusSeconds(900));
    }
}
