package dev.hal0.slots;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Every decision about slots, as a pure function: {@code step(state, event, now, world) → (state, effects)}. No clock, no
 * I/O, no logging: it may be run a million times in a test, and one line of history equals one real event.
 *
 * <p>What becomes of one slot is {@link SlotLife}'s business; who may be in memory is decided here, for all of them together.
 * A load that could begin stands in one line, in the order in which loads were wanted. After every event the line is served
 * from its head: {@link RoomPlanner} says whether a load begins, whom it waits for, who gives way to it, or that it will never
 * fit. Nobody overtakes within a pool of memory: a small load that slips past a large one again and again would starve it.
 */
final class Scheduler implements GpuSwitch.Slots {
    /** A slot's own restart, or what a person asked for, is not refused for being asked again a moment later. */
    private static final Duration RETRY_HINT = Duration.ofSeconds(15);

    record Step(SchedulerState state, List<SlotEffect> effects) {}

    private final Instant now;
    private final Observation world;
    private final List<SlotEffect> effects = new ArrayList<>();
    private SchedulerState state;

    private Scheduler(SchedulerState state, Instant now, Observation world) {
        this.state = state;
        this.now = now;
        this.world = world;
    }

    static Step step(SchedulerState state, SlotEvent event, Instant now, Observation world) {
        var scheduler = new Scheduler(state, now, world);
        scheduler.gpu(gpu -> gpu.handle(event));
        if (!(event instanceof SlotEvent.OfGpu)) {
            scheduler.live(event.slot(), life -> life.handle(event));
        }
        return scheduler.finish();
    }

    /** Time has passed: what was put off may be due. */
    static Step tick(SchedulerState state, Instant now, Observation world) {
        var scheduler = new Scheduler(state, now, world);
        for (SlotName slot : state.machines().keySet()) {
            scheduler.live(slot, SlotLife::retryIfDue);
        }
        scheduler.unloadUnused();
        scheduler.relievePressure();
        scheduler.gpu(GpuSwitch::tick);
        return scheduler.finish();
    }

    /**
     * What a new control plane starts from: the record of the last one, and whether its launch still runs.
     *
     * @param found the live workload of the recorded launch
     */
    static Step recover(SchedulerState state, SlotMachine recorded, Optional<Workload> found, Instant now) {
        var scheduler = new Scheduler(state.with(recorded.noLaterThan(now)), now, Observation.NOTHING);
        scheduler.live(recorded.slot(), life -> life.recover(found));
        return scheduler.finish();
    }

    /** After every recorded slot was recovered. */
    static Step recover(SchedulerState state, GpuMode recorded, Instant now, Observation world) {
        var scheduler = new Scheduler(state.withMode(recorded.noLaterThan(now)), now, world);
        scheduler.gpu(GpuSwitch::recover);
        return scheduler.finish();
    }

    private Step finish() {
        gpu(GpuSwitch::advance);
        state = state.withLine(line());
        serve();
        gpu(GpuSwitch::advance);
        state = state.withLine(line());
        return new Step(state, effects);
    }

    private void gpu(Consumer<GpuSwitch> change) {
        var gpu = new GpuSwitch(state.mode(), this, now, world, effects);
        change.accept(gpu);
        state = state.withMode(gpu.mode());
    }

    @Override
    public SchedulerState state() {
        return state;
    }

    @Override
    public void live(SlotName slot, Consumer<SlotLife> change) {
        SlotMachine before = state.machine(slot).orElseGet(() -> SlotMachine.offline(slot, now));
        var life = new SlotLife(before, now, effects);
        change.accept(life);
        state = life.isForgotten() ? state.without(slot) : state.with(life.machine());
    }

    /**
     * Who waits for room: those who did before, in their order, then the new ones. A slot that only changes its model had its
     * room until now and gets it back first; one that was evicted does not, or it would be back before the one that it made
     * room for.
     */
    private List<SlotName> line() {
        var waiting = new ArrayList<SlotName>();
        for (SlotName slot : state.line()) {
            if (state.machine(slot).filter(SlotMachine::waitsForRoom).isPresent()) {
                waiting.add(slot);
            }
        }
        for (SlotMachine machine : state.machines().values()) {
            if (machine.waitsForRoom() && !waiting.contains(machine.slot())) {
                if (machine.cause() == CauseCode.STOPPED && machine.closingCause() != CauseCode.EVICTED) {
                    waiting.addFirst(machine.slot());
                } else {
                    waiting.add(machine.slot());
                }
            }
        }
        return waiting;
    }

    private void serve() {
        Set<String> blocked = new HashSet<>();
        for (SlotName slot : List.copyOf(state.line())) {
            SlotMachine.NextLaunch waited =
                    state.machine(slot).flatMap(SlotMachine::next).orElseThrow();
            Optional<Residency> residency = world.of(slot).map(Observation.Use::residency);
            var gpu = new GpuSwitch(state.mode(), this, now, world, effects);
            Optional<Hal0Exception> otherMode = gpu.guard(slot);
            Optional<String> pause = gpu.pause(slot);
            if (otherMode.isPresent()) {
                live(slot, life -> life.refuse(otherMode.get()));
            } else if (pause.isPresent()) {
                expire(slot, waited, new RoomEvidence(pause.get(), null, null, null, List.of()));
            } else if (residency.isEmpty() || waited.request().force() && hasItsDevice(slot, residency.get())) {
                live(slot, SlotLife::begin);
            } else if (blocked.contains(residency.get().pool())) {
                expire(slot, waited, new RoomEvidence("waits behind another load", null, null, null, List.of()));
            } else if (!serve(slot, waited, residency.get())) {
                blocked.add(residency.get().pool());
            }
        }
    }

