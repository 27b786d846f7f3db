package dev.hal0.slots;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.SlotMachine.Closing;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Every decision about slots, as a pure function: {@code step(state, event, now) → (state, effects)}. No clock, no I/O, no
 * logging: it may be run a million times in a test, and one line of history equals one real event.
 *
 * <p>Rules that the whole class keeps:
 *
 * <ul>
 *   <li>A launch is recorded durably before it is started, and stays recorded until its workload is known to be gone: a slot
 *       is {@code OFFLINE} or {@code ERROR} only when nothing of it runs.
 *   <li>A ready workload leaves only through its gate: drained, revoked, or found dead (which revokes as well, so that those
 *       inside hear of it at once).
 *   <li>A newer wish wins: an unload cancels a load under way, a load with another plan replaces it.
 *   <li>A result of another launch than the current one changes nothing; a workload of another launch is stopped.
 *   <li>Every operation ends: finished, failed or cancelled.
 * </ul>
 */
final class Scheduler {
    /** First pause after the second failed attempt in a row, for requests, not for people; doubles to {@link #LONGEST_PAUSE}. */
    static final Duration FIRST_PAUSE = Duration.ofSeconds(2);

    static final Duration LONGEST_PAUSE = Duration.ofSeconds(300);

    record Step(SchedulerState state, List<SlotEffect> effects) {}

    private final SchedulerState before;
    private final Instant now;
    private final List<SlotEffect> effects = new ArrayList<>();
    private SlotMachine machine;

    private Scheduler(SchedulerState before, SlotMachine machine, Instant now) {
        this.before = before;
        this.machine = machine;
        this.now = now;
    }

    static Step step(SchedulerState state, SlotEvent event, Instant now) {
        SlotMachine machine = state.machine(event.slot()).orElseGet(() -> SlotMachine.offline(event.slot(), now));
        return new Scheduler(state, machine, now).handle(event);
    }

    /**
     * What a new control plane starts from: the record of the last one, and whether its launch still runs.
     *
     * @param found the live workload of the recorded launch
     */
    static Step recover(SchedulerState state, SlotMachine recorded, Optional<Workload> found, Instant now) {
        var scheduler = new Scheduler(state, recorded, now);
        if (found.isPresent()) {
            scheduler.adopt(found.get());
        } else {
            scheduler.machine = recorded.withLaunch(Optional.empty());
            scheduler.effects.add(new SlotEffect.Persist(scheduler.machine));
        }
        return scheduler.result();
    }

