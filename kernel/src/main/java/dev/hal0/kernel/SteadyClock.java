package dev.hal0.kernel;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * A clock for decisions: the wall clock as it stood when this was made, moved on by the machine's monotonic clock. A wall
 * clock that is set while the program runs, as it is minutes after each start of a machine without a battery for it, would
 * else let hours pass for whoever waits, or none. What people read is put right by {@link #shown}. Thread-safe.
 */
public final class SteadyClock implements InstantSource {
    private final InstantSource wall;
    private final LongSupplier nanoTime;
    private final Instant start;
    private final long startNanos;

    public SteadyClock(InstantSource wall) {
        this(wall, System::nanoTime);
    }

    /** @param nanoTime monotonic, in nanoseconds, of any origin */
    SteadyClock(InstantSource wall, LongSupplier nanoTime) {
        this.wall = wall;
        this.nanoTime = nanoTime;
        this.start = wall.instant();
        this.startNanos = nanoTime.getAsLong();
    }

    @Override
    public Instant instant() {
        return start.plusNanos(nanoTime.getAsLong() - startNanos);
    }

    /**
     * A moment of this clock as the wall clock names it today. Only whole seconds are put right: two looks at the same moment
     * give the same answer unless the wall clock was set between them.
     */
    public Instant shown(Instant moment) {
        long millis = Duration.between(instant(), wall.instant()).toMillis();
        return moment.plusSeconds(Math.round(millis / 1000.0));
    }

    /** A moment that an earlier program wrote down, perhaps under a clock that ran ahead: never later than now. */
    public Instant past(Instant recorded) {
        Instant now = instant();
        return recorded.isAfter(now) ? now : recorded;
    }
}