    /** Force is about memory: what cannot run beside something else still waits for that to be gone. */
    private boolean hasItsDevice(SlotName slot, Residency residency) {
        return state.machines().values().stream()
                .filter(machine ->
                        machine.launch().isPresent() && !machine.slot().equals(slot))
                .noneMatch(machine -> world.of(machine.slot())
                        .filter(use -> residency.lane().excludes(use.residency().lane()))
                        .isPresent());
    }

    /** @return whether the line goes on behind it */
    private boolean serve(SlotName slot, SlotMachine.NextLaunch waited, Residency residency) {
        LoadRequest request = waited.request();
        OptionalLong need = state.machine(slot).orElseThrow().need(request.plan(), request.needBytes());
        var wanted = new RoomPlanner.Wanted(slot, residency, need, request.cause() != CauseCode.RETRY, waited.since());
        RoomPlanner.Decision decision = RoomPlanner.decide(wanted, state, world, now);
        state = state.withEvidence(slot, decision.evidence());
        switch (decision) {
            case RoomPlanner.Decision.Admit(var evidence) -> {
                live(slot, SlotLife::begin);
                return true;
            }
            case RoomPlanner.Decision.Refuse(var evidence) -> {
                live(slot, life -> life.refuse(tooLarge(slot, evidence)));
                return true;
            }
            case RoomPlanner.Decision.MakeRoom(var victims, boolean drain, var evidence) -> {
                for (SlotName victim : victims) {
                    live(victim, life -> life.giveWay(drain, CauseCode.EVICTED, "makes room for " + slot));
                }
                return expire(slot, waited, evidence);
            }
            case RoomPlanner.Decision.Wait(var evidence) -> {
                return expire(slot, waited, evidence);
            }
        }
    }

    /** Keeps it waiting, unless it has for too long. */
    private boolean expire(SlotName slot, SlotMachine.NextLaunch waited, RoomEvidence evidence) {
        if (now.isBefore(waited.since().plus(world.limits().longestWait()))) {
            live(slot, life -> life.waitFor(evidence.reason()));
            return false;
        }
        live(slot, life -> life.refuse(noRoom(slot, evidence)));
        return true;
    }

    private Hal0Exception tooLarge(SlotName slot, RoomEvidence evidence) {
        return withEvidence(
                new Hal0Exception(
                        ErrorCode.SLOT_CAPACITY_INSUFFICIENT,
                        "Slot " + slot + " " + evidence.reason() + ": it needs " + mebibytes(evidence.needBytes())
                                + " of " + mebibytes(evidence.budgetBytes()) + "."),
                evidence);
    }

    private Hal0Exception noRoom(SlotName slot, RoomEvidence evidence) {
        return withEvidence(
                new Hal0Exception(
                        ErrorCode.SLOT_BUSY,
                        "Slot " + slot + " found no room within "
                                + world.limits().longestWait().toSeconds() + " s: it " + evidence.reason() + "."),
                evidence);
    }

    private static Hal0Exception withEvidence(Hal0Exception why, RoomEvidence evidence) {
        return why.withDetail("evidence", evidence).withRetryAfter(RETRY_HINT);
    }

    private static String mebibytes(@org.jspecify.annotations.Nullable Long bytes) {
        return bytes == null ? "an unknown amount" : (bytes >> 20) + " MiB";
    }

    /** Frees the memory of slots that nobody has used for as long as they allow. */
    private void unloadUnused() {
        for (SlotMachine machine : state.machines().values()) {
            Optional<Observation.Use> use = world.of(machine.slot());
            if (use.isEmpty() || !mayLeave(machine, use.get())) {
                continue;
            }
            Duration limit = use.get().residency().unloadAfter();
            Instant used =
                    use.get().lastUsed().filter(machine.since()::isBefore).orElse(machine.since());
            if (!limit.isZero() && !now.isBefore(used.plus(limit))) {
                live(
                        machine.slot(),
                        life -> life.giveWay(false, CauseCode.IDLE, "unused for " + limit.toSeconds() + " s"));
            }
        }
    }

    /** One at a time: what it frees shows only when it is gone. */
    private void relievePressure() {
        long floor = world.limits().floorBytes();
        for (Map.Entry<String, Long> pool : world.freeBytes().entrySet()) {
            if (floor == 0 || pool.getValue() >= floor) {
                continue;
            }
            List<SlotMachine> holders = state.machines().values().stream()
                    .filter(machine -> machine.launch().isPresent())
                    .filter(machine -> world.of(machine.slot())
                            .filter(use -> use.residency().pool().equals(pool.getKey()))
                            .isPresent())
                    .toList();
            boolean somebodyLeaves =
                    holders.stream().anyMatch(machine -> machine.isClosing() || machine.state() == SlotState.UNLOADING);
            if (!somebodyLeaves) {
                holders.stream()
                        .filter(machine ->
                                mayLeave(machine, world.of(machine.slot()).orElseThrow()))
                        .min(java.util.Comparator.comparing((SlotMachine machine) -> world.of(machine.slot())
                                        .orElseThrow()
                                        .residency()
                                        .priority())
                                .thenComparing(machine -> world.of(machine.slot())
                                        .flatMap(Observation.Use::lastUsed)
                                        .orElse(machine.since())))
                        .ifPresent(machine -> live(
                                machine.slot(),
                                life -> life.giveWay(
                                        false,
                                        CauseCode.MEMORY_PRESSURE,
                                        "only " + (pool.getValue() >> 20) + " MiB were left")));
            }
        }
    }

    private static boolean mayLeave(SlotMachine machine, Observation.Use use) {
        return machine.state() == SlotState.READY
                && !machine.isClosing()
                && use.isQuiet()
                && !use.residency().pinned();
    }
}