    private Step handle(SlotEvent event) {
        switch (event) {
            case SlotEvent.LoadWanted(SlotName slot, OperationId operation, LoadRequest request) ->
                load(operation, request);
            case SlotEvent.UnloadWanted(SlotName slot, OperationId operation, boolean force, CauseCode cause) ->
                unload(operation, force, cause);
            case SlotEvent.RestartWanted(SlotName slot, OperationId operation, boolean force, LoadRequest request) ->
                restart(operation, force, request);
            case SlotEvent.Doubted(SlotName slot, Incarnation incarnation, String reason) -> doubt(incarnation, reason);
            case SlotEvent.Forgotten(SlotName slot) -> {
                return forget();
            }
            case SlotEvent.Prepared(SlotName slot, String nonce) -> {
                if (machine.isLaunching(nonce) && machine.state() == SlotState.PULLING) {
                    start(machine.launch().orElseThrow(), machine.cause());
                }
            }
            case SlotEvent.PrepareFailed(SlotName slot, String nonce, Hal0Exception why) -> {
                if (machine.isLaunching(nonce) && machine.state() == SlotState.PULLING) {
                    fail(CauseCode.ENGINE_MISSING, why);
                }
            }
            case SlotEvent.Progressed(SlotName slot, String nonce, String message) -> {
                if (machine.isLaunching(nonce)
                        && machine.state().isTransitional()
                        && machine.state() != SlotState.UNLOADING
                        && !machine.message().equals(message)) {
                    machine = machine.withMessage(message);
                    effects.add(new SlotEffect.Publish(machine, machine.state(), Optional.empty()));
                }
            }
            case SlotEvent.Launched(SlotName slot, Workload workload) -> launched(workload);
            case SlotEvent.LaunchFailed(SlotName slot, String nonce, Hal0Exception why) -> launchFailed(nonce, why);
            case SlotEvent.Answered(SlotName slot, Incarnation incarnation) -> answered(incarnation);
            case SlotEvent.Mismatched(SlotName slot, Incarnation incarnation, List<String> differences) ->
                giveUp(
                        incarnation,
                        CauseCode.PLAN_MISMATCH,
                        new Hal0Exception(
                                        ErrorCode.SLOT_PLAN_MISMATCH,
                                        "The engine of slot " + machine.slot() + " does not run as asked: "
                                                + String.join("; ", differences))
                                .withDetail("differences", differences));
            case SlotEvent.Unanswered(SlotName slot, Incarnation incarnation, String reason) ->
                giveUp(
                        incarnation,
                        CauseCode.LOAD_TIMEOUT,
                        new Hal0Exception(
                                ErrorCode.SLOT_HEALTH_FAILED,
                                "Slot " + machine.slot() + " did not become ready: " + reason));
            case SlotEvent.Exited(SlotName slot, Incarnation incarnation, Exit exit) -> exited(incarnation, exit);
            case SlotEvent.GateClosed(SlotName slot, ClosedGate proof) -> gateClosed(proof);
            case SlotEvent.DrainExpired(SlotName slot, Incarnation incarnation) -> drainExpired(incarnation);
            case SlotEvent.Stopped(SlotName slot, Incarnation incarnation) -> {
                if (machine.state() == SlotState.UNLOADING && machine.runs(incarnation)) {
                    stopped();
                }
            }
            case SlotEvent.StopFailed(SlotName slot, Incarnation incarnation, Hal0Exception why) ->
                stopFailed(incarnation, why);
        }
        return result();
    }

    // Wishes

    private void load(OperationId operation, LoadRequest request) {
        switch (machine.state()) {
            case OFFLINE, ERROR -> {
                Optional<Hal0Exception> tooEarly = request.cause() == CauseCode.REQUEST ? pause() : Optional.empty();
                if (tooEarly.isPresent()) {
                    effects.add(new SlotEffect.Fail(List.of(operation), tooEarly.get()));
                } else if (machine.launch().isPresent()) {
                    // A stop failed: something of the slot still runs and must go first.
                    replace(Set.of(operation), request, false);
                } else {
                    begin(Set.of(operation), request);
                }
            }
            case PULLING, STARTING, WARMING -> {
                if (samePlan(request) || !request.replace()) {
                    machine = machine.withOperations(with(machine.operations(), operation));
                } else {
                    replace(Set.of(operation), request, false);
                }
            }
            case READY, SERVING, IDLE -> {
                if (samePlan(request) || !request.replace()) {
                    if (machine.isClosing()) {
                        enqueueDurably(Set.of(operation), request);
                    } else {
                        effects.add(new SlotEffect.Finish(List.of(operation), "already loaded"));
                    }
                } else {
                    replace(Set.of(operation), request, false);
                }
            }
            case UNLOADING -> enqueueDurably(Set.of(operation), request);
        }
    }

    private void restart(OperationId operation, boolean force, LoadRequest request) {
        switch (machine.state()) {
            case OFFLINE, ERROR -> {
                if (machine.launch().isPresent()) {
                    replace(Set.of(operation), request, force);
                } else {
                    begin(Set.of(operation), request);
                }
            }
            case PULLING, STARTING, WARMING, READY, SERVING, IDLE -> replace(Set.of(operation), request, force);
            case UNLOADING -> {
                enqueueDurably(Set.of(operation), request);
                if (force && machine.isClosing()) {
                    close(true);
                }
            }
        }
    }

