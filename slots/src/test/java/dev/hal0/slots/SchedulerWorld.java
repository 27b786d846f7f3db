package dev.hal0.slots;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A world around the pure scheduler: workloads that live and die, gates with people inside, and results that arrive in any
 * order and late. Every effect that reports back is a task; a random one of them happens next. The world knows the truth, so
 * that it can say when the scheduler's picture of it is wrong.
 */
final class SchedulerWorld {
    private static final List<SlotName> SLOTS =
            List.of("chat", "coder", "embed", "rerank", "img", "npu", "npu-two").stream()
                    .map(SlotName::new)
                    .toList();
    private static final SlotName IMAGES = new SlotName("img");
    private static final List<String> MODELS = List.of("small", "large");
    private static final long BUDGET = 100;

    /** Something under way outside the scheduler. */
    private sealed interface Task {
        SlotName slot();

        record Fetching(SlotName slot, Launch launch) implements Task {}

        record Starting(SlotName slot, Launch launch) implements Task {}

        record Polling(SlotName slot, Launch launch) implements Task {}

        record Draining(SlotName slot, Incarnation incarnation, boolean wasOpen) implements Task {}

        record Trying(SlotName slot, Incarnation incarnation) implements Task {}

        record Revoking(SlotName slot, Incarnation incarnation, RevokeCause cause) implements Task {}

        record Stopping(SlotName slot, Workload workload, ClosedGate proof) implements Task {}

        record StoppingStray(SlotName slot, Workload workload) implements Task {}
    }

    /** Who is inside a gate, for as long as they like. */
    private static final class Door {
        private final Gate gate = new Gate(() -> 0L, Duration.ZERO);
        private final List<Lease> inside = new ArrayList<>();
        private @Nullable Incarnation attended;
    }

    private final Random random;
    private final List<Task> tasks = new ArrayList<>();
    private final ArrayDeque<SlotEvent> queue = new ArrayDeque<>();
    private final Map<SlotName, Door> doors = new HashMap<>();
    private final Map<Incarnation, Workload> alive = new HashMap<>();
    private final Set<Incarnation> attended = new HashSet<>();
    private final Map<OperationId, String> running = new HashMap<>();
    private final Set<OperationId> forced = new HashSet<>();
    private final Set<OperationId> ended = new HashSet<>();
    private final Map<SlotName, SlotMachine> disk = new HashMap<>();
    private final Map<SlotName, Residency> residencies = new HashMap<>();
    private final Map<SlotName, Instant> lastUsed = new HashMap<>();
    private final Set<String> forcedNonces = new HashSet<>();
    private final ResidencyLimits limits;
    private final List<String> history = new ArrayList<>();
    private final WorldFacts facts = new WorldFacts(this::now);
    private final Map<String, Integer> happened = new HashMap<>();
    private GpuMode modeOnDisk = GpuMode.INFERENCE;
    private SchedulerState state = SchedulerState.EMPTY;
    private Instant now = Instant.EPOCH;
    private int counter;
    private int restarts;

    SchedulerWorld(long seed) {
        this.random = new Random(seed);
        this.limits = new ResidencyLimits(
                random.nextBoolean() ? Map.of(SlotType.LLM, 1) : Map.of(),
                random.nextInt(4) == 0 ? Map.of() : Map.of("memory", BUDGET),
                random.nextInt(3) == 0 ? 10 : 0,
                Duration.ofSeconds(10),
                Duration.ofSeconds(3),
                Duration.ofSeconds(60),
                random.nextBoolean() ? Duration.ZERO : Duration.ofSeconds(20));
        SLOTS.forEach(slot -> residencies.put(
                slot,
                new Residency(
                        slot.value().startsWith("c") ? SlotType.LLM : SlotType.EMBEDDING,
                        random.nextInt(8) == 0 ? "vram" : "memory",
                        random.nextInt(6) == 0,
                        random.nextInt(2),
                        random.nextBoolean() ? Duration.ZERO : Duration.ofSeconds(30),
                        lane(slot))));
        SLOTS.forEach(slot -> doors.put(slot, new Door()));
        facts.define(residencies, limits);
    }

    private Instant now() {
        return now;
    }

