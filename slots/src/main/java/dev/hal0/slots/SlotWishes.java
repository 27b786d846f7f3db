package dev.hal0.slots;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What callers ask of a slot. A newer wish wins: an unload cancels a load under way, a load with another plan replaces it.
 */
final class SlotWishes {
    private final SlotTurn turn;
    private final SlotDeparture departure;

    SlotWishes(SlotTurn turn, SlotDeparture departure) {
        this.turn = turn;
        this.departure = departure;
    }

    void load(OperationId operation, LoadRequest request) {
        switch (turn.machine.state()) {
            case OFFLINE, ERROR -> {
                Optional<Hal0Exception> tooEarly = request.cause() == CauseCode.REQUEST ? pause() : Optional.empty();
                if (tooEarly.isPresent()) {
                    turn.effect(new SlotEffect.Fail(List.of(operation), tooEarly.get()));
                } else if (turn.machine.launch().isPresent()) {
                    // A stop failed: something of the slot still runs and must go first.
                    replace(Set.of(operation), request, false);
                } else {
                    enqueueDurably(Set.of(operation), request);
                }
            }
            case PULLING, STARTING, WARMING -> {
                if (samePlan(request) || !request.replace()) {
                    turn.machine = turn.machine.withOperations(SlotTurn.with(turn.machine.operations(), operation));
                } else {
                    replace(Set.of(operation), request, false);
                }
            }
            case READY, SERVING, IDLE -> {
                if (samePlan(request) || !request.replace()) {
                    if (turn.machine.isClosing()) {
                        enqueueDurably(Set.of(operation), request);
                    } else {
                        turn.effect(new SlotEffect.Finish(List.of(operation), "already loaded"));
                    }
                } else {
                    replace(Set.of(operation), request, false);
                }
            }
            case UNLOADING -> enqueueDurably(Set.of(operation), request);
        }
    }

    void restart(OperationId operation, boolean force, LoadRequest request) {
        switch (turn.machine.state()) {
            case OFFLINE, ERROR -> {
                if (turn.machine.launch().isPresent()) {
                    replace(Set.of(operation), request, force);
                } else {
                    enqueueDurably(Set.of(operation), request);
                }
            }
            case PULLING, STARTING, WARMING, READY, SERVING, IDLE -> replace(Set.of(operation), request, force);
            case UNLOADING -> {
                enqueueDurably(Set.of(operation), request);
                if (force && turn.machine.isClosing()) {
                    departure.close(true, CauseCode.OPERATOR_FORCE);
                }
            }
        }
    }

    void unload(OperationId operation, boolean force, CauseCode cause) {
        turn.cancelNext("an unload replaced it");
        turn.machine = turn.machine.withDesired(false).withSwappedFrom(Optional.empty());
        if ((turn.machine.state() == SlotState.OFFLINE || turn.machine.state() == SlotState.ERROR)
                && turn.machine.launch().isEmpty()) {
            if (turn.machine.state() == SlotState.ERROR) {
                turn.machine = turn.machine.withoutFailure();
            }
            turn.effect(new SlotEffect.Persist(turn.machine));
            turn.effect(new SlotEffect.Finish(List.of(operation), "not loaded"));
            return;
        }
        turn.machine = turn.machine.withStopping(SlotTurn.with(turn.machine.stopping(), operation));
        departure.leave(force, cause, force ? "stopped by force" : "unload asked");
    }

    /** Its place is needed for something else, and it shall not come back by itself. */
    void vacate(boolean force, CauseCode cause) {
        String why = cause == CauseCode.IMAGE_MODE ? "the GPU is needed for images" : "the GPU is given back";
        turn.cancelNext(why);
        turn.machine = turn.machine.withDesired(false).withSwappedFrom(Optional.empty());
        if (turn.machine.launch().isEmpty()) {
            turn.effect(new SlotEffect.Persist(turn.machine));
        } else {
            departure.leave(force, cause, why);
        }
    }

    /** Stops what is there, then starts the request. */
    private void replace(Set<OperationId> operations, LoadRequest request, boolean force) {
        if (turn.machine.state() == SlotState.READY) {
            String running = turn.machine.launch().orElseThrow().plan().modelId();
            turn.machine = turn.machine.withSwappedFrom(Optional.of(running)
                    .filter(model -> !model.equals(request.plan().modelId())));
        }
        enqueue(operations, request);
        departure.leave(
                force, request.cause(), "makes way for " + request.plan().modelId());
    }

    /** Waits for the running stop; a newer wish takes the place of an older one. */
    private void enqueue(Set<OperationId> operations, LoadRequest request) {
        Set<OperationId> all = operations;
        LoadRequest kept = request;
        Instant since = turn.now;
        if (turn.machine.next().isPresent()) {
            SlotMachine.NextLaunch waiting = turn.machine.next().get();
            if (waiting.request().plan().hash().equals(request.plan().hash())) {
                all = SlotTurn.union(waiting.operations(), operations);
                since = waiting.since();
                // Joining one that waits already changes nothing about it, unless this one insists.
                kept = request.force() ? request : waiting.request();
            } else if (!request.replace()) {
                all = SlotTurn.union(waiting.operations(), operations);
                since = waiting.since();
                kept = waiting.request();
            } else {
                turn.cancelNext("a newer load replaced it");
            }
        }
        turn.machine = turn.machine
                .withNext(Optional.of(new SlotMachine.NextLaunch(kept, all, since)))
                .withDesired(true);
    }

    /** For a wish that changes nothing else: that the slot should be loaded must outlive the control plane. */
    private void enqueueDurably(Set<OperationId> operations, LoadRequest request) {
        enqueue(operations, request);
        turn.effect(new SlotEffect.Persist(turn.machine));
    }

    void forget() {
        if (turn.machine.launch().isPresent()) {
            // A load came between the unload and the deletion; what it started has no definition any more.
            turn.cancelNext("the slot was deleted");
            turn.machine = turn.machine.withDesired(false);
            departure.leave(true, CauseCode.DELETED, "the slot was deleted");
            return;
        }
        turn.effect(new SlotEffect.Fail(turn.machine.everyoneWaiting(), deleted()));
        turn.cancelNext("the slot was deleted");
        turn.effect(new SlotEffect.Erase(turn.machine.slot()));
        turn.forgotten = true;
    }

    private Hal0Exception deleted() {
        return new Hal0Exception(ErrorCode.SLOT_NOT_FOUND, "Slot " + turn.machine.slot() + " was deleted.");
    }

    /** Why a request may not cause another attempt yet: the first failure may be an accident, the second is not. */
    private Optional<Hal0Exception> pause() {
        if (turn.machine.failure().isEmpty() || turn.machine.failures() < 2) {
            return Optional.empty();
        }
        Duration remaining =
                Duration.between(turn.now, turn.machine.since().plus(SlotTurn.pauseAfter(turn.machine.failures() - 1)));
        return remaining.isPositive()
                ? Optional.of(turn.machine.failure().get().withRetryAfter(remaining.plusMillis(999)))
                : Optional.empty();
    }

    private boolean samePlan(LoadRequest request) {
        return turn.machine
                .launch()
                .filter(current -> current.plan().hash().equals(request.plan().hash()))
                .isPresent();
    }
}
