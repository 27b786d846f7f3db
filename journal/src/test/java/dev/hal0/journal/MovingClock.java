package dev.hal0.journal;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** Stands still until it is moved. */
final class MovingClock implements InstantSource {
    private volatile Instant now = Rows.NOW;

    @Override
    public Instant instant() {
        return now;
    }

    /** By one thread, the test's. */
    void advance(Duration duration) {
        Instant later = now.plus(duration);
        now = later;
    }
}