    private void unload(OperationId operation, boolean force, CauseCode cause) {
        cancelNext("an unload replaced it");
        machine = machine.withDesired(false);
        if ((machine.state() == SlotState.OFFLINE || machine.state() == SlotState.ERROR)
                && machine.launch().isEmpty()) {
            if (machine.state() == SlotState.ERROR) {
                machine = machine.withoutFailure();
            }
            effects.add(new SlotEffect.Persist(machine));
            effects.add(new SlotEffect.Finish(List.of(operation), "not loaded"));
            return;
        }
        machine = machine.withStopping(with(machine.stopping(), operation));
        leave(force, cause, force ? "stopped by force" : "unload asked");
    }

    /** Stops what is there, then starts the request. */
    private void replace(Set<OperationId> operations, LoadRequest request, boolean force) {
        enqueue(operations, request);
        leave(force, request.cause(), "makes way for " + request.plan().modelId());
    }

    /** Waits for the running stop; a newer wish takes the place of an older one. */
    private void enqueue(Set<OperationId> operations, LoadRequest request) {
        Set<OperationId> all = operations;
        if (machine.next().isPresent()) {
            SlotMachine.NextLaunch waiting = machine.next().get();
            if (waiting.request().plan().hash().equals(request.plan().hash())) {
                all = union(waiting.operations(), operations);
            } else {
                cancelNext("a newer load replaced it");
            }
        }
        machine = machine.withNext(Optional.of(new SlotMachine.NextLaunch(request, all)))
                .withDesired(true);
    }

    /** For a wish that changes nothing else: that the slot should be loaded must outlive the control plane. */
    private void enqueueDurably(Set<OperationId> operations, LoadRequest request) {
        enqueue(operations, request);
        effects.add(new SlotEffect.Persist(machine));
    }

    private void cancelNext(String why) {
        machine.next().ifPresent(next -> effects.add(new SlotEffect.Cancel(next.operations(), why)));
        machine = machine.withNext(Optional.empty());
    }

    private void doubt(Incarnation incarnation, String reason) {
        if (machine.state() != SlotState.READY || !machine.runs(incarnation) || machine.isClosing()) {
            return;
        }
        effects.add(new SlotEffect.SuspendGate(machine.slot(), incarnation));
        move(SlotEdge.DOUBT, CauseCode.UNRESPONSIVE, reason);
        effects.add(new SlotEffect.AwaitAnswer(machine.launch().orElseThrow(), false));
    }

    private Step forget() {
        if (machine.launch().isPresent()) {
            // A load came between the unload and the deletion; what it started has no definition any more.
            cancelNext("the slot was deleted");
            machine = machine.withDesired(false);
            leave(true, CauseCode.DELETED, "the slot was deleted");
            return result();
        }
        effects.add(new SlotEffect.Fail(machine.everyoneWaiting(), deleted()));
        cancelNext("the slot was deleted");
        effects.add(new SlotEffect.Erase(machine.slot()));
        return new Step(before.without(machine.slot()), effects);
    }

    private Hal0Exception deleted() {
        return new Hal0Exception(ErrorCode.SLOT_NOT_FOUND, "Slot " + machine.slot() + " was deleted.");
    }

    // The way up

    private void begin(Set<OperationId> operations, LoadRequest request) {
        var launch = new Launch(request.nonce(), request.plan(), Optional.empty());
        machine = machine.withDesired(true).withOperations(operations);
        if (request.prepared()) {
            start(launch, request.cause());
        } else {
            machine = machine.withLaunch(Optional.of(launch));
            move(
                    SlotEdge.PULL,
                    request.cause(),
                    "fetching the engine " + request.plan().engine());
            effects.add(new SlotEffect.Prepare(launch));
        }
    }

    private void start(Launch launch, CauseCode cause) {
        machine = machine.withLaunch(Optional.of(launch));
        move(
                SlotEdge.START,
                cause,
                "starting " + launch.plan().engine() + " with " + launch.plan().modelId());
        effects.add(new SlotEffect.Start(launch));
    }

