package dev.hal0.slots;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.slots.SlotMachine.Closing;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/**
 * A slot's way up, from a load whose turn has come to {@code READY}. A launch is recorded durably before it is started. A
 * result of another launch than the current one changes nothing; a workload of another launch is stopped.
 */
final class SlotArrival {
    private final SlotTurn turn;
    private final SlotDeparture departure;

    SlotArrival(SlotTurn turn, SlotDeparture departure) {
        this.turn = turn;
        this.departure = departure;
    }

    /** There is room: the load that waited begins. */
    void begin() {
        SlotMachine.NextLaunch waited = turn.machine.next().orElseThrow();
        LoadRequest request = waited.request();
        var launch = new Launch(request.nonce(), request.plan(), request.needBytes(), Optional.empty());
        turn.machine = turn.machine.withNext(Optional.empty()).withDesired(true).withOperations(waited.operations());
        if (request.prepared()) {
            start(launch, request.cause());
        } else {
            turn.machine = turn.machine.withLaunch(Optional.of(launch));
            turn.move(
                    SlotEdge.PULL,
                    request.cause(),
                    "fetching the engine " + request.plan().engine());
            turn.effect(new SlotEffect.Prepare(launch));
        }
    }

    void start(Launch launch, CauseCode cause) {
        turn.machine = turn.machine.withLaunch(Optional.of(launch));
        turn.move(
                SlotEdge.START,
                cause,
                "starting " + launch.plan().engine() + " with " + launch.plan().modelId());
        turn.effect(new SlotEffect.Start(launch));
    }

    void launched(Workload workload) {
        if (!turn.machine.isLaunching(workload.nonce())) {
            turn.effect(new SlotEffect.StopStray(workload));
            return;
        }
        Launch launch = turn.machine.launch().orElseThrow().seenAs(workload.incarnation());
        turn.machine = turn.machine.withLaunch(Optional.of(launch));
        turn.effect(new SlotEffect.Attend(workload));
        if (turn.machine.state() == SlotState.UNLOADING) {
            // Cancelled while the spawn was under way: it goes out the way it came.
            turn.effect(new SlotEffect.Persist(turn.machine));
            departure.close(false, turn.machine.cause());
            return;
        }
        turn.move(SlotEdge.WARM, CauseCode.LAUNCHED, "loading " + launch.plan().modelId());
        turn.effect(new SlotEffect.AwaitAnswer(launch, true));
    }

    void adopt(Workload workload) {
        Launch launch = turn.machine.launch().orElseThrow().seenAs(workload.incarnation());
        turn.machine = turn.machine.withLaunch(Optional.of(launch)).withClosing(Closing.NO);
        turn.effect(new SlotEffect.Attend(workload));
        turn.move(SlotEdge.ADOPT, CauseCode.ADOPTED, "found running after a restart of the control plane");
        turn.effect(new SlotEffect.AwaitAnswer(launch, true));
    }

    void launchFailed(String nonce, Hal0Exception why) {
        if (!turn.machine.isLaunching(nonce)) {
            return;
        }
        if (turn.machine.state() == SlotState.UNLOADING) {
            departure.stopped();
        } else if (turn.machine.state() == SlotState.STARTING) {
            departure.fail(CauseCode.ofLaunchFailure(why.code()), why);
        }
    }

    void answered(Incarnation incarnation) {
        if (turn.machine.state() != SlotState.WARMING || !turn.machine.runs(incarnation)) {
            return;
        }
        turn.machine = turn.machine.recovered().withSwappedFrom(Optional.empty());
        turn.move(
                SlotEdge.BECOME_READY,
                CauseCode.HEALTHY,
                "",
                new SlotEffect.OpenGate(
                        turn.machine.slot(),
                        incarnation,
                        turn.machine.launch().orElseThrow().plan().permits()));
        turn.effect(new SlotEffect.Finish(turn.machine.operations(), "loaded"));
        turn.machine = turn.machine.withOperations(Set.of());
    }

    /** The load that waits is told why it waits; only when that is something new. */
    void waitFor(String reason) {
        if (!turn.machine.message().equals(reason)) {
            turn.machine = turn.machine.withMessage(reason);
            turn.effect(new SlotEffect.Publish(turn.machine, turn.machine.state(), Optional.empty()));
        }
    }

    /** The load that waits for room gets none. */
    void refuse(Hal0Exception why) {
        turn.machine = turn.machine.withDesired(false);
        Hal0Exception told = turn.undoSwap(why);
        turn.machine.next().ifPresent(waited -> turn.effect(new SlotEffect.Fail(waited.operations(), told)));
        turn.machine = turn.machine.withNext(Optional.empty()).withMessage(told.message());
        turn.effect(new SlotEffect.Persist(turn.machine));
        turn.effect(new SlotEffect.Publish(turn.machine, turn.machine.state(), Optional.empty()));
    }

    /** A slot that should be loaded and failed is tried again, each time later. */
    void retryIfDue() {
        Optional<Instant> due = turn.machine.retryDue();
        if (due.isEmpty() || turn.now.isBefore(due.get())) {
            return;
        }
        turn.effect(new SlotEffect.Reload(turn.machine.slot(), CauseCode.RETRY));
        // In case nothing comes of it, such as a model file that is gone.
        turn.machine = turn.machine.withRetryAt(turn.now.plus(SlotTurn.pauseAfter(turn.machine.failures() + 1)));
    }
}