    private Lane lane(SlotName slot) {
        return switch (slot.value()) {
            case "img" -> Lane.IMAGE;
            case "npu", "npu-two" -> Lane.NPU;
            case "embed" -> random.nextBoolean() ? Lane.SHARED : Lane.INFERENCE;
            default -> Lane.INFERENCE;
        };
    }

    /** One random thing happens; then everything that must hold is checked. */
    void step() {
        now = now.plusMillis(random.nextInt(2_000));
        if (random.nextInt(3) == 0) {
            tick();
        }
        int dice = random.nextInt(100);
        if (!queue.isEmpty() && dice < 45) {
            deliver(queue.removeFirst());
        } else if (!tasks.isEmpty() && dice < 75) {
            perform(tasks.remove(random.nextInt(tasks.size())));
        } else if (dice < 82) {
            wish();
        } else if (dice < 90) {
            people();
        } else if (dice < 94) {
            death();
        } else if (dice < 96) {
            doubt();
        } else if (dice < 97) {
            measure();
        } else if (dice < 98) {
            staleEvent();
        } else if (dice == 98 && random.nextInt(40) == 0) {
            restartControlPlane();
        }
        check();
    }

    /** Nothing more is wished and everybody leaves: everything must come to an end. */
    void quiesce() {
        history.add("quiesce");
        for (int round = 0; round < 1_000; round++) {
            doors.values().forEach(door -> {
                facts.left(door.inside);
                door.inside.forEach(Lease::leave);
                door.inside.clear();
            });
            if (!queue.isEmpty()) {
                deliver(queue.removeFirst());
            } else if (!tasks.isEmpty()) {
                perform(tasks.remove(random.nextInt(tasks.size())));
            } else if (!state.line().isEmpty()) {
                now = now.plusSeconds(1);
                tick();
            } else {
                break;
            }
            check();
        }
        require(
                state.mode().is(GpuMode.Phase.INFERENCE) || state.mode().is(GpuMode.Phase.IMAGE),
                "the GPU is between two modes for ever: " + state.mode());
        require(queue.isEmpty() && tasks.isEmpty(), "the world does not come to rest: " + tasks);
        require(running.isEmpty(), "operations that never end: " + running);
        state.machines()
                .values()
                .forEach(machine -> require(
                        !machine.state().isTransitional(),
                        "at rest, but " + machine.slot() + " is " + machine.state()));
        facts.finished();
    }

    /** How often each effect was asked for, refusals for lack of room apart. */
    Map<String, Integer> happened() {
        return happened;
    }

    private static String nameOf(SlotEffect effect) {
        return effect instanceof SlotEffect.Fail(var ids, Hal0Exception why)
                        && why.details().containsKey("evidence")
                ? why.code().code()
                : effect.getClass().getSimpleName();
    }

    List<String> lastEvents() {
        return history.subList(Math.max(0, history.size() - 60), history.size());
    }

    private void tick() {
        apply(Scheduler.tick(state, now, observation()));
    }

    private Observation observation() {
        var uses = new HashMap<SlotName, Observation.Use>();
        residencies.forEach((slot, residency) -> uses.put(
                slot,
                new Observation.Use(residency, door(slot).inside.size(), 0, Optional.ofNullable(lastUsed.get(slot)))));
        long held = alive.values().stream()
                .mapToLong(workload -> realBytes(workload.slot()))
                .sum();
        return new Observation(
                uses, limits.floorBytes() == 0 ? Map.of() : Map.of("memory", Math.max(0, 2 * BUDGET - held)), limits);
    }

    /** What a workload really holds is not what was estimated. */
    private static long realBytes(SlotName slot) {
        return 20 + slot.value().length() * 5L;
    }

    private void measure() {
        if (!alive.isEmpty()) {
            Workload workload = any(List.copyOf(alive.values()));
            queue.add(new SlotEvent.Measured(workload.slot(), workload.incarnation(), realBytes(workload.slot())));
        }
    }

    // What can happen

