package dev.hal0.gateway;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The bodies of requests and answers, for a time that somebody asked for: what did that client really send? Off unless asked
 * for, in memory only, without what looks like a secret, and forgotten by itself. Thread-safe.
 */
public final class Captures {
    public static final Duration LONGEST = Duration.ofHours(1);
    /** How long what was captured can be read after the last request was. */
    static final Duration SHELF_LIFE = Duration.ofHours(1);

    static final int MOST_BODY_BYTES = 64 << 10;
    static final int MOST_KEPT = 100;

    /**
     * @param until requests that begin later are not captured; null while it is off
     * @param kept how many can be read, at most {@code most}
     * @param mostBodyBytes of a body that are kept
     */
    public record Status(@Nullable Instant until, int kept, int most, int mostBodyBytes) {}

    /**
     * @param text redacted; its beginning, if {@code bytes} is more than is kept. Empty for what is no text
     * @param bytes of the whole
     */
    public record Part(String text, long bytes) {}

    /** @param status as sent to the client; 499 when it left before there was one */
    public record Captured(String id, Instant at, String route, int status, Part request, Part response) {}

    /** What one exchange leaves behind. Of one event loop. */
    static final class Tap {
        private final Buffer request;
        private final long requestBytes;
        private final Buffer response = Buffer.buffer();
        private long responseBytes;

        private Tap(Buffer request, long requestBytes) {
            this.request = request;
            this.requestBytes = requestBytes;
        }

        void sent(Buffer part) {
            responseBytes += part.length();
            int room = MOST_BODY_BYTES - response.length();
            if (room > 0) {
                response.appendBuffer(part, 0, Math.min(room, part.length()));
            }
        }
    }

    private final Vertx vertx;
    private final InstantSource clock;
    private final Deque<Captured> kept = new ArrayDeque<>();
    private long forgetTimer = -1;
    private volatile long untilNanos;
    private volatile @Nullable Instant until;

    Captures(Vertx vertx, InstantSource clock) {
        this.vertx = vertx;
        this.clock = clock;
    }

    /** Captures requests that begin from now on; a later call replaces the time of an earlier one. */
    public synchronized Status begin(Duration period) {
        untilNanos = System.nanoTime() + period.toNanos();
        until = clock.instant().plus(period);
        vertx.cancelTimer(forgetTimer);
        forgetTimer = vertx.setTimer(period.plus(SHELF_LIFE).toMillis(), ignored -> end());
        return status();
    }

    /** Stops, and forgets everything. */
    public synchronized Status end() {
        until = null;
        vertx.cancelTimer(forgetTimer);
        kept.clear();
        return status();
    }

    public synchronized Status status() {
        return new Status(isOn() ? until : null, kept.size(), MOST_KEPT, MOST_BODY_BYTES);
    }

    /** The newest of this id: a client may give several requests one. */
    public synchronized Optional<Captured> find(String id) {
        return kept.stream().filter(captured -> captured.id().equals(id)).findFirst();
    }

    private boolean isOn() {
        return until != null && System.nanoTime() - untilNanos < 0;
    }

    /** Empty while it is off. */
    Optional<Tap> tap(RequestBody body) {
        if (!isOn()) {
            return Optional.empty();
        }
        // A form is a recording, and what lies in a file is too long to be read by anybody.
        Buffer beginning = body instanceof RequestBody.Json json && json.stored() instanceof StoredBody.InMemory memory
                ? memory.bytes()
                        .getBuffer(0, Math.min(MOST_BODY_BYTES, memory.bytes().length()))
                : Buffer.buffer();
        return Optional.of(new Tap(beginning, body.length()));
    }

    /** Called on an event loop; the work is done elsewhere. */
    void keep(Tap tap, Accounting.Ended ended) {
        Instant at = clock.instant().minus(ended.total());
        Thread.startVirtualThread(() -> keep(new Captured(
                ended.requestId(),
                at,
                ended.route(),
                ended.status(),
                new Part(text(tap.request), tap.requestBytes),
                new Part(text(tap.response), tap.responseBytes))));
    }

    private synchronized void keep(Captured captured) {
        if (until == null) {
            return;
        }
        kept.addFirst(captured);
        while (kept.size() > MOST_KEPT) {
            kept.removeLast();
        }
    }

    private static String text(Buffer bytes) {
        for (int at = 0; at < bytes.length(); at++) {
            if (bytes.getByte(at) == 0) {
                return "";
            }
        }
        return Redaction.of(new String(bytes.getBytes(), StandardCharsets.UTF_8));
    }
}
