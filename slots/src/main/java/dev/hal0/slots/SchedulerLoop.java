package dev.hal0.slots;

import dev.hal0.kernel.EventBus;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.kernel.SteadyClock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The owner of the scheduler's state: one platform thread that takes events in order, steps, and performs the effects. A
 * platform thread because its records are forced to disk here, which must never wait for a free carrier.
 */
final class SchedulerLoop implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(SchedulerLoop.class);
    /** For events that concern no slot. */
    private static final SlotName NO_SLOT = new SlotName("gpu");

    private static final Duration LAST_WORDS = Duration.ofSeconds(2);
    /** How late what was put off may be. */
    private static final Duration TICK = Duration.ofMillis(250);

    private final SlotRecords records;
    private final Operations operations;
    private final EffectRunner effects;
    private final SlotRuntime runtime;
    private final SlotViews views;
    private final BiConsumer<SlotName, String> progress;
    private final BiConsumer<SlotName, CauseCode> reloads;
    private final Supplier<Observation> world;
    private final EventBus events;
    private final OperationLog history;
    private final SteadyClock clock;
    private final LinkedBlockingQueue<SlotEvent> queue = new LinkedBlockingQueue<>();
    private final Thread owner;
    private SchedulerState state = SchedulerState.EMPTY;
    private Instant nextTick = Instant.MIN;
    private volatile boolean closed;

    SchedulerLoop(
            SlotRecords records,
            Operations operations,
            Function<Consumer<SlotEvent>, EffectRunner> effects,
            SlotRuntime runtime,
            SlotViews views,
            BiConsumer<SlotName, String> progress,
            BiConsumer<SlotName, CauseCode> reloads,
            Supplier<Observation> world,
            EventBus events,
            OperationLog history,
            SteadyClock clock) {
        this.records = records;
        this.operations = operations;
        this.effects = effects.apply(this::post);
        this.runtime = runtime;
        this.views = views;
        this.progress = progress;
        this.reloads = reloads;
        this.world = world;
        this.events = events;
        this.history = history;
        this.clock = clock;
        this.owner = Thread.ofPlatform().daemon().name("slot-scheduler").unstarted(this::run);
    }

    void post(SlotEvent event) {
        if (!closed) {
            queue.add(event);
        }
    }

    /**
     * Looks for every recorded launch, then starts deciding.
     *
     * @return the slots that should be loaded and are not running
     */
    List<SlotName> start(List<SlotName> defined) {
        var toLoad = new ArrayList<SlotName>();
        for (SlotName slot : records.recorded()) {
            Optional<SlotMachine> recorded = records.read(slot).map(SlotRecord::toMachine);
            if (recorded.isEmpty()) {
                continue;
            }
            Optional<Workload> found;
            try {
                found = recorded.get().launch().flatMap(launch -> runtime.find(slot, launch.nonce()));
            } catch (Hal0Exception unknown) {
                // Not to know is no reason to forget: the record stays as it is, and the next load clears up.
                log.error("slot {}: whether it runs cannot be found out: {}", slot, unknown.message());
                continue;
            }
            if (!defined.contains(slot)) {
                found.ifPresent(effects::stopStray);
                continue;
            }
            apply(Scheduler.recover(state, recorded.get(), found, clock.instant()));
            if (found.isPresent() && !recorded.get().desired()) {
                OperationId unload = operations.begin(Operation.Kind.UNLOAD, slot);
                post(new SlotEvent.UnloadWanted(slot, unload, false, CauseCode.OPERATOR_UNLOAD));
            } else if (found.isEmpty() && recorded.get().desired()) {
                toLoad.add(slot);
            }
        }
        apply(Scheduler.recover(state, records.mode(), clock.instant(), world.get()));
        views.update(state);
        owner.start();
        return toLoad;
    }

    private void run() {
        while (!closed) {
            try {
                SlotEvent event = queue.poll(TICK.toMillis(), TimeUnit.MILLISECONDS);
                Instant now = clock.instant();
                if (event != null) {
                    apply(Scheduler.step(state, event, now, world.get()));
                }
                if (event == null || !now.isBefore(nextTick)) {
                    nextTick = now.plus(TICK);
                    apply(Scheduler.tick(state, now, world.get()));
                }
            } catch (InterruptedException closing) {
                return;
            } catch (RuntimeException | Error defect) {
                // The state before the event stays in force: a defect in one decision must not end all decisions.
                log.error("the scheduler could not handle an event", defect);
            }
        }
    }

    private void apply(Scheduler.Step step) {
        state = step.state();
        views.update(state);
        @Nullable Hal0Exception notDurable = null;
        for (SlotEffect effect : step.effects()) {
            try {
                notDurable = perform(effect, notDurable);
            } catch (RuntimeException defect) {
                log.error("effect {} failed", effect.getClass().getSimpleName(), defect);
            }
        }
    }

    /** @return why the state is not on disk, or null: a workload is only started when it is */
    private @Nullable Hal0Exception perform(SlotEffect effect, @Nullable Hal0Exception notDurable) {
        switch (effect) {
            case SlotEffect.Persist(SlotMachine machine) -> {
                try {
                    records.write(machine);
                    return null;
                } catch (Hal0Exception storage) {
                    log.error("slot {}: its state could not be written: {}", machine.slot(), storage.message());
                    return storage;
                }
            }
            case SlotEffect.Publish(SlotMachine machine, SlotState from, Optional<SlotEdge> edge) ->
                publish(machine, from, edge);
            case SlotEffect.Finish(var ids, String message) -> ids.forEach(id -> operations.finish(id, message));
            case SlotEffect.Fail(var ids, Hal0Exception why) -> ids.forEach(id -> operations.fail(id, why));
            case SlotEffect.Cancel(var ids, String message) -> ids.forEach(id -> operations.cancel(id, message));
            case SlotEffect.Prepare(Launch launch) -> effects.prepare(launch);
            case SlotEffect.AbandonPreparation(SlotName slot) ->
                log.info("slot {}: the engine is fetched to the end, but nothing is started", slot);
            case SlotEffect.Start(Launch launch) -> {
                if (notDurable == null) {
                    effects.start(launch);
                } else {
                    post(new SlotEvent.LaunchFailed(launch.plan().slot(), launch.nonce(), notDurable));
                }
            }
            case SlotEffect.Attend(Workload workload) -> effects.attend(workload);
            case SlotEffect.AwaitAnswer(Launch launch, boolean verify) -> effects.awaitAnswer(launch, verify);
            case SlotEffect.OpenGate(SlotName slot, Incarnation incarnation, int permits) ->
                views.gate(slot).open(incarnation, permits);
            case SlotEffect.SuspendGate(SlotName slot, Incarnation incarnation) ->
                views.gate(slot).suspend(incarnation);
            case SlotEffect.TryClose(SlotName slot, Incarnation incarnation) ->
                state.machine(slot)
                        .flatMap(SlotMachine::launch)
                        .ifPresent(launch -> effects.tryClose(launch, incarnation));
            case SlotEffect.Reload(SlotName slot, CauseCode why) -> reloads.accept(slot, why);
            case SlotEffect.PersistMode(GpuMode mode) -> {
                try {
                    records.write(mode);
                } catch (Hal0Exception storage) {
                    log.error("the mode of the GPU could not be written: {}", storage.message());
                    post(new SlotEvent.ModeNotDurable(NO_SLOT, storage));
                }
            }
            case SlotEffect.PublishMode(GpuMode mode) ->
                events.publish("gpu.mode", "", GpuModeView.of(mode, clock::shown));
            case SlotEffect.Drain(SlotName slot, Incarnation incarnation) ->
                state.machine(slot)
                        .flatMap(SlotMachine::launch)
                        .ifPresent(launch -> effects.drain(launch, incarnation));
            case SlotEffect.Revoke(SlotName slot, Incarnation incarnation, RevokeCause cause) ->
                effects.revoke(slot, incarnation, cause);
            case SlotEffect.Abandon(SlotName slot, Incarnation incarnation) -> effects.abandon(slot, incarnation);
            case SlotEffect.Stop(Workload workload, ClosedGate proof) -> effects.stop(workload, proof);
            case SlotEffect.StopStray(Workload workload) -> effects.stopStray(workload);
            case SlotEffect.Erase(SlotName slot) -> records.delete(slot);
        }
        return notDurable;
    }

    private void publish(SlotMachine machine, SlotState from, Optional<SlotEdge> edge) {
        if (machine.state() != SlotState.WARMING) {
            effects.stopWaiting(machine.slot());
        }
        edge.ifPresent(passed -> record(machine, from, passed));
        views.find(machine.slot())
                .ifPresent(view -> events.publish("slot.state", machine.slot().value(), view));
        String message = machine.message().isEmpty() ? machine.state().label() : machine.message();
        machine.operations().forEach(id -> operations.progress(id, message));
        machine.next().ifPresent(next -> next.operations().forEach(id -> operations.progress(id, message)));
        progress.accept(machine.slot(), message);
    }

    private void record(SlotMachine machine, SlotState from, SlotEdge edge) {
        boolean letIn = edge == SlotEdge.PULL || edge == SlotEdge.START && from != SlotState.PULLING;
        if (letIn) {
            Observation seen = world.get();
            seen.of(machine.slot()).map(Observation.Use::residency).ifPresent(residency -> {
                Long budget = seen.limits().budgetBytes().get(residency.pool());
                history.reserved(
                        machine.slot(),
                        machine.cause(),
                        residency.lane(),
                        residency.pool(),
                        machine.reserved(),
                        budget == null ? OptionalLong.empty() : OptionalLong.of(budget));
            });
        }
        history.transition(
                machine.slot(),
                from,
                edge,
                machine.state(),
                machine.cause(),
                machine.message(),
                machine.launch().flatMap(Launch::incarnation));
    }

    @Override
    public void close() {
        closed = true;
        owner.interrupt();
        try {
            // What it is writing is written to the end: the next control plane may look at once.
            if (owner.isAlive()) {
                owner.join(LAST_WORDS);
            }
        } catch (InterruptedException hurry) {
            Thread.currentThread().interrupt();
        }
        effects.close();
    }
}