    private void launched(Workload workload) {
        if (!machine.isLaunching(workload.nonce())) {
            effects.add(new SlotEffect.StopStray(workload));
            return;
        }
        Launch launch = machine.launch().orElseThrow().seenAs(workload.incarnation());
        machine = machine.withLaunch(Optional.of(launch));
        effects.add(new SlotEffect.Attend(workload));
        if (machine.state() == SlotState.UNLOADING) {
            // Cancelled while the spawn was under way: it goes out the way it came.
            effects.add(new SlotEffect.Persist(machine));
            close(false);
            return;
        }
        move(SlotEdge.WARM, CauseCode.LAUNCHED, "loading " + launch.plan().modelId());
        effects.add(new SlotEffect.AwaitAnswer(launch, true));
    }

    private void adopt(Workload workload) {
        Launch launch = machine.launch().orElseThrow().seenAs(workload.incarnation());
        machine = machine.withLaunch(Optional.of(launch)).withClosing(Closing.NO);
        effects.add(new SlotEffect.Attend(workload));
        move(SlotEdge.ADOPT, CauseCode.ADOPTED, "found running after a restart of the control plane");
        effects.add(new SlotEffect.AwaitAnswer(launch, true));
    }

    private void launchFailed(String nonce, Hal0Exception why) {
        if (!machine.isLaunching(nonce)) {
            return;
        }
        if (machine.state() == SlotState.UNLOADING) {
            stopped();
        } else if (machine.state() == SlotState.STARTING) {
            fail(why.code() == ErrorCode.SLOT_PORT_CONFLICT ? CauseCode.PORT_TAKEN : CauseCode.SPAWN_FAILED, why);
        }
    }

    private void answered(Incarnation incarnation) {
        if (machine.state() != SlotState.WARMING || !machine.runs(incarnation)) {
            return;
        }
        machine = machine.withoutFailure();
        move(SlotEdge.BECOME_READY, CauseCode.HEALTHY, "");
        effects.add(new SlotEffect.OpenGate(
                machine.slot(),
                incarnation,
                machine.launch().orElseThrow().plan().permits()));
        effects.add(new SlotEffect.Finish(machine.operations(), "loaded"));
        machine = machine.withOperations(Set.of());
    }

    // The way down

    /** Brings the slot towards OFFLINE from wherever it is; those who waited for a load hear that it was cancelled. */
    private void leave(boolean force, CauseCode cause, String message) {
        effects.add(new SlotEffect.Cancel(machine.operations(), message));
        machine = machine.withOperations(Set.of());
        switch (machine.state()) {
            case PULLING -> {
                effects.add(new SlotEffect.AbandonPreparation(machine.slot()));
                move(SlotEdge.CANCEL, cause, message);
                stopped();
            }
            case STARTING ->
                // The spawn cannot be called back; its result decides how this ends.
                move(SlotEdge.CANCEL, cause, message);
            case WARMING -> {
                move(SlotEdge.CANCEL, cause, message);
                close(force);
            }
            case READY, SERVING, IDLE -> {
                machine = machine.withMessage(message);
                effects.add(new SlotEffect.Persist(machine));
                close(force);
            }
            case ERROR -> {
                move(SlotEdge.DRAIN, cause, message);
                close(true);
            }
            case UNLOADING -> {
                effects.add(new SlotEffect.Persist(machine));
                if (force && machine.launch().flatMap(Launch::incarnation).isPresent()) {
                    close(true);
                }
            }
            case OFFLINE -> throw new IllegalStateException("an offline slot has nothing to leave");
        }
    }

    private void close(boolean force) {
        Incarnation incarnation = machine.launch().flatMap(Launch::incarnation).orElseThrow();
        if (!force && machine.closing() == Closing.NO) {
            effects.add(new SlotEffect.Drain(machine.slot(), incarnation));
            machine = machine.withClosing(Closing.DRAINING);
        } else if (force && machine.closing().compareTo(Closing.REVOKING) < 0) {
            effects.add(new SlotEffect.Revoke(machine.slot(), incarnation, RevokeCause.OPERATOR_FORCE));
            machine = machine.withClosing(Closing.REVOKING);
        }
    }

