package dev.hal0.server;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicReference;

/** The machine's clock as somebody set it: it goes on, and jumps. */
final class MovableClock implements InstantSource {
    private final AtomicReference<Duration> offset = new AtomicReference<>(Duration.ZERO);

    /** @param by forward, or back where negative */
    void jump(Duration by) {
        offset.updateAndGet(before -> before.plus(by));
    }

    @Override
    public Instant instant() {
        return Instant.now().plus(offset.get());
    }
}
