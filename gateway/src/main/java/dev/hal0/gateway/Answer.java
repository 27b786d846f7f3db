package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import dev.hal0.slots.Route;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import org.jspecify.annotations.Nullable;

/**
 * The client's side of an exchange: holds the head back while its status is not known, tells of progress, relays bytes
 * untouched, and ends a broken answer in a way that every client understands. Confined to the request's event loop.
 */
final class Answer {
    private static final Buffer DONE = Buffer.buffer("data: [DONE]\n\n");

    /** Collected before the first byte goes out, so that an answer that breaks is a 502 and not half a document. */
    private static final int COLLECTED_BYTES = 8 << 20;

    private static final int MOST_ERROR_BYTES = 64 << 10;

    private enum Mode {
        /** Nothing was sent. */
        HELD,
        /** An event stream was opened by us, to tell of progress. */
        WAITING,
        /** The engine's event stream, or a document too large to collect, goes through. */
        RELAYING,
        /** A document that goes out when it is complete. */
        COLLECTING,
        /** The engine refused: its words go into our envelope. */
        REFUSED,
        ENDED
    }

    private final Vertx vertx;
    private final GatewayPolicy policy;
    private final RoutingContext routing;
    private final HttpServerResponse response;
    private final boolean streamed;
    private final long arrived = System.nanoTime();
    private Mode mode = Mode.HELD;
    private boolean eventStream;
    private Buffer collected = Buffer.buffer();
    private int engineStatus;
    private long bytes;
    private long holdTimer = -1;
    private long progressTimer = -1;
    private String lastProgress = "waiting";
    private boolean atLineStart = true;

    Answer(Vertx vertx, GatewayPolicy policy, RoutingContext routing, boolean streamed) {
        this.vertx = vertx;
        this.policy = policy;
        this.routing = routing;
        this.response = routing.response();
        this.streamed = streamed;
    }

    String requestId() {
        return RequestIds.of(routing);
    }

    void name(Route resolved) {
        response.putHeader("X-Hal0-Slot", resolved.slot().value());
        resolved.modelId().ifPresent(model -> response.putHeader("X-Hal0-Model", headerText(model)));
    }

    /** A model id may hold any character; a header may not. */
    private static String headerText(String text) {
        return text.chars().allMatch(c -> c >= 0x20 && c < 0x7f)
                ? text
                : Json.STRICT.writeValueAsString(text).replaceAll("[^\\x20-\\x7e]", "?");
    }

    /** Vert.x keeps one close handler per response: nobody else may set one on inference routes. */
    void onClientGone(Runnable listener) {
        response.closeHandler(ignored -> {
            if (mode != Mode.ENDED) {
                mode = Mode.ENDED;
                listener.run();
            }
        });
        response.exceptionHandler(ignored -> {});
    }

    void onDrained(Runnable listener) {
        response.drainHandler(ignored -> listener.run());
    }

    /** Status as sent; 0 while nothing was. */
    int status() {
        return response.headWritten() ? response.getStatusCode() : 0;
    }

    long bytes() {
        return bytes;
    }

    // Before the engine answers

    void beginWaiting(String why) {
        lastProgress = why;
        if (streamed && mode == Mode.HELD && holdTimer < 0) {
            holdTimer = vertx.setTimer(policy.holdHeaders().toMillis(), ignored -> openEarly());
        }
    }

    void progress(String message) {
        lastProgress = message;
    }

    private void openEarly() {
        if (mode != Mode.HELD) {
            return;
        }
        mode = Mode.WAITING;
        eventStream = true;
        response.setChunked(true)
                .putHeader("Content-Type", "text/event-stream; charset=utf-8")
                .putHeader("Cache-Control", "no-cache")
                .putHeader("X-Accel-Buffering", "no");
        tellProgress();
        progressTimer = vertx.setPeriodic(policy.progressEvery().toMillis(), ignored -> tellProgress());
    }

    private void tellProgress() {
        if (mode == Mode.WAITING) {
            var unused = response.write(": " + lastProgress.replaceAll("\\s+", " ") + "\n\n");
        }
    }

    void stopWaiting() {
        vertx.cancelTimer(holdTimer);
        vertx.cancelTimer(progressTimer);
    }

    // The engine answers