    /** A warming workload is not going to be ready: it is stopped, and the slot shows why. */
    private void giveUp(Incarnation incarnation, CauseCode cause, Hal0Exception why) {
        if (machine.state() != SlotState.WARMING || !machine.runs(incarnation)) {
            return;
        }
        // Whoever waits hears of it when the workload is gone and the slot shows the failure.
        machine = machine.withFailure(why);
        move(SlotEdge.CANCEL, cause, why.message());
        effects.add(new SlotEffect.Revoke(machine.slot(), incarnation, RevokeCause.ENGINE_HUNG));
        machine = machine.withClosing(Closing.REVOKING);
    }

    private void gateClosed(ClosedGate proof) {
        if (!machine.runs(proof.incarnation()) || machine.closing() == Closing.STOPPING) {
            return;
        }
        if (machine.state() == SlotState.READY) {
            move(
                    SlotEdge.DRAIN,
                    machine.next().isPresent() ? CauseCode.OPERATOR_RESTART : CauseCode.OPERATOR_UNLOAD,
                    "stopping");
        }
        if (machine.state() == SlotState.UNLOADING) {
            machine = machine.withClosing(Closing.STOPPING);
            effects.add(new SlotEffect.Stop(machine.launch().orElseThrow().workload(), proof));
        }
    }

    private void drainExpired(Incarnation incarnation) {
        if (!machine.runs(incarnation) || machine.closing() != Closing.DRAINING) {
            return;
        }
        if (machine.state() == SlotState.UNLOADING) {
            // Nobody can enter any more, but somebody never left: keep waiting, `force` ends it.
            effects.add(new SlotEffect.Drain(machine.slot(), incarnation));
            return;
        }
        var busy = new Hal0Exception(
                        ErrorCode.SLOT_BUSY,
                        "Slot " + machine.slot() + " is still serving; it stays loaded. Use force to end its requests.")
                .withRetryAfter(Duration.ofSeconds(30));
        Set<OperationId> waiting = machine.stopping();
        if (machine.next().isPresent()) {
            waiting = union(waiting, machine.next().get().operations());
        }
        effects.add(new SlotEffect.Fail(waiting, busy));
        machine = machine.withClosing(Closing.NO)
                .withStopping(Set.of())
                .withNext(Optional.empty())
                .withDesired(true)
                .withMessage("");
        effects.add(new SlotEffect.Persist(machine));
    }

    private void exited(Incarnation incarnation, Exit exit) {
        if (!machine.runs(incarnation)) {
            return;
        }
        var why = new Hal0Exception(
                        ErrorCode.SLOT_CRASHED, "The engine of slot " + machine.slot() + " ended: " + exit.describe())
                .withDetail("last_lines", exit.lastLines());
        switch (machine.state()) {
            case WARMING -> {
                effects.add(new SlotEffect.Abandon(machine.slot(), incarnation));
                fail(CauseCode.ENGINE_EXITED, why);
            }
            case READY, SERVING, IDLE -> {
                effects.add(new SlotEffect.Abandon(machine.slot(), incarnation));
                machine = machine.withLaunch(Optional.empty()).withFailure(why);
                boolean wasAsked = machine.isClosing();
                move(SlotEdge.LOST, CauseCode.ENGINE_EXITED, why.message());
                if (wasAsked) {
                    finishStop();
                }
            }
            case UNLOADING -> {
                // The stop is under way and will say so itself; being dead already makes it quick. Those inside need
                // not
                // find that out, and the drain need not wait for them.
                if (machine.closing() == Closing.DRAINING) {
                    effects.add(new SlotEffect.Abandon(machine.slot(), incarnation));
                }
            }
            case ERROR -> {
                machine = machine.withLaunch(Optional.empty());
                effects.add(new SlotEffect.Persist(machine));
            }
            case OFFLINE, PULLING, STARTING ->
                throw new IllegalStateException(
                        "slot " + machine.slot() + " runs " + incarnation + " while " + machine.state());
        }
    }

