package dev.hal0.slots;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.EventBus;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.kernel.SteadyClock;
import dev.hal0.models.ModelCatalog;
import dev.hal0.models.RegisteredModel;
import dev.hal0.slots.profile.Profile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The slots as the rest of hal0 sees them. Turns wishes into scheduler events, with everything that must be read from files
 * read beforehand, and answers what is going on. Thread-safe. Methods that return an {@link Operation} return at once; the
 * operation goes on.
 */
public final class SlotManager implements SlotControl, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(SlotManager.class);
    private static final long LAST_WORDS_MILLIS = 500;

    private final SlotDefinitions definitions;
    private final ModelCatalog models;
    private final EngineCatalog engines;
    private final SlotRuntime runtime;
    private final Path statesRoot;
    private final Operations operations;
    private final SchedulerLoop loop;
    private final EventBus events;
    private final SlotViews views;
    private final SteadyClock steady;
    private final LastUse lastUse;
    private final SlotWatch watch;
    private final Observer observer;
    private final ExecutorService wishes = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("slot-wish-", 0).factory());
    private volatile Map<SlotName, SlotState> lastShown = Map.of();
    private final ConcurrentMap<SlotName, CompletableFuture<Void>> requestLoads = new ConcurrentHashMap<>();
    private final ConcurrentMap<SlotName, List<Consumer<String>>> progressListeners = new ConcurrentHashMap<>();

    /** @param statesRoot one folder per slot, such as {@code var/lib/hal0/slots} */
    public SlotManager(
            SlotDefinitions definitions,
            ModelCatalog models,
            EngineCatalog engines,
            SlotRuntime runtime,
            Path statesRoot,
            DurableFiles files,
            EventBus events,
            OperationLog history,
            SlotMemory memory,
            SlotPolicy policy,
            InstantSource clock) {
        this.definitions = definitions;
        this.models = models;
        this.engines = engines;
        this.runtime = runtime;
        this.statesRoot = statesRoot;
        this.events = events;
        this.operations = new Operations(events, history, clock);
        var workloads = new SlotWorkloads();
        var keys = new EndpointKeys(files);
        this.watch =
                new SlotWatch(engines, keys, workloads, policy.hungAfter(), event -> post(event), System::nanoTime);
        this.steady = new SteadyClock(clock);
        this.lastUse = new LastUse(statesRoot, files, workloads, steady);
        this.observer = new Observer(definitions, workloads, lastUse, memory, policy.limits());
        this.views = new SlotViews(
                definitions, models, engines, runtime, workloads, keys, operations, this::planOf, lastUse, steady);
        this.loop = new SchedulerLoop(
                new SlotRecords(statesRoot, files),
                operations,
                sink -> new EffectRunner(runtime, engines, workloads, keys, history, policy, sink),
                runtime,
                views,
                this::tellProgress,
                this::reload,
                observer::look,
                events,
                history,
                steady);
    }

    /**
     * Adopts what runs, loads what should run and starts serving wishes. Returns when every recorded launch was looked for;
     * adopted slots become ready in the background.
     */
    public void start() {
        List<SlotName> defined =
                definitions.list().stream().map(SlotDefinition::name).toList();
        List<SlotName> toLoad = loop.start(defined);
        toLoad.forEach(slot -> wishes.execute(() -> {
            try {
                submitLoad(slot, Optional.empty(), false, CauseCode.DESIRED_AT_START);
            } catch (Hal0Exception cannot) {
                log.warn("slot {} should be loaded but cannot: {}", slot, cannot.message());
            }
        }));
    }

    // What there is

    public List<SlotView> list() {
        return definitions.list().stream()
                .map(definition -> views.view(definition))
                .toList();
    }

    /** @throws Hal0Exception {@code slot.not_found} */
    public SlotView view(SlotName slot) {
        return views.view(definitions.require(slot));
    }

    @Override
    public RoutingSnapshot routes() {
        return views.routes();
    }

    public SlotLog log(SlotName slot) {
        definitions.require(slot);
        return runtime.log(slot);
    }

    /** The command a load would run now. */
    public ResolvedLaunch resolved(SlotName slot) {
        LaunchPlan plan = planOf(definitions.require(slot));
        return new ResolvedLaunch(slot, runtime.commandLine(plan), plan.flags());
    }

    /** How what runs differs from what its files say now. */
    public LaunchDrift drift(SlotName slot) {
        SlotDefinition definition = definitions.require(slot);
        Optional<Launch> launch = views.state().machine(slot).flatMap(SlotMachine::launch);
        if (launch.isEmpty()) {
            return LaunchDrift.NOTHING_RUNS;
        }
        try {
            LaunchPlan running = launch.get().plan();
            return LaunchDrift.between(running, planOf(definition)).and(runtime.differences(running));
        } catch (Hal0Exception noPlanNow) {
            return LaunchDrift.impossible(noPlanNow.message());
        }
    }

    /** Who holds memory, who waits for it, and why. */
    public SchedulerView scheduler() {
        return SchedulerView.of(views.state(), observer.look(), steady::shown);
    }

    /** Why a slot does not run and what would change that. */
    public SlotExplanation explain(SlotName slot) {
        SlotDefinition definition = definitions.require(slot);
        Optional<Hal0Exception> obstacle = Optional.empty();
        try {
            if (definition.enabled()) {
                var unused = request(definition, false, false, CauseCode.REQUEST);
            }
        } catch (Hal0Exception why) {
            obstacle = Optional.of(why);
        }
        SchedulerState state = views.state();
        SlotView view = view(slot);
        return SlotExplanation.of(
                view,
                state.machine(slot).orElseGet(() -> SlotMachine.offline(slot, view.since())),
                obstacle,
                view.configDirty() ? drift(slot) : LaunchDrift.NOTHING_RUNS,
                state.line().contains(slot),
                Optional.ofNullable(state.evidence().get(slot)));
    }

    public List<Operation> operations() {
        return operations.list();
    }

    /** @throws Hal0Exception {@code operation.not_found} */
    public Operation operation(OperationId id) {
        return operations.find(id).orElseThrow(() -> Operations.unknown(id));
    }

    /** Completes when it ends, however it ends. */
    public CompletionStage<Operation> ended(OperationId id) {
        return operations.ended(id);
    }

    // Wishes

    /**
     * Loads a slot.
     *
     * @param model what to bind it to; empty for what it is bound to. A live slot gives way to another model
     * @param create makes the slot if it does not exist; needs a model
     */
    public Operation load(SlotName slot, Optional<String> model, boolean create) {
        return load(slot, model, create, false);
    }

    /** @param force load it although it does not fit beside what is loaded */
    public Operation load(SlotName slot, Optional<String> model, boolean create, boolean force) {
        if (create && model.isPresent() && definitions.find(slot).isEmpty()) {
            definitions.create(SlotDraft.forModel(slot, models.require(model.get())));
            views.refresh();
        }
        definitions.require(slot);
        return operation(submitLoad(slot, model, force, force ? CauseCode.OPERATOR_FORCE : CauseCode.OPERATOR_LOAD));
    }

    /** @param force ends requests that are inside instead of waiting for them */
    public Operation unload(SlotName slot, boolean force) {
        definitions.require(slot);
        OperationId id = operations.begin(Operation.Kind.UNLOAD, slot);
        loop.post(new SlotEvent.UnloadWanted(
                slot, id, force, force ? CauseCode.OPERATOR_FORCE : CauseCode.OPERATOR_UNLOAD));
        return operation(id);
    }

    public Operation restart(SlotName slot, boolean force) {
        SlotDefinition definition = definitions.require(slot);
        LoadRequest request = request(definition, true, force, CauseCode.OPERATOR_RESTART);
        OperationId id = operations.begin(Operation.Kind.RESTART, slot);
        loop.post(new SlotEvent.RestartWanted(slot, id, force, request));
        return operation(id);
    }

    /**
     * Gives the GPU to image generation: what else is on it is unloaded when nobody is inside any more, and comes back when
     * image mode is left.
     *
     * @param image the image slot the operation is listed under
     * @param force ends requests that are inside instead of waiting for them
     * @param pin stay until it is left by hand
     */
    public Operation enterImageMode(SlotName image, boolean force, boolean pin) {
        definitions.require(image);
        OperationId id = operations.begin(Operation.Kind.IMAGE_MODE, image);
        loop.post(new SlotEvent.ImageModeWanted(image, id, force, pin));
        return operation(id);
    }

    /** @param force also when image mode is pinned, and ends images that are being made */
    public Operation leaveImageMode(SlotName image, boolean force) {
        definitions.require(image);
        OperationId id = operations.begin(Operation.Kind.INFERENCE_MODE, image);
        loop.post(new SlotEvent.InferenceModeWanted(image, id, force));
        return operation(id);
    }

    /** Creates a slot; starts nothing. */
    public SlotView create(SlotDraft draft) {
        SlotDefinition created = definitions.create(draft);
        views.refresh();
        return view(created.name());
    }

    public SlotDefinitions definitions() {
        return definitions;
    }

    /** The files may have changed: what is shown and routed follows, nothing is started or stopped. */
    public void definitionsChanged() {
        views.refresh();
    }

    /**
     * Publishes the slots whose derived state (serving, idle) is another than when this was last called. Called a few times a
     * second: requests themselves never publish.
     */
    public void publishActivity() {
        Map<SlotName, SlotState> now = views.shownStates();
        Map<SlotName, SlotState> before = lastShown;
        lastShown = now;
        now.forEach((slot, state) -> {
            if (before.containsKey(slot) && before.get(slot) != state) {
                views.find(slot).ifPresent(view -> events.publish("slot.state", slot.value(), view));
            }
        });
    }

    /** Unloads, then removes the slot, its log and its state. Seeded slots stay. */
    public Operation delete(SlotName slot, boolean force) {
        definitions.requireDeletable(slot);
        OperationId deletion = operations.begin(Operation.Kind.DELETE, slot);
        Operation unload = unload(slot, force);
        var unused = operations
                .succeeded(unload.id())
                .whenCompleteAsync(
                        (ignored, failure) -> {
                            if (failure == null) {
                                remove(slot, deletion);
                            } else {
                                operations.fail(deletion, Failures.of(failure));
                            }
                        },
                        wishes);
        return operation(deletion);
    }

    private void remove(SlotName slot, OperationId deletion) {
        try {
            definitions.delete(slot);
            loop.post(new SlotEvent.Forgotten(slot));
            runtime.forget(slot);
            lastUse.forget(slot);
            views.refresh();
            operations.finish(deletion, "deleted");
        } catch (Hal0Exception failure) {
            operations.fail(deletion, failure);
        }
    }

    /** Looks after what is ready; called every few seconds. Returns at once. */
    public void watch() {
        watch.look(views.ready(), wishes);
    }

    private void post(SlotEvent event) {
        loop.post(event);
    }

    /** Writes down when slots were last used, and measures what they hold. A crash may lose what came since the last time. */
    public void takeStock() {
        lastUse.flush();
        views.ready().stream()
                .map(Launch::workload)
                .forEach(workload -> runtime.memoryBytes(workload)
                        .ifPresent(bytes ->
                                loop.post(new SlotEvent.Measured(workload.slot(), workload.incarnation(), bytes))));
    }

    @Override
    public CompletionStage<Void> ensureReady(SlotName slot, Consumer<String> progress) {
        List<Consumer<String>> listeners =
                progressListeners.computeIfAbsent(slot, ignored -> new CopyOnWriteArrayList<>());
        listeners.add(progress);
        var loading = new CompletableFuture<Void>();
        CompletableFuture<Void> running = requestLoads.putIfAbsent(slot, loading);
        CompletableFuture<Void> shared = running == null ? loading : running;
        if (running == null) {
            wishes.execute(() -> {
                try {
                    OperationId id = submitLoad(slot, Optional.empty(), false, CauseCode.REQUEST);
                    relay(operations.succeeded(id), slot, loading);
                } catch (RuntimeException failure) {
                    requestLoads.remove(slot, loading);
                    loading.completeExceptionally(failure);
                }
            });
        }
        // A copy: one caller that gives up must not cancel the others.
        return shared.copy().whenComplete((ignored, failure) -> listeners.remove(progress));
    }

    private void relay(CompletableFuture<Void> result, SlotName slot, CompletableFuture<Void> loading) {
        var unused = result.whenComplete((ignored, failure) -> {
            // Removed before it is completed: whoever comes next must not be given an old result.
            requestLoads.remove(slot, loading);
            if (failure == null) {
                loading.complete(null);
            } else {
                loading.completeExceptionally(Failures.of(failure));
            }
        });
    }

    @Override
    public void doubt(SlotName slot, Incarnation incarnation, String reason) {
        loop.post(new SlotEvent.Doubted(slot, incarnation, reason));
    }

    private OperationId submitLoad(SlotName slot, Optional<String> model, boolean force, CauseCode cause) {
        SlotDefinition definition = definitions.require(slot);
        boolean another = model.isPresent() && !model.equals(definition.modelId());
        SlotDefinition wanted = model.map(definition::withModel).orElse(definition);
        LoadRequest request = request(wanted, model.isPresent(), force, cause);
        boolean bindFirst = another && definition.modelId().isEmpty();
        if (bindFirst) {
            definitions.bindModel(slot, model.orElseThrow());
        }
        OperationId id = operations.begin(Operation.Kind.LOAD, slot);
        if (another && !bindFirst) {
            // A model that does not load must not take the place of one that does.
            var unused = operations
                    .succeeded(id)
                    .thenRunAsync(
                            () -> {
                                definitions.bindModel(slot, model.orElseThrow());
                                views.refresh();
                            },
                            wishes);
        }
        loop.post(new SlotEvent.LoadWanted(slot, id, request));
        return id;
    }

    /** A slot that should be loaded by itself; its files may have been mended, or broken, meanwhile. */
    private void reload(SlotName slot, CauseCode why) {
        wishes.execute(() -> {
            try {
                submitLoad(slot, Optional.empty(), false, why);
            } catch (Hal0Exception cannot) {
                log.warn("slot {} should be loaded but cannot: {}", slot, cannot.message());
                loop.post(new SlotEvent.NotLoadable(slot, cannot));
            }
        });
    }

    private LoadRequest request(SlotDefinition definition, boolean replace, boolean force, CauseCode cause) {
        if (!definition.enabled()) {
            throw new Hal0Exception(ErrorCode.SLOT_DISABLED, "Slot " + definition.name() + " is disabled.");
        }
        LaunchPlan plan = planOf(definition);
        for (Path path : plan.readablePaths()) {
            if (!Files.isReadable(path)) {
                throw new Hal0Exception(
                                ErrorCode.MODEL_FILE_MISSING,
                                "Model " + plan.modelId() + " of slot " + definition.name() + " needs " + path
                                        + ", which " + (Files.exists(path) ? "cannot be read." : "is not there."))
                        .withDetail("path", path.toString());
            }
        }
        RegisteredModel model = models.require(plan.modelId());
        return new LoadRequest(
                plan,
                EffectRunner.randomToken(),
                runtime.isPrepared(plan),
                replace,
                force,
                engines.require(plan.engine()).needBytes(plan, model),
                cause);
    }

    /** Pure but for the registry's cache, so that preview, comparison and launch agree. */
    private LaunchPlan planOf(SlotDefinition definition) {
        SlotName slot = definition.name();
        String modelId = definition
                .modelId()
                .orElseThrow(() -> engines.obstacle(definition).orElseGet(() -> noModel(definition)));
        RegisteredModel model = models.require(modelId);
        if (!model.can(definition.type().capability())) {
            throw new Hal0Exception(
                            ErrorCode.MODEL_CAPABILITY_MISMATCH,
                            "Slot " + slot + " is of type " + definition.type().label() + "; model " + modelId
                                    + " can only " + model.capabilities() + ".")
                    .withParam("model");
        }
        Profile profile = definitions.profile(definition);
        boolean named = definition.options().profile().equals(Optional.of(profile.name()));
        return engines.choose(definition, profile, named, model)
                .plan(
                        definition,
                        profile,
                        model,
                        statesRoot.resolve(slot.value()).resolve("engine.key"));
    }

    private static Hal0Exception noModel(SlotDefinition definition) {
        return new Hal0Exception(
                ErrorCode.SLOT_NO_MODEL,
                "Slot " + definition.name() + " has no model. Register one with `hal0 model add FILE.gguf`, then run"
                        + " `hal0 slot load " + definition.name() + " --model ID`.");
    }

    private void tellProgress(SlotName slot, String message) {
        progressListeners.getOrDefault(slot, List.of()).forEach(listener -> listener.accept(message));
    }

    /** Stops deciding. No workload is touched: they outlive the control plane. */
    @Override
    public void close() {
        wishes.shutdownNow();
        loop.close();
        try {
            // Nothing is written after this: whoever comes next owns the files.
            var unused = wishes.awaitTermination(LAST_WORDS_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException hurry) {
            Thread.currentThread().interrupt();
        }
        operations.cancelAll("hal0 was stopped; what it was doing is decided anew at its next start");
        lastUse.flush();
    }
}