    private void wish() {
        SlotName slot = any(SLOTS);
        switch (random.nextInt(22)) {
            case 20 -> {
                boolean force = random.nextInt(3) == 0;
                queue.add(new SlotEvent.ImageModeWanted(IMAGES, begin("images", force), force, random.nextInt(4) == 0));
            }
            case 21 -> {
                boolean force = random.nextInt(3) == 0;
                queue.add(
                        random.nextInt(5) == 0
                                ? new SlotEvent.ImageModePinned(IMAGES, random.nextBoolean())
                                : new SlotEvent.InferenceModeWanted(IMAGES, begin("models", force), force));
            }
            case 0, 1, 2, 3, 4, 5 ->
                queue.add(new SlotEvent.LoadWanted(slot, begin("load"), request(slot, CauseCode.OPERATOR_LOAD)));
            case 6, 7, 8, 9 ->
                queue.add(new SlotEvent.LoadWanted(slot, begin("request"), request(slot, CauseCode.REQUEST)));
            case 10, 11, 12, 13, 14 -> {
                boolean force = random.nextInt(3) == 0;
                queue.add(new SlotEvent.UnloadWanted(slot, begin("unload", force), force, CauseCode.OPERATOR_UNLOAD));
            }
            case 15, 16, 17, 18 -> {
                boolean force = random.nextInt(3) == 0;
                queue.add(new SlotEvent.RestartWanted(
                        slot, begin("restart", force), force, request(slot, CauseCode.OPERATOR_RESTART)));
            }
            default -> queue.add(new SlotEvent.Forgotten(slot));
        }
    }

    private LoadRequest request(SlotName slot, CauseCode cause) {
        boolean replace = cause != CauseCode.REQUEST && random.nextBoolean();
        boolean force = cause == CauseCode.OPERATOR_LOAD && random.nextInt(10) == 0;
        OptionalLong need = random.nextInt(5) == 0 ? OptionalLong.empty() : OptionalLong.of(10 + random.nextInt(110));
        String nonce = "nonce-" + counter++;
        if (force) {
            forcedNonces.add(nonce);
        }
        return new LoadRequest(
                Samples.plan(slot, any(MODELS)), nonce, random.nextInt(3) > 0, replace, force, need, cause);
    }

    private OperationId begin(String kind, boolean force) {
        OperationId id = begin(kind);
        if (force) {
            forced.add(id);
        }
        return id;
    }

    private OperationId begin(String kind) {
        var id = new OperationId(kind + "-" + counter++);
        running.put(id, kind);
        facts.begun(id, kind);
        return id;
    }

    private void people() {
        SlotName slot = any(SLOTS);
        Door door = door(slot);
        if (!door.inside.isEmpty() && random.nextBoolean()) {
            Lease leaving = door.inside.remove(random.nextInt(door.inside.size()));
            facts.left(List.of(leaving));
            leaving.leave();
        } else if (door.gate.tryEnter() instanceof Gate.Entry.Entered(Lease lease)) {
            Workload workload = alive.get(lease.incarnation());
            // Dead ones may be entered until the exit is heard of.
            require(
                    workload != null || attended.contains(lease.incarnation()),
                    "entered a workload that nobody attends: " + lease.incarnation());
            door.inside.add(lease);
            facts.entered(slot, lease);
            lastUsed.put(
                    alive.containsKey(lease.incarnation())
                            ? alive.get(lease.incarnation()).slot()
                            : SLOTS.getFirst(),
                    now);
        }
    }

    /** A workload dies by itself; its watcher says so if it is attended. */
    private void death() {
        if (alive.isEmpty()) {
            return;
        }
        die(any(List.copyOf(alive.values())));
    }

    private void die(Workload workload) {
        if (alive.remove(workload.incarnation()) == null) {
            return;
        }
        if (attended.contains(workload.incarnation())) {
            queue.add(new SlotEvent.Exited(
                    workload.slot(), workload.incarnation(), new Exit(OptionalInt.of(1), List.of("killed"))));
        } else {
            facts.exited(workload.slot(), workload.incarnation());
        }
    }

    private void doubt() {
        SlotName slot = any(SLOTS);
        incarnation(slot)
                .ifPresent(life -> queue.add(
                        random.nextInt(4) == 0
                                ? new SlotEvent.Hung(slot, life, "still")
                                : new SlotEvent.Doubted(slot, life, "refused")));
    }

