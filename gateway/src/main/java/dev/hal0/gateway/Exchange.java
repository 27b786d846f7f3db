package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.slots.CancelRule;
import dev.hal0.slots.Lease;
import dev.hal0.slots.Route;
import dev.hal0.slots.SlotControl;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One request from its resolved slot to its end. It owns the lease, the engine's connection and the client's answer, and it
 * ends them exactly once, whichever of the many ways comes first:
 *
 * <pre>
 *   wait for the slot ─▶ wait for a turn ─▶ connect ─▶ relay ─▶ ended
 *        └──────────────────┴────────────────┴──────────┴──▶ failed / client gone / revoked / out of time
 * </pre>
 *
 * Two things end separately: the <em>answer</em> (when the client has it, or is gone) and the <em>engine exchange</em> (when
 * the engine has finished or its connection is closed). The lease is left with the second. All state is confined to the
 * request's event loop; whatever comes from elsewhere is handed over first.
 */
final class Exchange {
    private static final int CLIENT_CLOSED_REQUEST = 499;
    private static final int MOST_CONNECT_ATTEMPTS = 2;

    private final Vertx vertx;
    private final Context context;
    private final HttpClient client;
    private final SlotControl slots;
    private final GatewayPolicy policy;
    private final GatewayRoute route;
    private final Route resolved;
    private final Buffer body;
    private final boolean streamed;
    private final Answer answer;
    private final long arrived = System.nanoTime();

    private Consumer<Accounting.Ended> whenEnded = ended -> {};
    private boolean ended;
    private @Nullable CompletableFuture<Lease> turn;
    private @Nullable Lease lease;
    private @Nullable HttpClientRequest engineRequest;
    private CancelRule cancelRule = CancelRule.ON_DISCONNECT;
    private int attempts;
    private long handedOver;
    private long firstByte;
    private long lastByte;
    private long timer = -1;

    Exchange(
            Vertx vertx,
            HttpClient client,
            SlotControl slots,
            GatewayPolicy policy,
            RoutingContext routing,
            GatewayRoute route,
            Route resolved,
            Buffer body,
            boolean streamed) {
        this.vertx = vertx;
        this.context = vertx.getOrCreateContext();
        this.client = client;
        this.slots = slots;
        this.policy = policy;
        this.route = route;
        this.resolved = resolved;
        this.body = body;
        this.streamed = streamed;
        this.answer = new Answer(vertx, policy, routing, streamed);
    }

    void start(Consumer<Accounting.Ended> listener) {
        whenEnded = listener;
        answer.name(resolved);
        answer.onClientGone(this::clientGone);
        answer.onDrained(this::resumeEngine);
        seekSlot();
    }

    /** Ends it from outside, as the drain does. */
    void end(Hal0Exception why) {
        context.runOnContext(ignored -> fail(why));
    }

    // Waiting

    private void seekSlot() {
        if (ended) {
            return;
        }
        Optional<Route> now = slots.routes().slot(resolved.slot());
        if (now.isEmpty()) {
            fail(new Hal0Exception(ErrorCode.SLOT_NOT_FOUND, "Slot " + resolved.slot() + " was deleted meanwhile."));
        } else if (now.get().target().isPresent()) {
            enter(now.get(), now.get().target().get());
        } else {
            awaitReady();
        }
    }

    private void awaitReady() {
        if (elapsed().compareTo(policy.loadBudget()) > 0) {
            fail(new Hal0Exception(
                            ErrorCode.SLOT_LOADING,
                            "Slot " + resolved.slot() + " was not ready within "
                                    + policy.loadBudget().toSeconds() + " s.")
                    .withRetryAfter(Duration.ofSeconds(15)));
            return;
        }
        answer.beginWaiting("slot " + resolved.slot() + " is being loaded");
        if (timer < 0) {
            timer = vertx.setTimer(
                    policy.loadBudget().toMillis(),
                    ignored -> fail(new Hal0Exception(
                                    ErrorCode.SLOT_LOADING,
                                    "Slot " + resolved.slot() + " is still loading after "
                                            + policy.loadBudget().toSeconds() + " s; it goes on loading.")
                            .withRetryAfter(Duration.ofSeconds(15))));
        }
        var unused = slots.ensureReady(
                        resolved.slot(), message -> context.runOnContext(ignored -> answer.progress(message)))
                .whenComplete((ready, failure) -> context.runOnContext(ignored -> {
                    if (ended) {
                        return;
                    }
                    if (failure == null) {
                        seekSlot();
                    } else {
                        fail(Gateway.failureOf(failure));
                    }
                }));
    }

