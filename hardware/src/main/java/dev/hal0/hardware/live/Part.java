package dev.hal0.hardware.live;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** One source and the last that it gave. Confined to the sampler's thread, except for the name and the reader. */
final class Part<T> {
    private static final Duration FIRST_PAUSE = Duration.ofSeconds(5);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);

    /** Beyond every deadline: what has not returned by now hangs in the kernel. */
    private static final Duration STUCK = Duration.ofSeconds(10);

    private final String name;
    private final PartReader<T> reader;

    private @Nullable T value;
    private long valueNanos;
    private boolean running;
    private long startedNanos;
    private boolean stuckTold;
    private boolean failed;
    private int failures;
    private long pausedUntilNanos;

    Part(String name, PartReader<T> reader) {
        this.name = name;
        this.reader = reader;
    }

    String name() {
        return name;
    }

    PartReader<T> reader() {
        return reader;
    }

    /** Whether to start a read: not while one runs, and not soon after failures. */
    boolean isDue(long now) {
        return !running && (failures == 0 || now - pausedUntilNanos >= 0);
    }

    void started(long now) {
        running = true;
        startedNanos = now;
        stuckTold = false;
    }

    /** True once for a read that hangs. */
    boolean nowStuck(long now) {
        boolean tell = running && !stuckTold && now - startedNanos >= STUCK.toNanos();
        stuckTold |= tell;
        return tell;
    }

    void ended(Outcome<T> outcome, long now) {
        running = false;
        failed = !(outcome instanceof Outcome.Value<T>);
        failures = outcome instanceof Outcome.Failed<T> ? failures + 1 : 0;
        switch (outcome) {
            case Outcome.Value<T>(T read) -> {
                value = read;
                // When it was asked, because what a slow tool answers may be as old as that.
                valueNanos = startedNanos;
            }
            case Outcome.Gone<T>() -> value = null;
            case Outcome.Failed<T>() -> pausedUntilNanos = now + pause().toNanos();
        }
    }

    /** The last value, unless it is so old that showing it would mislead. */
    @Nullable
    T value(long now, Duration shelfLife) {
        return now - valueNanos <= shelfLife.toNanos() ? value : null;
    }

    /** @param limit a read that takes longer makes the value stale; a tool that is merely slow must not flicker */
    LivePart state(long now, Duration limit) {
        LivePart.State state;
        if (running && now - startedNanos >= limit.toNanos()) {
            state = LivePart.State.OVERDUE;
        } else if (failed) {
            state = LivePart.State.FAILED;
        } else {
            state = value == null ? LivePart.State.PENDING : LivePart.State.FRESH;
        }
        return new LivePart(name, state, value == null ? null : Long.valueOf(valueNanos));
    }

    private Duration pause() {
        // The shift is bounded, or the thirtieth failure would have a negative pause.
        Duration pause = FIRST_PAUSE.multipliedBy(1L << Math.min(failures - 1, 16));
        return pause.compareTo(LONGEST_PAUSE) < 0 ? pause : LONGEST_PAUSE;
    }
}
