package dev.hal0.gateway;

import java.time.Duration;
import java.util.Optional;

/** Where a request's time went, by the monotonic clock. Confined to the request's event loop. */
final class Timings {
    private final long arrived;
    private long loading;
    private long loadingSince;
    private long queued;
    private long queuedSince;
    private long handedOver;
    private long firstByte;
    private long firstContent;
    private long lastByte;

    Timings(long arrived) {
        this.arrived = arrived;
    }

    void loadingBegins() {
        loadingSince = System.nanoTime();
    }

    void loadingEnds() {
        loading += since(loadingSince);
        loadingSince = 0;
    }

    void queueingBegins() {
        queuedSince = System.nanoTime();
    }

    void queueingEnds() {
        queued += since(queuedSince);
        queuedSince = 0;
    }

    void handedOver() {
        handedOver = System.nanoTime();
        lastByte = handedOver;
    }

    void byteCame() {
        lastByte = System.nanoTime();
        if (firstByte == 0) {
            firstByte = lastByte;
        }
    }

    void contentCame() {
        firstContent = System.nanoTime();
    }

    /** The client took some of what it had left lying. */
    void byteMoved() {
        lastByte = System.nanoTime();
    }

    boolean hasByte() {
        return firstByte != 0;
    }

    long sinceHandOver() {
        return since(handedOver);
    }

    long sinceLastByte() {
        return since(lastByte);
    }

    Duration loading() {
        return Duration.ofNanos(loading + since(loadingSince));
    }

    Duration queued() {
        return Duration.ofNanos(queued + since(queuedSince));
    }

    Optional<Duration> firstByte() {
        return firstByte == 0 ? Optional.empty() : Optional.of(Duration.ofNanos(firstByte - arrived));
    }

    Optional<Duration> firstContent() {
        return firstContent == 0 ? Optional.empty() : Optional.of(Duration.ofNanos(firstContent - arrived));
    }

    Duration elapsed() {
        return Duration.ofNanos(since(arrived));
    }

    /** A limit of zero is never reached. */
    static long remaining(Duration limit, long elapsedNanos) {
        return limit.isZero() ? Long.MAX_VALUE : limit.toNanos() - elapsedNanos;
    }

    private static long since(long start) {
        return start == 0 ? 0 : System.nanoTime() - start;
    }
}