    private void enter(Route now, Route.Target target) {
        CompletableFuture<Lease> waiting = now.admission().enter();
        turn = waiting;
        if (!waiting.isDone()) {
            answer.beginWaiting("waiting for a turn on slot " + resolved.slot());
        }
        var unused = waiting.whenComplete((granted, failure) -> {
            if (Vertx.currentContext() == context) {
                entered(target, granted, failure);
            } else {
                context.runOnContext(ignored -> entered(target, granted, failure));
            }
        });
    }

    private void entered(Route.Target target, @Nullable Lease granted, @Nullable Throwable failure) {
        turn = null;
        if (granted == null) {
            if (!ended) {
                Hal0Exception why = failure == null
                        ? new Hal0Exception(ErrorCode.SYSTEM_INTERNAL, "A turn ended without a lease.")
                        : Gateway.failureOf(failure);
                if (why.code() == ErrorCode.SLOT_LOADING) {
                    awaitReady();
                } else {
                    fail(why);
                }
            }
            return;
        }
        if (ended || !granted.incarnation().equals(target.incarnation())) {
            // The client left, or the slot began a new life between the look and the turn.
            granted.leave();
            seekSlot();
            return;
        }
        lease = granted;
        granted.onRevoke(cause -> context.runOnContext(ignored -> fail(new Hal0Exception(
                ErrorCode.SLOT_REVOKED,
                "Slot " + resolved.slot() + " was taken away while it worked on this request (" + cause.label()
                        + ")."))));
        connect(target);
    }

    // The engine

    private void connect(Route.Target target) {
        attempts++;
        Optional<String> path = target.engine().path(route.path());
        if (path.isEmpty()) {
            fail(new Hal0Exception(
                    ErrorCode.MODEL_CAPABILITY_MISMATCH,
                    "The engine " + target.engine().family() + " of slot " + resolved.slot() + " does not serve "
                            + route.path() + "."));
            return;
        }
        cancelRule = target.engine().cancelRule();
        var options = new RequestOptions()
                .setMethod(HttpMethod.POST)
                .setHost(target.endpoint().host())
                .setPort(target.endpoint().port())
                .setURI(path.get())
                .putHeader("Authorization", "Bearer " + target.endpoint().key())
                .putHeader("Content-Type", "application/json")
                .putHeader("Accept-Encoding", "identity")
                .putHeader("X-Request-ID", answer.requestId());
        client.request(options).onComplete(connected -> {
            if (connected.failed()) {
                refused(target, connected.cause());
            } else if (ended) {
                // Ended while connecting: the connection was not used and may serve somebody else.
                var unused = connected.result().reset();
                leave();
            } else {
                send(target, connected.result());
            }
        });
    }

    private void refused(Route.Target target, Throwable cause) {
        leave();
        slots.doubt(resolved.slot(), target.incarnation(), "connection refused: " + cause.getMessage());
        if (ended) {
            return;
        }
        // Nothing was sent, so nothing can happen twice.
        if (attempts < MOST_CONNECT_ATTEMPTS) {
            awaitReady();
        } else {
            fail(unavailable("it refuses connections"));
        }
    }

    private void send(Route.Target target, HttpClientRequest request) {
        engineRequest = request;
        handedOver = System.nanoTime();
        watchTime();
        request.exceptionHandler(failure -> broken(target, failure));
        request.response().onComplete(replied -> {
            if (replied.failed()) {
                broken(target, replied.cause());
            } else {
                receive(target, replied.result());
            }
        });
        var unused = request.send(body);
    }

