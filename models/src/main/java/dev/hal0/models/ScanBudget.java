package dev.hal0.models;

import java.time.Duration;
import java.util.function.LongSupplier;

/** The time one scan may take. A single look that hangs in the kernel cannot be cut short by it. */
final class ScanBudget {
    private final LongSupplier nanos;
    private final long start;
    private final Duration most;

    /** @param nanos rises evenly, such as {@link System#nanoTime} */
    ScanBudget(LongSupplier nanos, Duration most) {
        this.nanos = nanos;
        this.start = nanos.getAsLong();
        this.most = most;
    }

    boolean isSpent() {
        return nanos.getAsLong() - start >= most.toNanos();
    }

    Duration most() {
        return most;
    }
}
