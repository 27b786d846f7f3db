package dev.hal0.gateway;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.slots.Route;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The client's side of an exchange: holds the head back while its status is not known, tells of progress, relays bytes
 * untouched, and ends a broken answer in a way that every client understands. Confined to the request's event loop.
 *
 * <pre>
 *   HELD ──▶ EVENTS | DOCUMENT ──▶ ENDED        the engine's head came in time
 *     │        DOCUMENT ──▶ BULK                  too large to be held whole
 *     ├────▶ REFUSAL ───▶ ENDED                 the engine's words go into our envelope
 *     └────▶ TELLING ──▶ EVENTS | REFUSAL       200 went out early, with comments about the wait
 * </pre>
 */
final class Answer {

    /** Held before the first byte goes out, so that an answer that breaks is a 502 and not half a document. */
    private static final int MOST_HELD_BYTES = 8 << 20;

    /** How long a client may take to fetch the rest of an answer where no limit is set. */
    private static final Duration FETCH_LIMIT = Duration.ofMinutes(5);

    private enum Mode {
        HELD,
        TELLING,
        EVENTS,
        DOCUMENT,
        BULK,
        REFUSAL,
        ENDED
    }

    private final Vertx vertx;
    private final GatewayPolicy policy;
    private final RoutingContext routing;
    private final HttpServerResponse response;
    private final String requestId;
    private final AtomicLong bytes = new AtomicLong();
    private final ProgressNotes progress;
    private final StreamMeter meter;
    private final Optional<Captures.Tap> tap;
    private EngineFigures documentFigures = EngineFigures.UNKNOWN;
    private Mode mode = Mode.HELD;
    private final Dialect dialect;
    private boolean fetched;
    private @Nullable EventTail tail;
    private Buffer held = Buffer.buffer();
    private int engineStatus;
    private Runnable whenFetched = () -> {};

    Answer(
            Vertx vertx,
            GatewayPolicy policy,
            RoutingContext routing,
            Dialect dialect,
            StreamMeter meter,
            Optional<Captures.Tap> tap) {
        this.tap = tap;
        this.dialect = dialect;
        this.vertx = vertx;
        this.policy = policy;
        this.routing = routing;
        this.meter = meter;
        this.response = routing.response();
        this.requestId = RequestIds.of(routing);
        this.progress = new ProgressNotes(vertx, policy, this::openEarly, this::tellProgress);
    }

    /**
     * Vert.x keeps one close handler per response: nobody else may set one on inference routes.
     *
     * @param gone the client left before its answer was complete
     * @param caughtUp after {@link #relay} said no
     * @param done the client has everything, or is gone
     */
    void watch(Runnable gone, Runnable caughtUp, Runnable done) {
        whenFetched = done;
        response.exceptionHandler(ignored -> {});
        response.closeHandler(ignored -> {
            progress.stop();
            if (mode != Mode.ENDED) {
                mode = Mode.ENDED;
                gone.run();
            }
            fetched();
        });
        response.drainHandler(ignored -> caughtUp.run());
        if (response.closed()) {
            // It left while its body was parsed: no handler hears of that any more.
            mode = Mode.ENDED;
            gone.run();
            fetched();
        }
    }

    String requestId() {
        return requestId;
    }

    /** As sent; 0 while nothing was. */
    int status() {
        return response.headWritten() ? response.getStatusCode() : 0;
    }

    /** Of the engine's answer; may be read from any thread. */
    long bytes() {
        return bytes.getAcquire();
    }

    // Until the engine answers

    void name(Route resolved) {
        if (!response.headWritten()) {
            response.putHeader("X-Hal0-Slot", resolved.slot().value());
            resolved.modelId().ifPresent(model -> response.putHeader("X-Hal0-Model", HeaderText.of(model)));
        }
    }

    void resolvedBy(Resolution.By by) {
        if (!response.headWritten()) {
            response.putHeader("X-Hal0-Resolved-By", by.label());
        }
    }