    /** Results of launches that nobody remembers change nothing. */
    private void staleEvent() {
        SlotName slot = any(SLOTS);
        var old = new Incarnation("old-life");
        queue.add(
                switch (random.nextInt(8)) {
                    case 0 -> new SlotEvent.Answered(slot, old);
                    case 1 -> new SlotEvent.Exited(slot, old, new Exit(OptionalInt.empty(), List.of()));
                    case 2 -> new SlotEvent.Stopped(slot, old);
                    case 3 -> new SlotEvent.StopFailed(slot, old, timeout());
                    case 4 -> new SlotEvent.DrainExpired(slot, old);
                    case 5 -> new SlotEvent.Prepared(slot, "old-nonce");
                    case 6 -> new SlotEvent.LaunchFailed(slot, "old-nonce", spawnFailed());
                    default -> new SlotEvent.Unanswered(slot, old, "late");
                });
    }

    /** The process dies and the next one starts from the disk: what it waited for is gone, workloads live on. */
    private void restartControlPlane() {
        history.add("control plane restarts " + ++restarts);
        // What was being spawned comes to life or does not before the next control plane looks.
        for (Task task : List.copyOf(tasks)) {
            if (task instanceof Task.Starting(SlotName slot, Launch launch)) {
                if (random.nextBoolean()) {
                    spawn(slot, launch);
                } else {
                    facts.launchFailed(launch);
                }
            }
        }
        facts.restarted(alive.keySet());
        tasks.clear();
        queue.clear();
        running.clear();
        attended.clear();
        state = SchedulerState.EMPTY;
        SLOTS.forEach(slot -> doors.put(slot, new Door()));
        GpuMode recordedMode = GpuModeRecord.of(modeOnDisk).toMode();
        for (SlotMachine recorded : List.copyOf(disk.values())) {
            SlotMachine machine = SlotRecord.of(recorded).toMachine();
            Optional<Workload> found = machine.launch()
                    .flatMap(launch -> alive.values().stream()
                            .filter(workload -> workload.nonce().equals(launch.nonce()))
                            .findFirst());
            apply(Scheduler.recover(state, machine, found, now));
            if (found.isPresent() && !machine.desired()) {
                queue.add(
                        new SlotEvent.UnloadWanted(machine.slot(), begin("unload"), false, CauseCode.OPERATOR_UNLOAD));
            } else if (found.isEmpty() && machine.desired()) {
                queue.add(new SlotEvent.LoadWanted(
                        machine.slot(), begin("load"), request(machine.slot(), CauseCode.DESIRED_AT_START)));
            }
        }
        apply(Scheduler.recover(state, recordedMode, now, observation()));
        Set<String> known = new HashSet<>();
        state.machines().values().forEach(machine -> machine.launch().ifPresent(launch -> known.add(launch.nonce())));
        alive.values()
                .forEach(workload ->
                        require(known.contains(workload.nonce()), "a workload outlived its record: " + workload));
    }

    // What effects lead to