    void begin(HttpClientResponse reply) {
        stopWaiting();
        engineStatus = reply.statusCode();
        if (engineStatus < 200 || engineStatus > 299) {
            mode = mode == Mode.WAITING ? Mode.WAITING : Mode.REFUSED;
            return;
        }
        String type = reply.getHeader("Content-Type");
        boolean engineStreams = type != null && type.startsWith("text/event-stream");
        if (mode == Mode.WAITING) {
            mode = Mode.RELAYING;
            return;
        }
        response.setStatusCode(engineStatus);
        if (type != null) {
            response.putHeader("Content-Type", type);
        }
        response.putHeader("X-Hal0-Load-Ms", Long.toString((System.nanoTime() - arrived) / 1_000_000));
        if (engineStreams) {
            eventStream = true;
            response.putHeader("Cache-Control", "no-cache").putHeader("X-Accel-Buffering", "no");
            response.setChunked(true);
            mode = Mode.RELAYING;
            var unused = response.writeHead();
        } else {
            mode = Mode.COLLECTING;
        }
    }

    /** @return false when the client reads more slowly than the engine writes: stop reading until it has caught up */
    boolean relay(Buffer chunk) {
        bytes += chunk.length();
        switch (mode) {
            case RELAYING -> {
                atLineStart = chunk.length() > 0 && chunk.getByte(chunk.length() - 1) == '\n';
                var unused = response.write(chunk);
                return !response.writeQueueFull();
            }
            case COLLECTING -> {
                collected.appendBuffer(chunk);
                if (collected.length() > COLLECTED_BYTES) {
                    response.setChunked(true);
                    mode = Mode.RELAYING;
                    var unused = response.write(collected);
                    collected = Buffer.buffer();
                    return !response.writeQueueFull();
                }
            }
            case REFUSED, WAITING -> {
                if (collected.length() < MOST_ERROR_BYTES) {
                    collected.appendBuffer(chunk);
                }
            }
            case HELD, ENDED -> {}
        }
        return true;
    }

    /** The engine's answer is whole. */
    void complete() {
        switch (mode) {
            case RELAYING -> {
                mode = Mode.ENDED;
                var unused = response.end();
            }
            case COLLECTING -> {
                mode = Mode.ENDED;
                var unused = response.end(collected);
            }
            case REFUSED, WAITING -> fail(refusal());
            case HELD, ENDED -> {}
        }
    }

    private Hal0Exception refusal() {
        Object original = upstreamBody();
        return new Hal0Exception(
                        ErrorCode.DISPATCH_UPSTREAM_FAILED,
                        "The engine answered " + engineStatus + ": " + messageOf(original))
                .withDetail("upstream", original)
                .withDetail("upstream_status", engineStatus);
    }

    private Object upstreamBody() {
        try {
            return Json.LENIENT.readValue(collected.getBytes(), Object.class);
        } catch (tools.jackson.core.JacksonException notJson) {
            return collected.toString();
        }
    }

    private static String messageOf(@Nullable Object original) {
        if (original instanceof java.util.Map<?, ?> map
                && map.get("error") instanceof java.util.Map<?, ?> error
                && error.get("message") instanceof String message) {
            return message;
        }
        String text = String.valueOf(original);
        return text.length() <= 300 ? text : text.substring(0, 300) + "…";
    }

    /** Ends the answer with a failure: with its status if nothing was sent, else inside the stream. */
    void fail(Hal0Exception why) {
        stopWaiting();
        if (mode == Mode.ENDED || response.ended() || response.closed()) {
            mode = Mode.ENDED;
            return;
        }
        boolean headSent = response.headWritten() || mode == Mode.WAITING;
        mode = Mode.ENDED;
        if (!headSent) {
            response.setChunked(false);
            respond(why);
        } else if (eventStream) {
            // Whatever line the engine broke off in must not swallow ours.
            String start = atLineStart ? "" : "\n\n";
            var written = response.write(start + "data: " + Responses.envelope(why, requestId()) + "\n\n");
            var unused = response.end(DONE);
        } else {
            // Half a document cannot be mended; a cut connection is the only honest end.
            response.reset();
        }
    }

    /** An engine's refusal keeps its status: a 400 of the engine is the client's 400. */
    private void respond(Hal0Exception why) {
        if (why.code() == ErrorCode.DISPATCH_UPSTREAM_FAILED) {
            Responses.json(routing, engineStatus, Responses.envelope(why, requestId()));
        } else {
            Responses.fail(routing, why);
        }
    }
}