    void tookToLoad(Duration loading) {
        if (!response.headWritten()) {
            response.putHeader("X-Hal0-Load-Ms", Long.toString(loading.toMillis()));
        }
    }

    /** The client waits for something that may take long: after a while it is told so. Only for a streamed answer. */
    void beginTelling(String why) {
        progress.waitingFor(why);
        if (mode == Mode.HELD) {
            progress.openLater();
        }
    }

    /** The engine has the request: if nothing was sent by now, its own status is worth waiting for. */
    void handedOver() {
        progress.doNotOpen();
        progress.waitingFor("the engine works on the prompt");
    }

    private void openEarly() {
        if (mode == Mode.HELD && !response.closed()) {
            mode = Mode.TELLING;
            tail = new EventTail();
            response.putHeader("Content-Type", "text/event-stream; charset=utf-8");
            streamHeaders();
            beginBody();
            tellProgress();
            progress.goOn();
        }
    }

    private void tellProgress() {
        // A client that does not even fetch comments needs no more of them.
        if (mode == Mode.TELLING && !response.closed() && !response.writeQueueFull()) {
            var unused = response.write(progress.comment());
        }
    }

    /** A body of unknown length. HTTP/1.0 knows no chunks: there the connection's end is the body's. */
    private void beginBody() {
        if (routing.request().version() == HttpVersion.HTTP_1_0) {
            response.putHeader("Connection", "close");
            response.endHandler(ignored -> routing.request().connection().close());
        } else {
            response.setChunked(true);
        }
    }

    private void streamHeaders() {
        response.putHeader("Cache-Control", "no-cache").putHeader("X-Accel-Buffering", "no");
    }

    // The engine answers

    /** @return false if this cannot be the answer any more: a document where events were promised */
    boolean begin(ReplyHead reply) {
        progress.stop();
        boolean opened = mode == Mode.TELLING;
        engineStatus = reply.status();
        if (!reply.isSuccess()) {
            mode = Mode.REFUSAL;
            String retryAfter = reply.retryAfter();
            if (!opened && retryAfter != null) {
                response.putHeader("Retry-After", retryAfter);
            }
            return true;
        }
        String type = reply.contentType();
        String encoding = reply.contentEncoding();
        boolean events = type != null && type.startsWith("text/event-stream");
        if (opened) {
            mode = Mode.EVENTS;
            return events && encoding == null;
        }
        response.setStatusCode(engineStatus);
        if (type != null) {
            response.putHeader("Content-Type", type);
        }
        if (encoding != null) {
            response.putHeader("Content-Encoding", encoding);
        }
        if (events) {
            mode = Mode.EVENTS;
            tail = encoding == null ? new EventTail() : null;
            streamHeaders();
            beginBody();
            // With the first events if they are here already, and else by itself in a moment.
            vertx.runOnContext(ignored -> writeHead());
        } else {
            mode = Mode.DOCUMENT;
        }
        return true;
    }

    private void writeHead() {
        if (isOpening(mode) && !response.closed()) {
            var unused = response.writeHead();
        }
    }

    /** The status of a stream is decided, and its head only waits for company. */
    private boolean isOpening(Mode at) {
        return at == Mode.EVENTS && response.isChunked() && !response.headWritten();
    }

    /** @return false when the client reads more slowly than the engine writes: stop until it has caught up */
    boolean relay(Buffer chunk) {
        switch (mode) {
            case EVENTS -> {
                if (tail == null) {
                    write(chunk);
                } else {
                    writeEvents(tail.accept(chunk));
                }
            }
            case DOCUMENT -> {
                held.appendBuffer(chunk);
                if (held.length() > MOST_HELD_BYTES) {
                    documentFigures = FigureReader.read(held, 0, held.length());
                    mode = Mode.BULK;
                    beginBody();
                    write(held);
                    held = Buffer.buffer();
                }
            }
            case BULK -> write(chunk);
            case REFUSAL -> held.appendBuffer(chunk, 0, Math.min(chunk.length(), room()));
            case HELD, TELLING, ENDED -> {}
        }
        return mode == Mode.DOCUMENT || mode == Mode.REFUSAL || !response.writeQueueFull();
    }