    private void perform(Task task) {
        history.add("  " + task);
        switch (task) {
            case Task.Fetching(SlotName slot, Launch launch) -> {
                queue.add(new SlotEvent.Progressed(slot, launch.nonce(), "half"));
                queue.add(
                        random.nextInt(5) == 0
                                ? new SlotEvent.PrepareFailed(slot, launch.nonce(), spawnFailed())
                                : new SlotEvent.Prepared(slot, launch.nonce()));
            }
            case Task.Starting(SlotName slot, Launch launch) -> {
                if (random.nextInt(5) == 0) {
                    facts.launchFailed(launch);
                    queue.add(new SlotEvent.LaunchFailed(slot, launch.nonce(), spawnFailed()));
                } else {
                    queue.add(new SlotEvent.Launched(slot, spawn(slot, launch)));
                }
            }
            case Task.Polling(SlotName slot, Launch launch) -> {
                Incarnation life = launch.incarnation().orElseThrow();
                queue.add(new SlotEvent.Progressed(slot, launch.nonce(), "loading"));
                queue.add(
                        switch (alive.containsKey(life) ? random.nextInt(6) : 0) {
                            case 0 -> new SlotEvent.Unanswered(slot, life, "budget");
                            case 1 -> new SlotEvent.Mismatched(slot, life, List.of("n_ctx"));
                            default -> new SlotEvent.Answered(slot, life);
                        });
            }
            case Task.Draining(SlotName slot, Incarnation life, boolean wasOpen) -> {
                Gate gate = door(slot).gate;
                Optional<ClosedGate> proof = gate.tryClose(life);
                if (proof.isPresent()) {
                    queue.add(new SlotEvent.GateClosed(slot, proof.get()));
                } else if (random.nextBoolean()) {
                    tasks.add(task);
                } else {
                    if (wasOpen) {
                        gate.open(life, 2);
                    }
                    queue.add(new SlotEvent.DrainExpired(slot, life));
                }
            }
            case Task.Trying(SlotName slot, Incarnation life) -> {
                Optional<ClosedGate> proof = random.nextInt(5) == 0
                        ? Optional.empty()
                        : door(slot).gate.tryClose(life);
                queue.add(proof.<SlotEvent>map(closed -> new SlotEvent.GateClosed(slot, closed))
                        .orElseGet(() -> new SlotEvent.CloseRefused(slot, life)));
            }
            case Task.Revoking(SlotName slot, Incarnation life, RevokeCause cause) -> {
                Door door = door(slot);
                try {
                    door.gate.revoke(life, cause).ifPresent(proof -> {
                        facts.revoked(slot, life, cause, proof.cut());
                        queue.add(new SlotEvent.GateClosed(slot, proof));
                    });
                } catch (InterruptedException impossible) {
                    throw new AssertionError(impossible);
                }
                tellOut(door, life);
            }
            case Task.Stopping(SlotName slot, Workload workload, ClosedGate proof) -> {
                require(proof.incarnation().equals(workload.incarnation()), "stopped with another life's proof");
                if (alive.containsKey(workload.incarnation()) && random.nextInt(8) == 0) {
                    queue.add(new SlotEvent.StopFailed(slot, workload.incarnation(), timeout()));
                } else {
                    die(workload);
                    facts.stopped(workload);
                    queue.add(new SlotEvent.Stopped(slot, workload.incarnation()));
                }
            }
            case Task.StoppingStray(SlotName slot, Workload workload) -> {
                alive.remove(workload.incarnation());
                facts.stopped(workload);
            }
        }
    }

    private Workload spawn(SlotName slot, Launch launch) {
        var workload = new Workload(slot, launch.nonce(), new Incarnation("life-" + counter++));
        alive.put(workload.incarnation(), workload);
        facts.launched(workload);
        return workload;
    }

    private void tellOut(Door door, Incarnation life) {
        List<Lease> told = door.inside.stream()
                .filter(lease -> lease.incarnation().equals(life))
                .toList();
        facts.left(told);
        door.inside.removeAll(told);
    }

    private void deliver(SlotEvent event) {
        history.add(event.toString());
        if (event instanceof SlotEvent.Exited(SlotName slot, Incarnation life, Exit exit)) {
            facts.exited(slot, life);
        }
        apply(Scheduler.step(state, event, now, observation()));
    }