    private void receive(Route.Target target, HttpClientResponse reply) {
        firstByte = System.nanoTime();
        lastByte = firstByte;
        reply.exceptionHandler(failure -> broken(target, failure));
        reply.endHandler(ignored -> {
            engineRequest = null;
            leave();
            if (!ended) {
                answer.complete();
                finish(answer.status(), Optional.empty());
            }
        });
        if (ended) {
            reply.handler(ignored -> {});
            return;
        }
        answer.begin(reply);
        reply.handler(chunk -> {
            lastByte = System.nanoTime();
            // After the client left an engine that must not be interrupted, its bytes go nowhere.
            if (!ended && !answer.relay(chunk)) {
                reply.pause();
            }
        });
    }

    private void resumeEngine() {
        HttpClientRequest request = engineRequest;
        if (request != null) {
            request.response().onSuccess(HttpClientResponse::resume);
        }
    }

    private void broken(Route.Target target, Throwable failure) {
        engineRequest = null;
        leave();
        if (ended) {
            return;
        }
        slots.doubt(resolved.slot(), target.incarnation(), "connection broke: " + failure.getMessage());
        fail(unavailable(firstByte == 0 ? "it closed the connection without an answer" : "it broke off in the middle"));
    }

    private Hal0Exception unavailable(String how) {
        return new Hal0Exception(
                        ErrorCode.DISPATCH_UPSTREAM_UNAVAILABLE,
                        "The engine of slot " + resolved.slot() + " failed at this request: " + how + ".")
                .withDetail("slot", resolved.slot().value());
    }

    // Endings

    private void clientGone() {
        if (ended) {
            return;
        }
        CompletableFuture<Lease> waiting = turn;
        if (waiting != null) {
            waiting.cancel(false);
        }
        finish(answer.status() == 0 ? CLIENT_CLOSED_REQUEST : answer.status(), Optional.of("client_closed"));
        if (cancelRule == CancelRule.NEVER) {
            resumeEngine();
        } else {
            hangUp();
        }
    }

    private void fail(Hal0Exception why) {
        if (ended) {
            return;
        }
        CompletableFuture<Lease> waiting = turn;
        if (waiting != null) {
            waiting.cancel(false);
        }
        answer.fail(why);
        finish(answer.status(), Optional.of(why.code().code()));
        hangUp();
    }

    /** Closes the engine's connection, which is what makes it stop working. */
    private void hangUp() {
        HttpClientRequest request = engineRequest;
        engineRequest = null;
        if (request != null) {
            var unused = request.reset();
        }
        leave();
    }

    private void leave() {
        Lease held = lease;
        lease = null;
        if (held != null) {
            held.leave();
        }
    }

    private void finish(int status, Optional<String> errorCode) {
        ended = true;
        vertx.cancelTimer(timer);
        answer.stopWaiting();
        long now = System.nanoTime();
        whenEnded.accept(new Accounting.Ended(
                answer.requestId(),
                route.path(),
                resolved.slot(),
                resolved.modelId().orElse(""),
                streamed,
                status,
                errorCode,
                Duration.ofNanos((handedOver == 0 ? now : handedOver) - arrived),
                firstByte == 0 ? Optional.empty() : Optional.of(Duration.ofNanos(firstByte - arrived)),
                Duration.ofNanos(now - arrived),
                answer.bytes()));
    }

    /** One timer for both limits: it looks when the nearer of the two could be due. */
    private void watchTime() {
        vertx.cancelTimer(timer);
        long now = System.nanoTime();
        long untilTotal = remaining(policy.total(), handedOver, now);
        long untilIdle = firstByte == 0 ? Long.MAX_VALUE : remaining(policy.streamIdle(), lastByte, now);
        long next =
                Math.min(Math.min(untilTotal, untilIdle), Duration.ofSeconds(30).toNanos());
        if (untilTotal <= 0 || untilIdle <= 0) {
            fail(new Hal0Exception(
                    ErrorCode.DISPATCH_STREAM_LIMIT,
                    untilTotal <= 0
                            ? "The exchange took longer than " + policy.total().toSeconds() + " s."
                            : "The engine sent nothing for "
                                    + policy.streamIdle().toSeconds() + " s."));
            return;
        }
        timer = vertx.setTimer(Math.max(1, next / 1_000_000), ignored -> {
            if (!ended) {
                watchTime();
            }
        });
    }

    private static long remaining(Duration limit, long since, long now) {
        return limit.isZero() ? Long.MAX_VALUE : limit.toNanos() - (now - since);
    }

    private Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - arrived);
    }
}
