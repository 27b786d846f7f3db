package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.slots.AdmissionQueue;
import dev.hal0.slots.Claim;
import dev.hal0.slots.Lease;
import dev.hal0.slots.Route;
import dev.hal0.slots.SlotControl;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A request's way from a name to a lease: find the slot, have it loaded, wait for a turn, as often as it takes within one
 * budget. The resolver is asked again after every wait, so that whoever waited gets what its name means then, never what
 * another model left behind.
 *
 * <p>Confined to the request's event loop.
 */
final class Admission {
    /** How often a slot that is said to be ready may let nobody in before it is asked less and less often. */
    private static final int CLOSED_WITHOUT_PAUSE = 2;

    private static final long LONGEST_PAUSE_MILLIS = 500;

    enum Step {
        RESOLVING,
        LOADING,
        QUEUED,
        /** Let in, or given up. */
        OVER
    }

    /** The exchange that wants in. */
    interface Applicant {
        /** Runs on the request's event loop, at once if this is it; a {@link Hal0Exception} ends the request. */
        void onLoop(Runnable task);

        void found(Route route);

        /** The wait may be long, and this is what for. */
        void waitingFor(String what);

        void loaded(Duration loading);

        /** Takes over the lease. */
        void letIn(Admitted admitted);
    }

    private record Turn(AdmissionQueue line, CompletableFuture<Lease> lease) {}

    /** @param path of the engine for this route */
    record Admitted(Route route, Route.Target target, String path, Lease lease) {}

    private final Vertx vertx;
    private final SlotControl slots;
    private final Duration budget;
    private final String gatewayPath;
    private final Supplier<Route> resolver;
    private final Applicant applicant;
    private final Timings timings;
    private volatile Step step = Step.RESOLVING;
    private Claim claim;
    private volatile @Nullable Turn turn;
    private int closedInARow;
    private long budgetTimer = -1;

    /**
     * @param gatewayPath that the engine must know
     * @param resolver throws {@link Hal0Exception} when nothing serves the request
     */
    Admission(
            Vertx vertx,
            SlotControl slots,
            Duration budget,
            String gatewayPath,
            Supplier<Route> resolver,
            Claim claim,
            Applicant applicant,
            Timings timings) {
        this.vertx = vertx;
        this.slots = slots;
        this.budget = budget;
        this.gatewayPath = gatewayPath;
        this.resolver = resolver;
        this.claim = claim;
        this.applicant = applicant;
        this.timings = timings;
    }

    /** Where it stands; may be read from any thread. */
    Step step() {
        return step;
    }

    /** In the line, 1 for the next one; 0 when it does not wait for a turn. May be asked from any thread. */
    int position() {
        Turn waiting = turn;
        return waiting == null ? 0 : waiting.line().position(waiting.lease());
    }

    void seek(Claim ours) {
        claim = ours;
        seek();
    }

    private void seek() {
        step = Step.RESOLVING;
        Route route = resolver.get();
        applicant.found(route);
        if (route.target().isPresent()) {
            enter(route, route.target().get());
        } else {
            load(route);
        }
    }

    /** The slot let us in and its engine was not there: it is loaded again before the next try. */
    void seekAfterRefusal(Route refused) {
        load(refused);
    }

    /** Gives up the place in the line, if there is one. */
    void cancel() {
        step = Step.OVER;
        stopBudget();
        Turn waiting = turn;
        if (waiting != null) {
            waiting.lease().cancel(false);
        }
    }

    /** An engine has the request: the budget was kept. */
    void handedOver() {
        stopBudget();
    }

    private void stopBudget() {
        if (budgetTimer >= 0) {
            vertx.cancelTimer(budgetTimer);
            budgetTimer = -1;
        }
    }