    private void apply(Scheduler.Step step) {
        SchedulerState before = state;
        state = step.state();
        checkAdmissions(before);
        facts.applied(step, forcedNonces);
        @Nullable SlotMachine persisted = null;
        for (SlotEffect effect : step.effects()) {
            history.add("    → " + effect.getClass().getSimpleName());
            happened.merge(nameOf(effect), 1, Integer::sum);
            switch (effect) {
                case SlotEffect.Persist(SlotMachine machine) -> {
                    disk.put(machine.slot(), machine);
                    persisted = machine;
                }
                case SlotEffect.Publish(SlotMachine machine, SlotState from, Optional<SlotEdge> edge) -> {
                    if (edge.isPresent()) {
                        require(machine.equals(persisted), "published before it was persisted: " + edge);
                        require(edge.get().leaves(from) && edge.get().to() == machine.state(), "an edge that is none");
                    }
                    if (machine.state() != SlotState.WARMING) {
                        tasks.removeIf(task ->
                                task instanceof Task.Polling && task.slot().equals(machine.slot()));
                    }
                }
                case SlotEffect.Finish(Collection<OperationId> ids, String message) -> ids.forEach(this::end);
                case SlotEffect.Fail(Collection<OperationId> ids, Hal0Exception why) -> {
                    require(
                            why.code() != ErrorCode.SLOT_BUSY
                                    || why.details().containsKey("evidence")
                                    || ids.stream().noneMatch(forced::contains),
                            "a forced wish was refused because somebody is inside");
                    ids.forEach(this::end);
                }
                case SlotEffect.Cancel(Collection<OperationId> ids, String message) -> ids.forEach(this::end);
                case SlotEffect.Prepare(Launch launch) ->
                    tasks.add(new Task.Fetching(launch.plan().slot(), launch));
                case SlotEffect.AbandonPreparation(SlotName slot) -> {}
                case SlotEffect.Start(Launch launch) -> {
                    SlotName slot = launch.plan().slot();
                    require(
                            persisted != null && persisted.launch().equals(Optional.of(launch)),
                            "started a launch that is not on disk");
                    require(
                            alive.values().stream()
                                    .noneMatch(other -> other.slot().equals(slot)),
                            "started " + slot + " while another workload of it runs");
                    require(
                            tasks.stream()
                                    .noneMatch(task -> task instanceof Task.Starting
                                            && task.slot().equals(slot)),
                            "two launches of " + slot + " at once");
                    tasks.add(new Task.Starting(slot, launch));
                }
                case SlotEffect.Attend(Workload workload) -> {
                    Door door = door(workload.slot());
                    door.gate.prepare(workload.incarnation());
                    door.attended = workload.incarnation();
                    attended.add(workload.incarnation());
                    if (!alive.containsKey(workload.incarnation())) {
                        // It died before it was watched: the watch says so at once.
                        queue.add(new SlotEvent.Exited(
                                workload.slot(), workload.incarnation(), new Exit(OptionalInt.empty(), List.of())));
                    }
                }
                case SlotEffect.AwaitAnswer(Launch launch, boolean verify) -> {
                    tasks.removeIf(task -> task instanceof Task.Polling
                            && task.slot().equals(launch.plan().slot()));
                    tasks.add(new Task.Polling(launch.plan().slot(), launch));
                }
                case SlotEffect.OpenGate(SlotName slot, Incarnation life, int permits) ->
                    require(door(slot).gate.open(life, permits), "a ready slot's gate does not open");
                case SlotEffect.SuspendGate(SlotName slot, Incarnation life) ->
                    door(slot).gate.suspend(life);
                case SlotEffect.TryClose(SlotName slot, Incarnation life) -> tasks.add(new Task.Trying(slot, life));
                case SlotEffect.Reload(SlotName slot, CauseCode why) ->
                    queue.add(
                            random.nextInt(10) == 0
                                    ? new SlotEvent.NotLoadable(slot, spawnFailed())
                                    : new SlotEvent.LoadWanted(slot, begin("reload"), request(slot, why)));
                case SlotEffect.PersistMode(GpuMode mode) -> {
                    if (random.nextInt(50) == 0) {
                        queue.add(new SlotEvent.ModeNotDurable(IMAGES, timeout()));
                    } else {
                        modeOnDisk = mode;
                    }
                }
                case SlotEffect.PublishMode(GpuMode mode) ->
                    happened.merge("mode " + mode.phase().label(), 1, Integer::sum);
                case SlotEffect.Drain(SlotName slot, Incarnation life) -> {
                    require(
                            tasks.stream()
                                    .noneMatch(task -> task instanceof Task.Draining(var other, var same, var open)
                                            && other.equals(slot)
                                            && same.equals(life)),
                            "drained twice");
                    Gate gate = door(slot).gate;
                    boolean wasOpen = gate.isOpen();
                    gate.suspend(life);
                    tasks.add(new Task.Draining(slot, life, wasOpen));
                }
                case SlotEffect.Revoke(SlotName slot, Incarnation life, RevokeCause cause) ->
                    tasks.add(new Task.Revoking(slot, life, cause));
                case SlotEffect.Abandon(SlotName slot, Incarnation life) -> {
                    require(!alive.containsKey(life), "abandoned a workload that lives");
                    Door door = door(slot);
                    facts.revoked(
                            slot, life, RevokeCause.ENGINE_LOST, door.gate.abandon(life, RevokeCause.ENGINE_LOST));
                    tellOut(door, life);
                }
                case SlotEffect.Stop(Workload workload, ClosedGate proof) -> {
                    require(proof.incarnation().equals(workload.incarnation()), "a stop with another life's proof");
                    require(door(workload.slot()).inside.isEmpty(), "a stop with somebody inside");
                    require(
                            tasks.stream()
                                    .noneMatch(task -> task instanceof Task.Stopping
                                            && task.slot().equals(workload.slot())),
                            "stopped twice");
                    tasks.add(new Task.Stopping(workload.slot(), workload, proof));
                }
                case SlotEffect.StopStray(Workload workload) ->
                    tasks.add(new Task.StoppingStray(workload.slot(), workload));
                case SlotEffect.Erase(SlotName slot) -> {
                    require(
                            alive.values().stream()
                                    .noneMatch(workload -> workload.slot().equals(slot)),
                            "forgot a slot that runs");
                    disk.remove(slot);
                }
            }
        }
    }

