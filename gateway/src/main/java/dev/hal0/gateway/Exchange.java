package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.slots.Claim;
import dev.hal0.slots.Engine;
import dev.hal0.slots.Priority;
import dev.hal0.slots.Route;
import dev.hal0.slots.SlotControl;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One inference request, from its parsed body to its end.
 *
 * <pre>
 *   WAITING ─▶ CONNECTING ─▶ PROMPTED ─▶ RELAYING ─▶ ENDING ─▶ over
 *      ▲            │
 *      └────────────┘  connection refused, once
 *   any ─▶ ENDING: complete · failed · client gone · revoked · out of time · shutting down
 * </pre>
 *
 * Three things end separately: the <em>answer</em> (decided exactly once, in {@link #end}), the <em>engine's work</em>
 * ({@link EngineCall}, which alone holds the lease) and the <em>client's fetching</em> of the last bytes. The exchange is over
 * when all three are.
 *
 * <p>All state is confined to the request's event loop; whatever comes from elsewhere is handed over first. What
 * {@link #view} reads is volatile.
 */
final class Exchange implements Admission.Applicant, EngineCall.Listener {
    private static final Logger log = LoggerFactory.getLogger(Exchange.class);
    private static final int CLIENT_CLOSED_REQUEST = 499;
    private static final int MOST_CONNECT_ATTEMPTS = 2;

    private enum Phase {
        WAITING,
        CONNECTING,
        PROMPTED,
        RELAYING,
        ENDING
    }

    /** What every exchange needs of the gateway. */
    interface Surroundings {
        Vertx vertx();

        EngineLinks links();

        SlotControl slots();

        GatewayPolicy policy();

        /** @throws Hal0Exception why nothing serves it */
        Resolution resolve(GatewayRoute route, Optional<String> model);

        Captures captures();

        void ended(Accounting.Ended ended);

        void over(Exchange exchange);
    }

    private final Surroundings gateway;
    private final Vertx vertx;
    private final Context context;
    private final HttpServerRequest request;
    private final GatewayRoute route;
    private final RequestBody body;
    private final StreamMeter meter;
    private final Optional<Captures.Tap> tap;
    private final Answer answer;
    private final Admission admission;
    private final boolean streamed;
    private final Instant since;
    private final Timings timings;
    private final StreamLimits limits;

    private volatile Phase phase = Phase.WAITING;
    private volatile @Nullable Route resolved;
    private @Nullable EngineCall call;
    private volatile Claim claim;
    private boolean fetched;
    private int attempts;

    /**
     * @param name that says which slot, as the client sent it
     * @param timings have begun when the request arrived
     */
    Exchange(
            Surroundings gateway,
            RoutingContext routing,
            GatewayRoute route,
            Optional<String> name,
            RequestBody body,
            Instant since,
            Timings timings) {
        this.gateway = gateway;
        this.vertx = gateway.vertx();
        this.context = vertx.getOrCreateContext();
        this.request = routing.request();
        this.route = route;
        this.body = body;
        this.streamed = route.streams() && body.head().stream();
        this.claim = new Claim(Callers.of(routing), Priority.INTERACTIVE);
        this.meter = new StreamMeter(timings::contentCame);
        this.tap = gateway.captures().tap(body);
        this.answer = new Answer(vertx, gateway.policy(), routing, route.dialect(), meter, tap);
        this.admission = new Admission(
                vertx,
                gateway.slots(),
                gateway.policy().loadBudget(),
                route.path(),
                () -> {
                    Resolution resolution = gateway.resolve(route, name);
                    answer.resolvedBy(resolution.by());
                    return resolution.route();
                },
                claim,
                this,
                timings);
        this.since = since;
        this.timings = timings;
        this.limits = new StreamLimits(
                vertx,
                gateway.policy().streamIdle(),
                gateway.policy().total(streamed),
                timings,
                answer::isBackedUp,
                this::fail);
    }

    void start() {
        guarded(() -> {
            answer.watch(this::clientGone, this::clientCaughtUp, this::clientDone);
            if (!isEnding()) {
                claim = new Claim(claim.caller(), Callers.priority(request));
                admission.seek(claim);
            }
        });
    }

    /** Ends it from outside, from any thread. */
    void cut(Hal0Exception why) {
        onLoop(() -> fail(why));
    }

    /** From any thread. */
    InFlight view() {
        Route now = resolved;
        return new InFlight(
                answer.requestId(),
                route.path(),
                claim.caller(),
                claim.priority(),
                body.head().model(),
                Optional.ofNullable(now).map(Route::slot),
                Optional.ofNullable(now).flatMap(Route::modelId),
                phaseLabel(),
                admission.position(),
                streamed,
                since,
                meter.pieces(),
                answer.bytes());
    }

    private String phaseLabel() {
        return switch (phase) {
            case WAITING -> admission.step().name().toLowerCase(Locale.ROOT);
            case CONNECTING -> "connecting";
            case PROMPTED -> streamed ? "prefill" : "working";
            case RELAYING -> !streamed ? "answering" : meter.pieces() == 0 ? "prefill" : "decoding";
            case ENDING -> "ending";
        };
    }

    // Waiting

    @Override
    public void found(Route found) {
        resolved = found;
        answer.name(found);
    }

    @Override
    public void waitingFor(String what) {
        if (streamed && !isEnding()) {
            answer.beginTelling(what);
        }
    }

    @Override
    public void loaded(Duration loading) {
        answer.tookToLoad(loading);
    }

    @Override
    public void letIn(Admission.Admitted admitted) {
        phase = Phase.CONNECTING;
        attempts++;
        var engine = new EngineCall(
                vertx,
                gateway.links(),
                admitted.target(),
                admitted.lease(),
                gateway.policy().total(streamed),
                this);
        call = engine;
        admitted.lease()
                .onRevoke(cause -> onLoop(() -> {
                    fail(new Hal0Exception(
                                    ErrorCode.SLOT_REVOKED,
                                    "Slot " + admitted.route().slot()
                                            + " was taken away while it worked on this request (" + cause.label()
                                            + ").")
                            .withDetail("cause", cause.label()));
                    engine.hangUp();
                }));
        guarded(() -> engine.start(
                EngineRequest.of(route.method(), admitted, answer.requestId(), request, forEngine(admitted))));
    }

    private EngineBody forEngine(Admission.Admitted admitted) {
        Engine engine = admitted.target().engine();
        if (streamed && engine.includesUsage(route.path())) {
            Optional<EngineBody> asking = body.askingForUsage();
            if (asking.isPresent()) {
                meter.hideUsage();
                return asking.get();
            }
        }
        return body.forEngine(engine.form(route.path()), admitted.route().modelId());
    }

    // The engine

    @Override
    public void sent() {
        guarded(() -> {
            phase = Phase.PROMPTED;
            admission.handedOver();
            timings.handedOver();
            answer.handedOver();
            limits.watch();
        });
    }

    @Override
    public void refused(Throwable cause) {
        guarded(() -> {
            doubt("connection refused: " + cause.getMessage());
            limits.stop();
            if (attempts < MOST_CONNECT_ATTEMPTS) {
                // Nothing was carried out, so nothing can happen twice.
                phase = Phase.WAITING;
                admission.seekAfterRefusal(current());
            } else {
                fail(unavailable("it refuses connections"));
            }
        });
    }

    @Override
    public void replied(ReplyHead reply) {
        guarded(() -> {
            phase = Phase.RELAYING;
            if (!answer.begin(reply.withContentType(engine()::contentType))) {
                fail(new Hal0Exception(
                        ErrorCode.DISPATCH_UPSTREAM_FAILED,
                        "The engine of slot " + current().slot() + " was asked for a stream and answered "
                                + reply.contentType() + "."));
            }
        });
    }

    @Override
    public boolean received(Buffer chunk) {
        try {
            timings.byteCame();
            boolean more = answer.relay(chunk);
            if (answer.isRefusalFull()) {
                complete();
            }
            return more;
        } catch (RuntimeException defect) {
            failedBy(defect);
            return true;
        }
    }

    @Override
    public void completed() {
        guarded(this::complete);
    }

    @Override
    public void broke(Throwable cause) {
        guarded(() -> {
            doubt("connection broke: " + cause.getMessage());
            if (answer.isRefusal()) {
                // Its status and some of its words are there; that is more than we could say.
                complete();
            } else {
                fail(unavailable(
                        phase == Phase.RELAYING
                                ? "it broke off in the middle of its answer"
                                : "it closed the connection without an answer"));
            }
        });
    }

    @Override
    public void over() {
        call = null;
        overIfDone();
    }

    private void complete() {
        if (answer.isRefusal()) {
            Optional<Hal0Exception> known = engine().explain(route.path(), answer.engineStatus(), answer.refusal());
            if (known.isPresent()) {
                fail(known.get());
                return;
            }
        }
        Optional<String> errorCode =
                answer.isRefusal() ? Optional.of(ErrorCode.DISPATCH_UPSTREAM_FAILED.code()) : Optional.empty();
        end(errorCode, answer::complete);
    }

    private void doubt(String reason) {
        Route slot = current();
        slot.target().ifPresent(target -> gateway.slots().doubt(slot.slot(), target.incarnation(), reason));
    }

    private Hal0Exception unavailable(String how) {
        return new Hal0Exception(
                        ErrorCode.DISPATCH_UPSTREAM_UNAVAILABLE,
                        "The engine of slot " + current().slot() + " failed at this request: " + how + ".")
                .withDetail("slot", current().slot().value());
    }

    private Engine engine() {
        return current().target().orElseThrow().engine();
    }

    private Route current() {
        Route now = resolved;
        if (now == null) {
            throw new IllegalStateException("no engine before a slot was resolved");
        }
        return now;
    }

    // The client

    private void clientGone() {
        end(Optional.of(Accounting.CLIENT_CLOSED), () -> {});
    }

    private void clientCaughtUp() {
        EngineCall reading = call;
        if (reading != null) {
            timings.byteMoved();
            reading.resume();
        }
    }

    private void clientDone() {
        fetched = true;
        overIfDone();
    }

    // Endings

    private boolean isEnding() {
        return phase == Phase.ENDING;
    }

    private void fail(Hal0Exception why) {
        end(Optional.of(why.code().code()), () -> answer.fail(why));
    }

    /** The one place where an answer ends; whoever comes second changes nothing. */
    private void end(Optional<String> errorCode, Runnable lastWords) {
        if (isEnding()) {
            return;
        }
        phase = Phase.ENDING;
        limits.stop();
        admission.cancel();
        EngineCall working = call;
        if (working != null) {
            working.abandon();
        }
        lastWords.run();
        Route now = resolved;
        var ended = new Accounting.Ended(
                answer.requestId(),
                route.path(),
                claim.caller(),
                claim.priority(),
                body.head().model(),
                Optional.ofNullable(now).map(Route::slot),
                Optional.ofNullable(now).flatMap(Route::modelId),
                streamed,
                answer.status() == 0 ? CLIENT_CLOSED_REQUEST : answer.status(),
                errorCode,
                timings.loading(),
                timings.queued(),
                timings.firstByte(),
                timings.firstContent(),
                timings.elapsed(),
                answer.figures(),
                body.length(),
                answer.bytes());
        gateway.ended(ended);
        tap.ifPresent(seen -> gateway.captures().keep(seen, ended));
        overIfDone();
    }

    private void overIfDone() {
        if (isEnding() && fetched && call == null) {
            body.close();
            gateway.over(this);
        }
    }

    @Override
    public void onLoop(Runnable task) {
        if (Vertx.currentContext() == context) {
            guarded(task);
        } else {
            context.runOnContext(ignored -> guarded(task));
        }
    }

    private void guarded(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException failure) {
            failedBy(failure);
        }
    }

    /** A defect must end this request and nothing else. */
    private void failedBy(RuntimeException failure) {
        if (!(failure instanceof Hal0Exception)) {
            log.error("request {} failed", answer.requestId(), failure);
        }
        fail(Responses.failureOf(failure));
    }
}
