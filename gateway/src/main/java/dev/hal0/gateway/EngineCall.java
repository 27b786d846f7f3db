package dev.hal0.gateway;

import dev.hal0.slots.CancelRule;
import dev.hal0.slots.Lease;
import dev.hal0.slots.Route;
import io.vertx.core.AsyncResult;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.RequestOptions;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One exchange with one engine: it owns the lease and the connection, and leaves the lease exactly once, when the engine has
 * finished or its connection is closed, however that came about.
 *
 * <pre>
 *   CONNECTING ──▶ SENT ──▶ REPLYING ──▶ OVER
 *       └───────────┴───────────┴──────────▲   refused · broke · hung up
 * </pre>
 *
 * <p>When nobody wants the answer any more ({@link #abandon}) the family's {@link CancelRule} decides: the connection is
 * closed at once, which is what makes an engine stop; or the call goes <em>deaf</em>: it reads to the end, throws everything
 * away and holds the lease until then, but no longer than the total limit. A deaf call tells its listener nothing but
 * {@link Listener#over}.
 *
 * <p>Confined to the event loop of the request.
 */
final class EngineCall {
    /** The client's headers that an engine may see; everything else is nobody's business but ours. */
    private static final List<String> PASSED_ON = List.of("traceparent", "tracestate");

    /** Far more than a round trip on loopback, far less than an engine needs to fail at a prompt. */
    private static final long STALE_SHOWS_WITHIN_NANOS = 100_000_000;

    /** Called in this order: sent, replied, received…, then one of completed or broke; refused instead of all; over last. */
    interface Listener {
        /** The engine has a connection and is being given the request. */
        void sent();

        /** The engine cannot have carried out anything: no connection, or the request never left whole. */
        void refused(Throwable cause);

        void replied(HttpClientResponse head);

        /** @return false to hear no more until {@link EngineCall#resume} */
        boolean received(Buffer chunk);

        void completed();

        void broke(Throwable cause);

        /** The lease was left. */
        void over();
    }

    private enum State {
        CONNECTING,
        SENT,
        REPLYING,
        OVER
    }

    private final Vertx vertx;
    private final HttpClient client;
    private final EngineConnections connections;
    private final Lease lease;
    private final CancelRule rule;
    private final Duration limit;
    private final Listener listener;
    private State state = State.CONNECTING;
    private boolean deaf;
    private boolean written;
    private boolean reused;
    private long sentAt;
    private @Nullable HttpClientRequest request;
    private @Nullable HttpClientResponse response;
    private long deafTimer = -1;

    /** @param limit how long a deaf call may hold the lease; zero for as long as it takes */
    EngineCall(
            Vertx vertx,
            HttpClient client,
            EngineConnections connections,
            Route.Target target,
            Lease lease,
            Duration limit,
            Listener listener) {
        this.vertx = vertx;
        this.client = client;
        this.connections = connections;
        this.lease = lease;
        this.rule = target.engine().cancelRule();
        this.limit = limit;
        this.listener = listener;
    }

    /** What an engine is told of the client's request: the least that works. */
    static RequestOptions options(Admission.Admitted admitted, String requestId, HttpServerRequest client) {
        var endpoint = admitted.target().endpoint();
        var options = new RequestOptions()
                .setMethod(HttpMethod.POST)
                .setHost(endpoint.host())
                .setPort(endpoint.port())
                .setURI(admitted.path())
                .putHeader("Authorization", "Bearer " + endpoint.key())
                .putHeader("Content-Type", "application/json")
                .putHeader("Accept-Encoding", "identity")
                .putHeader("X-Request-ID", requestId);
        for (String name : PASSED_ON) {
            String value = client.getHeader(name);
            if (value != null) {
                options.putHeader(name, value);
            }
        }
        return options;
    }

    void start(RequestOptions options, Buffer body) {
        if (state == State.CONNECTING) {
            client.request(options).onComplete(connected -> connected(connected, body));
        }
    }

    /** Nobody wants the answer any more. */
    void abandon() {
        if (state == State.OVER || deaf) {
            return;
        }
        if (rule == CancelRule.ON_DISCONNECT || state == State.CONNECTING) {
            hangUp();
            return;
        }
        deaf = true;
        if (!limit.isZero()) {
            deafTimer = vertx.setTimer(Math.max(1, limit.toMillis()), ignored -> hangUp());
        }
        resume();
    }

    /** Closes the engine's connection, whatever the family says: the workload is going away, or its time is over. */
    void hangUp() {
        if (state == State.OVER) {
            return;
        }
        HttpClientRequest open = request;
        over();
        if (open != null) {
            var unused = open.reset();
        }
    }

    void resume() {
        HttpClientResponse reading = response;
        if (reading != null && state == State.REPLYING) {
            reading.resume();
        }
    }

    private void connected(AsyncResult<HttpClientRequest> connected, Buffer body) {
        if (state == State.OVER) {
            // Given up while connecting: the connection was not used and may serve somebody else.
            if (connected.succeeded()) {
                HttpClientRequest unneeded = connected.result();
                unneeded.exceptionHandler(ignored -> {});
                var unused = unneeded.reset();
            }
            return;
        }
        if (connected.failed()) {
            over();
            listener.refused(connected.cause());
            return;
        }
        HttpClientRequest open = connected.result();
        request = open;
        state = State.SENT;
        reused = connections.reuse(open.connection());
        sentAt = System.nanoTime();
        open.exceptionHandler(this::broken);
        open.response().onComplete(replied -> {
            if (replied.failed()) {
                broken(replied.cause());
            } else {
                replied(replied.result());
            }
        });
        listener.sent();
        if (state == State.SENT) {
            open.end(body).onComplete(sent -> {
                if (sent.succeeded()) {
                    written = true;
                } else {
                    broken(sent.cause());
                }
            });
        }
    }

    private void replied(HttpClientResponse reply) {
        if (state != State.SENT) {
            return;
        }
        state = State.REPLYING;
        response = reply;
        reply.exceptionHandler(this::broken);
        reply.endHandler(ignored -> finished());
        reply.handler(chunk -> {
            if (state == State.REPLYING && !deaf && !listener.received(chunk) && state == State.REPLYING && !deaf) {
                reply.pause();
            }
        });
        if (!deaf) {
            listener.replied(reply);
        }
    }

    private void finished() {
        if (state == State.REPLYING) {
            boolean heard = !deaf;
            over();
            if (heard) {
                listener.completed();
            }
        }
    }

    private void broken(Throwable cause) {
        if (state == State.OVER) {
            return;
        }
        // An engine that was given only a part of the request cannot have begun it.
        boolean untouched = state == State.SENT && (!written || wasStale());
        boolean heard = !deaf;
        HttpClientRequest open = request;
        over();
        if (open != null) {
            // Of an answer that cannot be understood the connection is still open.
            var unused = open.reset();
        }
        if (!heard) {
            return;
        }
        if (untouched) {
            listener.refused(cause);
        } else {
            listener.broke(cause);
        }
    }

    /** The engine had closed this kept connection before our request reached it: that shows at once or not at all. */
    private boolean wasStale() {
        return reused && System.nanoTime() - sentAt < STALE_SHOWS_WITHIN_NANOS;
    }

    private void over() {
        state = State.OVER;
        request = null;
        vertx.cancelTimer(deafTimer);
        lease.leave();
        listener.over();
    }
}