    private void end(OperationId id) {
        require(running.remove(id) != null || ended.contains(id) || restarts > 0, "ended an unknown operation " + id);
        require(ended.add(id), "ended twice: " + id);
        facts.ended(id);
    }

    /** Memory is promised once: whatever is let in fits beside everything that is there or was promised. */
    private void checkAdmissions(SchedulerState before) {
        List<SlotMachine> admitted = state.machines().values().stream()
                .filter(machine -> machine.launch().isPresent()
                        && machine.launch().get().incarnation().isEmpty()
                        && before.machine(machine.slot())
                                .flatMap(SlotMachine::launch)
                                .filter(launch -> launch.nonce()
                                        .equals(machine.launch().get().nonce()))
                                .isEmpty())
                .toList();
        if (admitted.stream()
                .noneMatch(machine ->
                        forcedNonces.contains(machine.launch().orElseThrow().nonce()))) {
            admitted.forEach(this::checkFits);
        }
    }

    private void checkFits(SlotMachine admitted) {
        Residency mine = Objects.requireNonNull(residencies.get(admitted.slot()));
        long held = 0;
        int ofType = 0;
        for (SlotMachine other : state.machines().values()) {
            Residency residency = Objects.requireNonNull(residencies.get(other.slot()));
            if (other.launch().isPresent()) {
                held += residency.pool().equals(mine.pool()) ? other.reserved().orElse(0) : 0;
                ofType += residency.type() == mine.type() ? 1 : 0;
            }
        }
        Long budget = limits.budgetBytes().get(mine.pool());
        require(
                budget == null || admitted.reserved().isEmpty() || held <= budget,
                "memory promised twice: " + held + " of " + budget + " with " + admitted.slot());
        Integer cap = limits.residentPerType().get(mine.type());
        require(cap == null || ofType <= cap, ofType + " slots of type " + mine.type() + ", " + cap + " are allowed");
    }

    // What must hold after every step