    private int room() {
        return Math.max(0, EngineRefusal.MOST_BYTES - held.length());
    }

    /** The rest of a refusal is not worth reading. */
    boolean isRefusalFull() {
        return mode == Mode.REFUSAL && room() == 0;
    }

    boolean isRefusal() {
        return mode == Mode.REFUSAL;
    }

    int engineStatus() {
        return engineStatus;
    }

    /** What has come of the engine's words. */
    String refusal() {
        return held.toString();
    }

    /** A stalled answer is the client's doing. */
    boolean isBackedUp() {
        return mode != Mode.ENDED && response.writeQueueFull();
    }

    private void writeEvents(@Nullable Buffer whole) {
        Buffer events = whole == null ? null : meter.accept(whole);
        if (events != null) {
            write(events);
        }
    }

    /** Of the engine, as far as it has told them. */
    EngineFigures figures() {
        return documentFigures.then(meter.figures());
    }

    private void write(Buffer chunk) {
        bytes.setRelease(bytes.getPlain() + chunk.length());
        tap.ifPresent(seen -> seen.sent(chunk));
        var unused = response.write(chunk);
    }

    // Endings

    /** The engine's answer is whole. */
    void complete() {
        Mode before = mode;
        mode = Mode.ENDED;
        switch (before) {
            case EVENTS -> {
                writeEvents(tail == null ? null : tail.rest());
                end(response.end());
            }
            case BULK -> end(response.end());
            case DOCUMENT -> {
                bytes.setRelease(held.length());
                documentFigures = FigureReader.read(held, 0, held.length());
                end(last(held));
            }
            case REFUSAL -> end(endWithRefusal());
            case HELD, TELLING, ENDED -> {}
        }
    }

    private Future<Void> endWithRefusal() {
        String error = dialect.error(EngineRefusal.envelope(engineStatus, held, requestId), engineStatus);
        if (response.headWritten()) {
            return endWithError(error);
        }
        Responses.prepare(routing, engineStatus);
        return last(Buffer.buffer(error));
    }

    /** Ends the answer with a failure: with its status if nothing was sent, else inside the stream. */
    void fail(Hal0Exception why) {
        progress.stop();
        Mode before = mode;
        mode = Mode.ENDED;
        if (before == Mode.ENDED || response.closed()) {
            return;
        }
        if (!response.headWritten() && !isOpening(before)) {
            why.retryAfterSeconds().ifPresent(seconds -> response.putHeader("Retry-After", Long.toString(seconds)));
            response.headers().remove("Content-Encoding").remove("X-Accel-Buffering");
            response.setChunked(false);
            Responses.prepare(routing, why.code().status());
            end(last(Buffer.buffer(dialect.error(why, requestId))));
        } else if (tail != null) {
            end(endWithError(dialect.error(why, requestId)));
        } else {
            // Half a document cannot be mended; a cut connection is the only honest end.
            end(response.reset());
        }
    }

    private Future<Void> endWithError(String error) {
        boolean clean = tail == null || tail.isBetweenEvents();
        return last(Buffer.buffer((clean ? "" : "\n\n") + dialect.lastEvents(error)));
    }

    private Future<Void> last(Buffer words) {
        tap.ifPresent(seen -> seen.sent(words));
        return response.end(words);
    }

    private void end(Future<Void> written) {
        if (written.isComplete()) {
            fetched();
            return;
        }
        Duration limit = policy.streamIdle().isZero() ? FETCH_LIMIT : policy.streamIdle();
        long timer = vertx.setTimer(Math.max(1, limit.toMillis()), ignored -> {
            var unused = response.reset();
            fetched();
        });
        written.onComplete(ignored -> {
            vertx.cancelTimer(timer);
            fetched();
        });
    }

    private void fetched() {
        if (!fetched) {
            fetched = true;
            whenFetched.run();
        }
    }
}