    private void stopped() {
        machine = machine.withLaunch(Optional.empty());
        if (machine.failure().isPresent()
                && machine.next().isEmpty()
                && machine.stopping().isEmpty()) {
            Hal0Exception why = machine.failure().get();
            Set<OperationId> waiting = machine.operations();
            machine = machine.withClosing(Closing.NO).withOperations(Set.of());
            move(SlotEdge.FAIL, machine.cause(), why.message());
            effects.add(new SlotEffect.Fail(waiting, why));
            return;
        }
        failOperations();
        move(SlotEdge.STOPPED, CauseCode.STOPPED, "");
        finishStop();
    }

    /** Those who waited for a load that was given up, where its stop does not end as they were promised. */
    private void failOperations() {
        machine.failure().ifPresent(why -> effects.add(new SlotEffect.Fail(machine.operations(), why)));
        machine = machine.withOperations(Set.of());
    }

    private void finishStop() {
        effects.add(new SlotEffect.Finish(machine.stopping(), "unloaded"));
        Optional<SlotMachine.NextLaunch> next = machine.next();
        machine = machine.withStopping(Set.of()).withNext(Optional.empty()).withClosing(Closing.NO);
        if (next.isPresent()) {
            machine = machine.withoutFailure();
            begin(next.get().operations(), next.get().request());
        }
    }

    private void stopFailed(Incarnation incarnation, Hal0Exception why) {
        if (machine.state() != SlotState.UNLOADING || !machine.runs(incarnation)) {
            return;
        }
        failOperations();
        effects.add(new SlotEffect.Fail(machine.stopping(), why));
        machine.next().ifPresent(next -> effects.add(new SlotEffect.Fail(next.operations(), why)));
        machine = machine.withStopping(Set.of())
                .withNext(Optional.empty())
                .withClosing(Closing.NO)
                .withFailure(why);
        move(SlotEdge.FAIL, CauseCode.STOP_TIMEOUT, why.message());
    }

    /** Nothing runs: the attempt is over. */
    private void fail(CauseCode cause, Hal0Exception why) {
        effects.add(new SlotEffect.Fail(machine.operations(), why));
        machine = machine.withOperations(Set.of()).withLaunch(Optional.empty()).withFailure(why);
        move(SlotEdge.FAIL, cause, why.message());
    }

    /** Why a request may not cause another attempt yet. */
    private Optional<Hal0Exception> pause() {
        if (machine.failure().isEmpty() || machine.failures() < 2) {
            return Optional.empty();
        }
        long doubled = FIRST_PAUSE.toMillis() << Math.min(machine.failures() - 2, 8);
        Duration pause = Duration.ofMillis(Math.min(doubled, LONGEST_PAUSE.toMillis()));
        Duration remaining = Duration.between(now, machine.since().plus(pause));
        return remaining.isPositive()
                ? Optional.of(machine.failure().get().withRetryAfter(remaining.plusMillis(999)))
                : Optional.empty();
    }

    private boolean samePlan(LoadRequest request) {
        return machine.launch()
                .filter(current -> current.plan().hash().equals(request.plan().hash()))
                .isPresent();
    }

    private void move(SlotEdge edge, CauseCode cause, String message) {
        SlotState from = machine.state();
        machine = machine.moved(edge, cause, message, now);
        effects.add(new SlotEffect.Persist(machine));
        effects.add(new SlotEffect.Publish(machine, from, Optional.of(edge)));
    }

    private Step result() {
        return new Step(before.with(machine), effects);
    }

    private static Set<OperationId> with(Set<OperationId> set, OperationId one) {
        return union(set, Set.of(one));
    }

    private static Set<OperationId> union(Set<OperationId> one, Set<OperationId> other) {
        var all = new HashSet<>(one);
        all.addAll(other);
        return Set.copyOf(all);
    }
}