    private void check() {
        for (SlotMachine machine : state.machines().values()) {
            SlotName slot = machine.slot();
            List<Workload> living = alive.values().stream()
                    .filter(workload -> workload.slot().equals(slot))
                    .toList();
            require(living.size() <= 1, "two workloads of " + slot + ": " + living);
            boolean settled = machine.state() == SlotState.OFFLINE || machine.state() == SlotState.ERROR;
            boolean stopFailed = machine.state() == SlotState.ERROR && machine.cause() == CauseCode.STOP_TIMEOUT;
            if (settled && !stopFailed) {
                require(living.isEmpty(), slot + " is " + machine.state() + " and runs " + living);
                require(machine.launch().isEmpty(), slot + " is " + machine.state() + " with a launch");
            }
            if (machine.state() == SlotState.READY && !machine.isClosing() && !isOutstanding(slot)) {
                require(door(slot).gate.isOpen(), slot + " is ready and its gate is shut");
            }
            if (machine.state() != SlotState.READY) {
                require(!door(slot).gate.isOpen(), slot + " is " + machine.state() + " and its gate is open");
            }
            if (machine.state().isTransitional()) {
                require(isOutstanding(slot), slot + " is " + machine.state() + " and nothing is under way");
            }
            if (machine.isClosing()) {
                require(isOutstanding(slot), slot + " is " + machine.closing() + " and nothing is under way");
            }
            require(
                    machine.waitsForRoom() == state.line().contains(slot),
                    slot + " waits and is in no line, or the other way round");
            if (machine.next().isPresent()) {
                require(
                        !now.isAfter(machine.next()
                                        .get()
                                        .since()
                                        .plus(limits.longestWait())
                                        .plusSeconds(120))
                                || !machine.waitsForRoom(),
                        slot + " waits for ever");
            }
            if (machine.state() == SlotState.READY) {
                require(machine.operations().isEmpty(), "ready, and still waited for: " + machine.operations());
            }
            SlotMachine written = disk.get(slot);
            if (written != null) {
                require(written.state() == machine.state(), "on disk " + written.state() + ", not " + machine.state());
                require(written.desired() == machine.desired(), "what is desired is not on disk");
                require(written.launch().equals(machine.launch()), "the launch is not on disk");
            }
        }
        checkLanes();
        checkMode();
        Set<OperationId> held = new HashSet<>(state.mode().operations());
        state.machines().values().forEach(machine -> {
            held.addAll(machine.everyoneWaiting());
            machine.next().ifPresent(next -> held.addAll(next.operations()));
        });
        queue.forEach(event -> {
            switch (event) {
                case SlotEvent.LoadWanted wanted -> held.add(wanted.operation());
                case SlotEvent.UnloadWanted wanted -> held.add(wanted.operation());
                case SlotEvent.RestartWanted wanted -> held.add(wanted.operation());
                case SlotEvent.ImageModeWanted wanted -> held.add(wanted.operation());
                case SlotEvent.InferenceModeWanted wanted -> held.add(wanted.operation());
                default -> {}
            }
        });
        require(held.containsAll(running.keySet()), "operations that nobody holds: " + lost(held));
        require(running.keySet().containsAll(held), "operations that ended and are still held");
        facts.settled(state, SLOTS.stream().filter(this::isOutstanding).collect(java.util.stream.Collectors.toSet()));
    }

    /** What may never be on one device together is not, from the moment a launch is asked for until its workload is gone. */
    private void checkLanes() {
        var there = new ArrayList<SlotName>();
        alive.values().forEach(workload -> there.add(workload.slot()));
        tasks.stream().filter(task -> task instanceof Task.Starting).forEach(task -> there.add(task.slot()));
        for (SlotName one : there) {
            for (SlotName other : there) {
                require(
                        one.equals(other) || !laneOf(one).excludes(laneOf(other)),
                        one + " and " + other + " are on one device");
            }
        }
    }

    private Lane laneOf(SlotName slot) {
        return Objects.requireNonNull(residencies.get(slot)).lane();
    }

    /** A change of mode is always owned by something under way. */
    private void checkMode() {
        GpuMode mode = state.mode();
        boolean owned = switch (mode.phase()) {
            case INFERENCE -> mode.operations().isEmpty();
            case IMAGE ->
                mode.operations().isEmpty()
                        || isOutstanding(IMAGES)
                        || state.line().contains(IMAGES);
            case ENTERING -> outstandingIn(Lane.INFERENCE);
            case LEAVING -> outstandingIn(Lane.IMAGE);
            case RESTORING ->
                mode.saved().stream()
                        .anyMatch(slot -> isOutstanding(slot) || state.line().contains(slot));
        };
        require(owned, "nothing is under way that would end " + mode);
    }

    private boolean outstandingIn(Lane lane) {
        return SLOTS.stream().anyMatch(slot -> laneOf(slot) == lane && isOutstanding(slot));
    }

    private List<OperationId> lost(Set<OperationId> held) {
        return running.keySet().stream().filter(id -> !held.contains(id)).toList();
    }

    private boolean isOutstanding(SlotName slot) {
        return tasks.stream().anyMatch(task -> task.slot().equals(slot) && !(task instanceof Task.StoppingStray))
                || queue.stream().anyMatch(event -> event.slot().equals(slot));
    }

    private Optional<Incarnation> incarnation(SlotName slot) {
        return state.machine(slot).flatMap(SlotMachine::launch).flatMap(Launch::incarnation);
    }

    private Door door(SlotName slot) {
        return Objects.requireNonNull(doors.get(slot));
    }

    private <T> T any(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    private static Hal0Exception spawnFailed() {
        return new Hal0Exception(ErrorCode.SLOT_SPAWN_FAILED, "no such program");
    }

    private static Hal0Exception timeout() {
        return new Hal0Exception(ErrorCode.SLOT_TERMINATE_TIMEOUT, "it survived");
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
