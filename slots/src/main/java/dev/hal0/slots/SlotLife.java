package dev.hal0.slots;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.SlotMachine.Closing;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One slot's life: what becomes of its machine when it hears something. Whether there is room for a load is not decided here:
 * a load that could begin is left in {@link SlotMachine#next}, and {@link Scheduler} calls {@link #begin} when its turn comes.
 *
 * <ul>
 *   <li>A launch is recorded durably before it is started, and stays recorded until its workload is known to be gone: a slot
 *       is {@code OFFLINE} or {@code ERROR} only when nothing of it runs.
 *   <li>A ready workload leaves only through its gate: closed while nobody is inside, drained, revoked, or found dead (which
 *       revokes as well, so that those inside hear of it at once).
 *   <li>A newer wish wins: an unload cancels a load under way, a load with another plan replaces it.
 *   <li>A result of another launch than the current one changes nothing; a workload of another launch is stopped.
 *   <li>Every operation ends: finished, failed or cancelled.
 * </ul>
 *
 * <p>Lives for one step.
 */
final class SlotLife {
    /** First pause after a failed attempt; doubles with each further one to {@link #LONGEST_PAUSE}. */
    static final Duration FIRST_PAUSE = Duration.ofSeconds(2);

    static final Duration LONGEST_PAUSE = Duration.ofSeconds(300);

    private final Instant now;
    private final List<SlotEffect> effects;
    private SlotMachine machine;
    private boolean forgotten;

    /** @param effects are added to */
    SlotLife(SlotMachine machine, Instant now, List<SlotEffect> effects) {
        this.machine = machine;
        this.now = now;
        this.effects = effects;
    }

    SlotMachine machine() {
        return machine;
    }

    /** Whether the slot is to be known no more. */
    boolean isForgotten() {
        return forgotten;
    }

    /**
     * What a new control plane starts from: the record of the last one, and whether its launch still runs.
     *
     * @param found the live workload of the recorded launch
     */
    void recover(Optional<Workload> found) {
        if (found.isPresent()) {
            adopt(found.get());
        } else {
            machine = machine.withLaunch(Optional.empty());
            effects.add(new SlotEffect.Persist(machine));
        }
    }

    void handle(SlotEvent event) {
        switch (event) {
            case SlotEvent.LoadWanted(SlotName slot, OperationId operation, LoadRequest request) ->
                load(operation, request);
            case SlotEvent.UnloadWanted(SlotName slot, OperationId operation, boolean force, CauseCode cause) ->
                unload(operation, force, cause);
            case SlotEvent.RestartWanted(SlotName slot, OperationId operation, boolean force, LoadRequest request) ->
                restart(operation, force, request);
            case SlotEvent.Doubted(SlotName slot, Incarnation incarnation, String reason) -> doubt(incarnation, reason);
            case SlotEvent.Forgotten(SlotName slot) -> forget();
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
            case SlotEvent.CloseRefused(SlotName slot, Incarnation incarnation) -> closeRefused(incarnation);
            case SlotEvent.Measured(SlotName slot, Incarnation incarnation, long bytes) -> measured(incarnation, bytes);
            case SlotEvent.Hung(SlotName slot, Incarnation incarnation, String evidence) -> hung(incarnation, evidence);
        }
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
                    enqueueDurably(Set.of(operation), request);
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
                    enqueueDurably(Set.of(operation), request);
                }
            }
            case PULLING, STARTING, WARMING, READY, SERVING, IDLE -> replace(Set.of(operation), request, force);
            case UNLOADING -> {
                enqueueDurably(Set.of(operation), request);
                if (force && machine.isClosing()) {
                    close(true, CauseCode.OPERATOR_FORCE);
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
        LoadRequest kept = request;
        Instant since = now;
        if (machine.next().isPresent()) {
            SlotMachine.NextLaunch waiting = machine.next().get();
            if (waiting.request().plan().hash().equals(request.plan().hash())) {
                all = union(waiting.operations(), operations);
                since = waiting.since();
                // Joining one that waits already changes nothing about it, unless this one insists.
                kept = request.force() ? request : waiting.request();
            } else if (!request.replace()) {
                all = union(waiting.operations(), operations);
                since = waiting.since();
                kept = waiting.request();
            } else {
                cancelNext("a newer load replaced it");
            }
        }
        machine = machine.withNext(Optional.of(new SlotMachine.NextLaunch(kept, all, since)))
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

    private void forget() {
        if (machine.launch().isPresent()) {
            // A load came between the unload and the deletion; what it started has no definition any more.
            cancelNext("the slot was deleted");
            machine = machine.withDesired(false);
            leave(true, CauseCode.DELETED, "the slot was deleted");
            return;
        }
        effects.add(new SlotEffect.Fail(machine.everyoneWaiting(), deleted()));
        cancelNext("the slot was deleted");
        effects.add(new SlotEffect.Erase(machine.slot()));
        forgotten = true;
    }

    private Hal0Exception deleted() {
        return new Hal0Exception(ErrorCode.SLOT_NOT_FOUND, "Slot " + machine.slot() + " was deleted.");
    }

    // The way up

    /** There is room: the load that waited begins. */
    void begin() {
        SlotMachine.NextLaunch waited = machine.next().orElseThrow();
        LoadRequest request = waited.request();
        var launch = new Launch(request.nonce(), request.plan(), request.needBytes(), Optional.empty());
        machine = machine.withNext(Optional.empty()).withDesired(true).withOperations(waited.operations());
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
            close(false, machine.cause());
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
                close(force, cause);
            }
            case READY, SERVING, IDLE -> {
                machine = machine.withMessage(message);
                effects.add(new SlotEffect.Persist(machine));
                close(force, cause);
            }
            case ERROR -> {
                move(SlotEdge.DRAIN, cause, message);
                close(true, cause);
            }
            case UNLOADING -> {
                effects.add(new SlotEffect.Persist(machine));
                if (force && machine.launch().flatMap(Launch::incarnation).isPresent()) {
                    close(true, cause);
                }
            }
            case OFFLINE -> throw new IllegalStateException("an offline slot has nothing to leave");
        }
    }

    private void close(boolean force, CauseCode why) {
        Incarnation incarnation = machine.launch().flatMap(Launch::incarnation).orElseThrow();
        if (!force && machine.closing().compareTo(Closing.DRAINING) < 0) {
            effects.add(new SlotEffect.Drain(machine.slot(), incarnation));
            machine = machine.withClosing(Closing.DRAINING, why);
        } else if (force && machine.closing().compareTo(Closing.REVOKING) < 0) {
            effects.add(new SlotEffect.Revoke(machine.slot(), incarnation, RevokeCause.OPERATOR_FORCE));
            machine = machine.withClosing(Closing.REVOKING, why);
        }
    }

    /**
     * The scheduler wants the memory of a ready workload. Nobody inside is cut: either the gate closes only if nobody happens
     * to be there, or it is drained.
     *
     * @param drain close it to new requests and wait
     */
    void giveWay(boolean drain, CauseCode why, String message) {
        if (machine.state() != SlotState.READY || machine.closing().compareTo(Closing.DRAINING) >= 0) {
            return;
        }
        if (drain) {
            machine = machine.withDesired(false).withMessage(message);
            effects.add(new SlotEffect.Persist(machine));
            close(false, why);
        } else if (!machine.isClosing()) {
            Incarnation incarnation =
                    machine.launch().flatMap(Launch::incarnation).orElseThrow();
            effects.add(new SlotEffect.TryClose(machine.slot(), incarnation));
            machine = machine.withMessage(message).withClosing(Closing.TRYING, why);
        }
    }

    private void closeRefused(Incarnation incarnation) {
        if (machine.runs(incarnation) && machine.closing() == Closing.TRYING) {
            // Whoever wanted it back meanwhile has it: nothing but this attempt stood in the way.
            machine.next().ifPresent(next -> effects.add(new SlotEffect.Finish(next.operations(), "already loaded")));
            machine = machine.withNext(Optional.empty()).withClosing(Closing.NO).withMessage("");
        }
    }

    /** The load that waits is told why it waits; only when that is something new. */
    void waitFor(String reason) {
        if (!machine.message().equals(reason)) {
            machine = machine.withMessage(reason);
            effects.add(new SlotEffect.Publish(machine, machine.state(), Optional.empty()));
        }
    }

    /** The load that waits for room gets none. */
    void refuse(Hal0Exception why) {
        machine.next().ifPresent(waited -> effects.add(new SlotEffect.Fail(waited.operations(), why)));
        machine = machine.withNext(Optional.empty()).withDesired(false).withMessage(why.message());
        effects.add(new SlotEffect.Persist(machine));
        effects.add(new SlotEffect.Publish(machine, machine.state(), Optional.empty()));
    }

    /** A slot that should be loaded and failed is tried again, each time later. */
    void retryIfDue() {
        boolean failed = machine.desired()
                && machine.launch().isEmpty()
                && machine.next().isEmpty()
                && machine.failure().isPresent();
        if (!failed) {
            return;
        }
        Instant due = machine.retryAt().orElseGet(() -> machine.since().plus(pauseAfter(machine.failures())));
        if (now.isBefore(due)) {
            return;
        }
        effects.add(new SlotEffect.Retry(machine.slot()));
        // In case nothing comes of it, such as a model file that is gone.
        machine = machine.withRetryAt(now.plus(pauseAfter(machine.failures() + 1)));
    }

    private void measured(Incarnation incarnation, long bytes) {
        if (!machine.runs(incarnation)) {
            return;
        }
        String plan = machine.launch().orElseThrow().plan().hash();
        boolean more = machine.learned()
                .filter(known -> known.planHash().equals(plan) && known.bytes() >= bytes)
                .isEmpty();
        if (more) {
            machine = machine.withLearned(new SlotMachine.Learned(plan, bytes));
            effects.add(new SlotEffect.Persist(machine));
        }
    }

    /** Its health is fine and it does not move: those inside are told, and it is started anew. */
    private void hung(Incarnation incarnation, String evidence) {
        if (machine.state() != SlotState.READY
                || !machine.runs(incarnation)
                || machine.closing().compareTo(Closing.REVOKING) >= 0) {
            return;
        }
        boolean asked = machine.closing() == Closing.DRAINING;
        var why = new Hal0Exception(
                        ErrorCode.SLOT_CRASHED, "The engine of slot " + machine.slot() + " stopped moving: " + evidence)
                .withDetail("evidence", evidence);
        if (!asked) {
            machine = machine.withFailure(why);
        }
        effects.add(new SlotEffect.Revoke(machine.slot(), incarnation, RevokeCause.ENGINE_HUNG));
        machine = machine.withClosing(Closing.REVOKING, CauseCode.ENGINE_HUNG).withMessage(why.message());
        effects.add(new SlotEffect.Persist(machine));
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
        machine = machine.withClosing(Closing.REVOKING, cause);
    }

    private void gateClosed(ClosedGate proof) {
        if (!machine.runs(proof.incarnation()) || machine.closing() == Closing.STOPPING) {
            return;
        }
        if (machine.state() == SlotState.READY) {
            if (machine.closing() == Closing.TRYING) {
                machine = machine.withDesired(false);
            }
            move(SlotEdge.DRAIN, machine.closingCause(), machine.message());
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
        machine = machine.withStopping(Set.of()).withClosing(Closing.NO);
        if (machine.next().isPresent()) {
            machine = machine.withoutFailure();
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

    /** Why a request may not cause another attempt yet: the first failure may be an accident, the second is not. */
    private Optional<Hal0Exception> pause() {
        if (machine.failure().isEmpty() || machine.failures() < 2) {
            return Optional.empty();
        }
        Duration remaining = Duration.between(now, machine.since().plus(pauseAfter(machine.failures() - 1)));
        return remaining.isPositive()
                ? Optional.of(machine.failure().get().withRetryAfter(remaining.plusMillis(999)))
                : Optional.empty();
    }

    private static Duration pauseAfter(int failures) {
        long doubled = FIRST_PAUSE.toMillis() << Math.clamp(failures - 1, 0, 8);
        return Duration.ofMillis(Math.min(doubled, LONGEST_PAUSE.toMillis()));
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

    private static Set<OperationId> with(Set<OperationId> set, OperationId one) {
        return union(set, Set.of(one));
    }

    private static Set<OperationId> union(Set<OperationId> one, Set<OperationId> other) {
        var all = new HashSet<>(one);
        all.addAll(other);
        return Set.copyOf(all);
    }
}
