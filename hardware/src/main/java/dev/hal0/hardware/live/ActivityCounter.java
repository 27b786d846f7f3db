package dev.hal0.hardware.live;

import org.jspecify.annotations.Nullable;

/** The busy share between two readings of counters that only grow. Used by one thread at a time. */
final class ActivityCounter {
    private record Reading(long busy, long idle) {}

    private @Nullable Reading previous;

    /** The next reading could not be had: a share over the gap would be taken for the present. */
    void forget() {
        previous = null;
    }

    /** @return 0 to 100; null for the first reading, after a reset and when no time has passed */
    @Nullable
    Double percent(long busy, long idle) {
        Reading before = previous;
        previous = new Reading(busy, idle);
        if (before == null) {
            return null;
        }
        long busyFor = busy - before.busy();
        long idleFor = idle - before.idle();
        if (busyFor < 0 || idleFor < 0 || busyFor + idleFor == 0) {
            return null;
        }
        return 100.0 * busyFor / (busyFor + idleFor);
    }
}