    private void load(Route cold) {
        step = Step.LOADING;
        armBudget(cold);
        applicant.waitingFor("slot " + cold.slot() + " is being loaded");
        timings.loadingBegins();
        var unused = slots.ensureReady(
                        cold.slot(),
                        message -> applicant.onLoop(() -> {
                            if (step == Step.LOADING) {
                                applicant.waitingFor(message);
                            }
                        }))
                .whenComplete((ready, failure) -> applicant.onLoop(() -> {
                    timings.loadingEnds();
                    if (step == Step.OVER) {
                        return;
                    }
                    applicant.loaded(timings.loading());
                    if (failure != null) {
                        throw Responses.failureOf(failure);
                    }
                    seekAgain();
                }));
    }

    /** At once, or after a pause: a gate may be closed for a while with its slot shown as ready, as while it drains. */
    private void seekAgain() {
        if (closedInARow < CLOSED_WITHOUT_PAUSE) {
            seek();
            return;
        }
        long pause = Math.min(LONGEST_PAUSE_MILLIS, 10L << Math.min(closedInARow, 10));
        vertx.setTimer(
                pause,
                ignored -> applicant.onLoop(() -> {
                    if (step != Step.OVER) {
                        seek();
                    }
                }));
    }

    private void enter(Route ready, Route.Target target) {
        String path = target.engine()
                .path(gatewayPath)
                .orElseThrow(() -> notSpoken(target.engine().family(), ready, gatewayPath));
        step = Step.QUEUED;
        CompletableFuture<Lease> waiting = ready.admission().enter(claim);
        if (waiting.isDone() && !waiting.isCompletedExceptionally()) {
            entered(new Admitted(ready, target, path, waiting.join()));
            return;
        }
        turn = new Turn(ready.admission(), waiting);
        timings.queueingBegins();
        if (!waiting.isDone()) {
            armBudget(ready);
            applicant.waitingFor("waiting for a turn on slot " + ready.slot());
        }
        var unused = waiting.whenComplete((granted, failure) -> applicant.onLoop(() -> {
            turn = null;
            timings.queueingEnds();
            if (granted != null) {
                entered(new Admitted(ready, target, path, granted));
            } else if (step != Step.OVER) {
                notLetIn(ready, Responses.failureOf(failure));
            }
        }));
    }

    static Hal0Exception notSpoken(String family, Route ready, String gatewayPath) {
        return new Hal0Exception(
                ErrorCode.MODEL_CAPABILITY_MISMATCH,
                "The engine " + family + " of slot " + ready.slot() + " does not serve " + gatewayPath + ".");
    }

    private void notLetIn(Route ready, Hal0Exception why) {
        if (why.code() != ErrorCode.SLOT_LOADING) {
            throw why;
        }
        closedInARow++;
        load(ready);
    }

    private void entered(Admitted admitted) {
        if (step == Step.OVER) {
            admitted.lease().leave();
            return;
        }
        if (!admitted.lease().incarnation().equals(admitted.target().incarnation())) {
            // The slot began a new life between the look and the turn: its address may be another.
            admitted.lease().leave();
            closedInARow++;
            armBudget(admitted.route());
            seekAgain();
            return;
        }
        step = Step.OVER;
        applicant.letIn(admitted);
    }

    /** One timer for load and queue together; most requests need none. */
    private void armBudget(Route slot) {
        if (budgetTimer < 0) {
            Duration left = budget.minus(timings.elapsed());
            budgetTimer =
                    vertx.setTimer(Math.max(1, left.toMillis()), ignored -> applicant.onLoop(() -> overBudget(slot)));
        }
    }

    private void overBudget(Route slot) {
        budgetTimer = -1;
        switch (step) {
            case RESOLVING, LOADING ->
                throw new Hal0Exception(
                                ErrorCode.SLOT_LOADING,
                                "Slot " + slot.slot() + " is not ready after " + budget.toSeconds()
                                        + " s; it goes on loading.")
                        .withRetryAfter(Duration.ofSeconds(15));
            case QUEUED ->
                throw new Hal0Exception(
                                ErrorCode.SLOT_BUSY,
                                "No turn on slot " + slot.slot() + " came within " + budget.toSeconds() + " s.")
                        .withRetryAfter(Duration.ofSeconds(5));
            case OVER -> {}
        }
    }
}
