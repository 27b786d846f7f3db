package dev.hal0.slots;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * One slot's life: what becomes of its machine when it hears something. Wishes are {@link SlotWishes}, the way up is
 * {@link SlotArrival}, the way down {@link SlotDeparture}. Whether there is room for a load is not decided here: a load that
 * could begin is left in {@link SlotMachine#next}, and {@link Scheduler} calls {@link #begin} when its turn comes.
 *
 * <p>Every operation ends: finished, failed or cancelled. Lives for one step.
 */
final class SlotLife {
    private final SlotTurn turn;
    private final SlotDeparture departure;
    private final SlotArrival arrival;
    private final SlotWishes wishes;

    /** @param effects are added to */
    SlotLife(SlotMachine machine, Instant now, List<SlotEffect> effects) {
        this.turn = new SlotTurn(machine, now, effects);
        this.departure = new SlotDeparture(turn);
        this.arrival = new SlotArrival(turn, departure);
        this.wishes = new SlotWishes(turn, departure);
    }

    SlotMachine machine() {
        return turn.machine;
    }

    boolean isForgotten() {
        return turn.forgotten;
    }

    /**
     * What a new control plane starts from: the record of the last one, and whether its launch still runs.
     *
     * @param found the live workload of the recorded launch
     */
    void recover(Optional<Workload> found) {
        if (found.isPresent()) {
            arrival.adopt(found.get());
        } else {
            turn.machine = turn.machine.withLaunch(Optional.empty());
            turn.effect(new SlotEffect.Persist(turn.machine));
        }
    }

    void handle(SlotEvent event) {
        switch (event) {
            case SlotEvent.LoadWanted(SlotName slot, OperationId operation, LoadRequest request) ->
                wishes.load(operation, request);
            case SlotEvent.UnloadWanted(SlotName slot, OperationId operation, boolean force, CauseCode cause) ->
                wishes.unload(operation, force, cause);
            case SlotEvent.RestartWanted(SlotName slot, OperationId operation, boolean force, LoadRequest request) ->
                wishes.restart(operation, force, request);
            case SlotEvent.OfGpu ofNoSlot -> throw new IllegalArgumentException("not a slot's business: " + ofNoSlot);
            case SlotEvent.Doubted(SlotName slot, Incarnation incarnation, String reason) -> doubt(incarnation, reason);
            case SlotEvent.Forgotten(SlotName slot) -> wishes.forget();
            case SlotEvent.Prepared(SlotName slot, String nonce) -> {
                if (turn.machine.isLaunching(nonce) && turn.machine.state() == SlotState.PULLING) {
                    arrival.start(turn.machine.launch().orElseThrow(), turn.machine.cause());
                }
            }
            case SlotEvent.PrepareFailed(SlotName slot, String nonce, Hal0Exception why) -> {
                if (turn.machine.isLaunching(nonce) && turn.machine.state() == SlotState.PULLING) {
                    departure.fail(CauseCode.ENGINE_MISSING, why);
                }
            }
            case SlotEvent.Progressed(SlotName slot, String nonce, String message) -> {
                if (turn.machine.isLaunching(nonce)
                        && turn.machine.state().isTransitional()
                        && turn.machine.state() != SlotState.UNLOADING
                        && !turn.machine.message().equals(message)) {
                    turn.machine = turn.machine.withMessage(message);
                    turn.effect(new SlotEffect.Publish(turn.machine, turn.machine.state(), Optional.empty()));
                }
            }
            case SlotEvent.Launched(SlotName slot, Workload workload) -> arrival.launched(workload);
            case SlotEvent.LaunchFailed(SlotName slot, String nonce, Hal0Exception why) ->
                arrival.launchFailed(nonce, why);
            case SlotEvent.Answered(SlotName slot, Incarnation incarnation) -> arrival.answered(incarnation);
            case SlotEvent.Mismatched(SlotName slot, Incarnation incarnation, List<String> differences) ->
                departure.giveUp(
                        incarnation,
                        CauseCode.PLAN_MISMATCH,
                        new Hal0Exception(
                                        ErrorCode.SLOT_PLAN_MISMATCH,
                                        "The engine of slot " + turn.machine.slot() + " does not run as asked: "
                                                + String.join("; ", differences))
                                .withDetail("differences", differences));
            case SlotEvent.Unanswered(SlotName slot, Incarnation incarnation, String reason) ->
                departure.giveUp(
                        incarnation,
                        CauseCode.LOAD_TIMEOUT,
                        new Hal0Exception(
                                ErrorCode.SLOT_HEALTH_FAILED,
                                "Slot " + turn.machine.slot() + " did not become ready: " + reason));
            case SlotEvent.Exited(SlotName slot, Incarnation incarnation, Exit exit) ->
                departure.exited(incarnation, exit);
            case SlotEvent.GateClosed(SlotName slot, ClosedGate proof) -> departure.gateClosed(proof);
            case SlotEvent.DrainExpired(SlotName slot, Incarnation incarnation) -> departure.drainExpired(incarnation);
            case SlotEvent.Stopped(SlotName slot, Incarnation incarnation) -> {
                if (turn.machine.state() == SlotState.UNLOADING && turn.machine.runs(incarnation)) {
                    departure.stopped();
                }
            }
            case SlotEvent.StopFailed(SlotName slot, Incarnation incarnation, Hal0Exception why) ->
                departure.stopFailed(incarnation, why);
            case SlotEvent.CloseRefused(SlotName slot, Incarnation incarnation) -> departure.closeRefused(incarnation);
            case SlotEvent.Measured(SlotName slot, Incarnation incarnation, long bytes) -> measured(incarnation, bytes);
            case SlotEvent.Hung(SlotName slot, Incarnation incarnation, String evidence) ->
                departure.hung(incarnation, evidence);
        }
    }

    void vacate(boolean force, CauseCode why) {
        wishes.vacate(force, why);
    }

    /** There is room: the load that waited begins. */
    void begin() {
        arrival.begin();
    }

    void waitFor(String reason) {
        arrival.waitFor(reason);
    }

    void refuse(Hal0Exception why) {
        arrival.refuse(why);
    }

    void retryIfDue() {
        arrival.retryIfDue();
    }

    void giveWay(boolean drain, CauseCode why, String message) {
        departure.giveWay(drain, why, message);
    }

    private void doubt(Incarnation incarnation, String reason) {
        if (turn.machine.state() != SlotState.READY || !turn.machine.runs(incarnation) || turn.machine.isClosing()) {
            return;
        }
        turn.effect(new SlotEffect.SuspendGate(turn.machine.slot(), incarnation));
        turn.move(SlotEdge.DOUBT, CauseCode.UNRESPONSIVE, reason);
        turn.effect(new SlotEffect.AwaitAnswer(turn.machine.launch().orElseThrow(), false));
    }

    private void measured(Incarnation incarnation, long bytes) {
        if (!turn.machine.runs(incarnation)) {
            return;
        }
        String plan = turn.machine.launch().orElseThrow().plan().hash();
        boolean more = turn.machine
                .learned()
                .filter(known -> known.planHash().equals(plan) && known.bytes() >= bytes)
                .isEmpty();
        if (more) {
            turn.machine = turn.machine.withLearned(new SlotMachine.Learned(plan, bytes));
            turn.effect(new SlotEffect.Persist(turn.machine));
        }
    }
}
