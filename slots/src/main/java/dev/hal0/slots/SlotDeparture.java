package dev.hal0.slots;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.slots.SlotMachine.Closing;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * A slot's way down, from every state to {@code OFFLINE} or {@code ERROR}.
 *
 * <p>A ready workload leaves only through its gate: closed while nobody is inside, drained, revoked, or found dead (which
 * revokes as well, so that those inside hear of it at once). A slot is {@code OFFLINE} or {@code ERROR} with a launch still
 * recorded only where a stop failed: something of it may run.
 */
final class SlotDeparture {
    private final SlotTurn turn;

    SlotDeparture(SlotTurn turn) {
        this.turn = turn;
    }

    /** Brings the slot towards OFFLINE from wherever it is; those who waited for a load hear that it was cancelled. */
    void leave(boolean force, CauseCode cause, String message) {
        turn.effect(new SlotEffect.Cancel(turn.machine.operations(), message));
        turn.machine = turn.machine.withOperations(Set.of());
        switch (turn.machine.state()) {
            case PULLING -> {
                turn.effect(new SlotEffect.AbandonPreparation(turn.machine.slot()));
                turn.move(SlotEdge.CANCEL, cause, message);
                stopped();
            }
            case STARTING ->
                // The spawn cannot be called back; its result decides how this ends.
                turn.move(SlotEdge.CANCEL, cause, message);
            case WARMING -> {
                turn.move(SlotEdge.CANCEL, cause, message);
                close(force, cause);
            }
            case READY, SERVING, IDLE -> {
                turn.machine = turn.machine.withMessage(message);
                turn.effect(new SlotEffect.Persist(turn.machine));
                close(force, cause);
            }
            case ERROR -> {
                turn.move(SlotEdge.DRAIN, cause, message);
                close(true, cause);
            }
            case UNLOADING -> {
                turn.effect(new SlotEffect.Persist(turn.machine));
                if (force && turn.machine.launch().flatMap(Launch::incarnation).isPresent()) {
                    close(true, cause);
                }
            }
            case OFFLINE -> throw new IllegalStateException("an offline slot has nothing to leave");
        }
    }

    void close(boolean force, CauseCode why) {
        Incarnation incarnation =
                turn.machine.launch().flatMap(Launch::incarnation).orElseThrow();
        if (!force && turn.machine.closing().compareTo(Closing.DRAINING) < 0) {
            turn.effect(new SlotEffect.Drain(turn.machine.slot(), incarnation));
            turn.machine = turn.machine.withClosing(Closing.DRAINING, why);
        } else if (force && turn.machine.closing().compareTo(Closing.REVOKING) < 0) {
            turn.effect(new SlotEffect.Revoke(turn.machine.slot(), incarnation, causeOf(why)));
            turn.machine = turn.machine.withClosing(Closing.REVOKING, why);
        }
    }

    private static RevokeCause causeOf(CauseCode why) {
        return why == CauseCode.IMAGE_MODE ? RevokeCause.IMAGE_MODE_FORCED : RevokeCause.OPERATOR_FORCE;
    }

    /**
     * The scheduler wants the memory of a ready workload. Nobody inside is cut: either the gate closes only if nobody happens
     * to be there, or it is drained.
     *
     * @param drain close it to new requests and wait
     */
    void giveWay(boolean drain, CauseCode why, String message) {
        if (turn.machine.state() != SlotState.READY || turn.machine.closing().compareTo(Closing.DRAINING) >= 0) {
            return;
        }
        if (drain) {
            turn.machine = turn.machine.withDesired(false).withMessage(message);
            turn.effect(new SlotEffect.Persist(turn.machine));
            close(false, why);
        } else if (!turn.machine.isClosing()) {
            Incarnation incarnation =
                    turn.machine.launch().flatMap(Launch::incarnation).orElseThrow();
            turn.effect(new SlotEffect.TryClose(turn.machine.slot(), incarnation));
            turn.machine = turn.machine.withMessage(message).withClosing(Closing.TRYING, why);
        }
    }

    void closeRefused(Incarnation incarnation) {
        if (turn.machine.runs(incarnation) && turn.machine.closing() == Closing.TRYING) {
            // Whoever wanted it back meanwhile has it: nothing but this attempt stood in the way.
            turn.machine
                    .next()
                    .ifPresent(next -> turn.effect(new SlotEffect.Finish(next.operations(), "already loaded")));
            turn.machine = turn.machine
                    .withNext(Optional.empty())
                    .withClosing(Closing.NO)
                    .withMessage("");
        }
    }

    /** Its health is fine and it does not move: those inside are told, and it is started anew. */
    void hung(Incarnation incarnation, String evidence) {
        if (turn.machine.state() != SlotState.READY
                || !turn.machine.runs(incarnation)
                || turn.machine.closing().compareTo(Closing.REVOKING) >= 0) {
            return;
        }
        boolean asked = turn.machine.closing() == Closing.DRAINING;
        var why = new Hal0Exception(
                        ErrorCode.SLOT_CRASHED,
                        "The engine of slot " + turn.machine.slot() + " stopped moving: " + evidence)
                .withDetail("evidence", evidence);
        if (!asked) {
            turn.failedWhileReady(why);
        }
        turn.effect(new SlotEffect.Revoke(turn.machine.slot(), incarnation, RevokeCause.ENGINE_HUNG));
        turn.machine = turn.machine
                .withClosing(Closing.REVOKING, CauseCode.ENGINE_HUNG)
                .withMessage(why.message());
        turn.effect(new SlotEffect.Persist(turn.machine));
    }

    /** A warming workload is not going to be ready: it is stopped, and the slot shows why. */
    void giveUp(Incarnation incarnation, CauseCode cause, Hal0Exception why) {
        if (turn.machine.state() != SlotState.WARMING || !turn.machine.runs(incarnation)) {
            return;
        }
        // Whoever waits hears of it when the workload is gone and the slot shows the failure.
        turn.machine = turn.machine.withFailure(why);
        turn.move(SlotEdge.CANCEL, cause, why.message());
        turn.effect(new SlotEffect.Revoke(turn.machine.slot(), incarnation, RevokeCause.ENGINE_HUNG));
        turn.machine = turn.machine.withClosing(Closing.REVOKING, cause);
    }

    void gateClosed(ClosedGate proof) {
        if (!turn.machine.runs(proof.incarnation()) || turn.machine.closing() == Closing.STOPPING) {
            return;
        }
        if (turn.machine.state() == SlotState.READY) {
            if (turn.machine.closing() == Closing.TRYING) {
                turn.machine = turn.machine.withDesired(false);
            }
            turn.move(SlotEdge.DRAIN, turn.machine.closingCause(), turn.machine.message());
        }
        if (turn.machine.state() == SlotState.UNLOADING) {
            turn.machine = turn.machine.withClosing(Closing.STOPPING);
            turn.effect(new SlotEffect.Stop(turn.machine.launch().orElseThrow().workload(), proof));
        }
    }

    void drainExpired(Incarnation incarnation) {
        if (!turn.machine.runs(incarnation) || turn.machine.closing() != Closing.DRAINING) {
            return;
        }
        if (turn.machine.state() == SlotState.UNLOADING) {
            // Nobody can enter any more, but somebody never left: keep waiting, `force` ends it.
            turn.effect(new SlotEffect.Drain(turn.machine.slot(), incarnation));
            return;
        }
        var busy = new Hal0Exception(
                        ErrorCode.SLOT_BUSY,
                        "Slot " + turn.machine.slot()
                                + " is still serving; it stays loaded. Use force to end its requests.")
                .withRetryAfter(Duration.ofSeconds(30));
        Set<OperationId> waiting = turn.machine.stopping();
        if (turn.machine.next().isPresent()) {
            waiting = SlotTurn.union(waiting, turn.machine.next().get().operations());
        }
        turn.effect(new SlotEffect.Fail(waiting, busy));
        turn.machine = turn.machine
                .withClosing(Closing.NO)
                .withStopping(Set.of())
                .withNext(Optional.empty())
                .withSwappedFrom(Optional.empty())
                .withDesired(true)
                .withMessage("");
        turn.effect(new SlotEffect.Persist(turn.machine));
    }

    void exited(Incarnation incarnation, Exit exit) {
        if (!turn.machine.runs(incarnation)) {
            return;
        }
        var why = new Hal0Exception(
                        ErrorCode.SLOT_CRASHED,
                        "The engine of slot " + turn.machine.slot() + " ended: " + exit.describe())
                .withDetail("last_lines", exit.lastLines());
        switch (turn.machine.state()) {
            case WARMING -> {
                turn.effect(new SlotEffect.Abandon(turn.machine.slot(), incarnation));
                fail(exit.cause(), why);
            }
            case READY, SERVING, IDLE -> {
                turn.effect(new SlotEffect.Abandon(turn.machine.slot(), incarnation));
                turn.failedWhileReady(why);
                turn.machine = turn.machine.withLaunch(Optional.empty());
                boolean wasAsked = turn.machine.isClosing();
                turn.move(SlotEdge.LOST, exit.cause(), why.message());
                if (wasAsked) {
                    finishStop();
                }
            }
            case UNLOADING -> {
                // The stop is under way and will say so itself; being dead already makes it quick. Those inside need
                // not
                // find that out, and the drain need not wait for them.
                if (turn.machine.closing() == Closing.DRAINING) {
                    turn.effect(new SlotEffect.Abandon(turn.machine.slot(), incarnation));
                }
            }
            case ERROR -> {
                turn.machine = turn.machine.withLaunch(Optional.empty());
                turn.effect(new SlotEffect.Persist(turn.machine));
            }
            case OFFLINE, PULLING, STARTING ->
                throw new IllegalStateException(
                        "slot " + turn.machine.slot() + " runs " + incarnation + " while " + turn.machine.state());
        }
    }

    void stopped() {
        turn.machine = turn.machine.withLaunch(Optional.empty());
        if (turn.machine.failure().isPresent()
                && turn.machine.next().isEmpty()
                && turn.machine.stopping().isEmpty()) {
            Hal0Exception why = turn.undoSwap(turn.machine.failure().get());
            Set<OperationId> waiting = turn.machine.operations();
            turn.machine = turn.machine.withClosing(Closing.NO).withOperations(Set.of());
            turn.move(SlotEdge.FAIL, turn.machine.cause(), why.message());
            turn.effect(new SlotEffect.Fail(waiting, why));
            return;
        }
        failOperations();
        turn.move(SlotEdge.STOPPED, CauseCode.STOPPED, whyNobodyAskedForIt());
        finishStop();
    }

    /** A person who finds the slot off and did not switch it off reads here why it is. */
    private String whyNobodyAskedForIt() {
        return switch (turn.machine.closingCause()) {
            case EVICTED, IDLE, MEMORY_PRESSURE, IMAGE_MODE -> turn.machine.message();
            default -> "";
        };
    }

    /** Those who waited for a load that was given up, where its stop does not end as they were promised. */
    private void failOperations() {
        turn.machine.failure().ifPresent(why -> turn.effect(new SlotEffect.Fail(turn.machine.operations(), why)));
        turn.machine = turn.machine.withOperations(Set.of());
    }

    private void finishStop() {
        turn.effect(new SlotEffect.Finish(turn.machine.stopping(), "unloaded"));
        turn.machine = turn.machine.withStopping(Set.of()).withClosing(Closing.NO);
        if (turn.machine.next().isPresent()) {
            turn.machine = turn.machine.withoutFailure();
        }
    }

    void stopFailed(Incarnation incarnation, Hal0Exception why) {
        if (turn.machine.state() != SlotState.UNLOADING || !turn.machine.runs(incarnation)) {
            return;
        }
        failOperations();
        turn.effect(new SlotEffect.Fail(turn.machine.stopping(), why));
        turn.machine.next().ifPresent(next -> turn.effect(new SlotEffect.Fail(next.operations(), why)));
        turn.machine = turn.machine
                .withStopping(Set.of())
                .withNext(Optional.empty())
                .withClosing(Closing.NO)
                .withFailure(why);
        turn.move(SlotEdge.FAIL, CauseCode.STOP_TIMEOUT, why.message());
    }

    /** Nothing runs: the attempt is over. */
    void fail(CauseCode cause, Hal0Exception why) {
        Hal0Exception told = turn.undoSwap(why);
        turn.effect(new SlotEffect.Fail(turn.machine.operations(), told));
        turn.machine = turn.machine
                .withOperations(Set.of())
                .withLaunch(Optional.empty())
                .withFailure(told);
        turn.move(SlotEdge.FAIL, cause, told.message());
    }
}
