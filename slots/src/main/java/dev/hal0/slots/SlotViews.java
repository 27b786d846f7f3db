package dev.hal0.slots;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.kernel.SteadyClock;
import dev.hal0.models.ModelCatalog;
import dev.hal0.models.RegisteredModel;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What is shown and what is routed, derived from the scheduler's state, the definitions and the gates. Holds nothing that it
 * could not derive again. Thread-safe.
 */
final class SlotViews {
    private final SlotDefinitions definitions;
    private final ModelCatalog models;
    private final EngineCatalog engines;
    private final SlotRuntime runtime;
    private final SlotWorkloads workloads;
    private final EndpointKeys keys;
    private final Operations operations;
    private final Function<SlotDefinition, LaunchPlan> planner;
    private final LastUse lastUse;
    private final SteadyClock clock;
    private volatile SchedulerState state = SchedulerState.EMPTY;
    private volatile RoutingSnapshot routes = RoutingSnapshot.EMPTY;

    SlotViews(
            SlotDefinitions definitions,
            ModelCatalog models,
            EngineCatalog engines,
            SlotRuntime runtime,
            SlotWorkloads workloads,
            EndpointKeys keys,
            Operations operations,
            Function<SlotDefinition, LaunchPlan> planner,
            LastUse lastUse,
            SteadyClock clock) {
        this.definitions = definitions;
        this.models = models;
        this.engines = engines;
        this.runtime = runtime;
        this.workloads = workloads;
        this.keys = keys;
        this.operations = operations;
        this.planner = planner;
        this.lastUse = lastUse;
        this.clock = clock;
    }

    void update(SchedulerState next) {
        state = next;
        refresh();
    }

    synchronized void refresh() {
        var list = new ArrayList<Route>();
        for (SlotDefinition definition : definitions.list()) {
            list.add(route(definition, machine(definition.name())));
        }
        routes = new RoutingSnapshot(list);
    }

    SchedulerState state() {
        return state;
    }

    RoutingSnapshot routes() {
        return routes;
    }

    Gate gate(SlotName slot) {
        return workloads.gate(slot);
    }

    /** Those that are ready: only what has loaded its model holds what it will hold. */
    List<Launch> ready() {
        return state.machines().values().stream()
                .filter(machine -> machine.state() == SlotState.READY)
                .flatMap(machine -> machine.launch().stream())
                .toList();
    }

    Map<SlotName, SlotState> shownStates() {
        var shown = new HashMap<SlotName, SlotState>();
        Map<SlotName, Integer> idleAfter = definitions.known().stream()
                .collect(Collectors.toMap(
                        SlotDefinition::name, known -> known.options().idleAfterSeconds()));
        state.machines()
                .forEach((slot, machine) -> shown.put(
                        slot,
                        shown(
                                machine,
                                workloads.gate(slot),
                                idleAfter.getOrDefault(slot, SlotOptions.IDLE_AFTER_SECONDS))));
        return shown;
    }

    Optional<SlotView> find(SlotName slot) {
        return definitions.find(slot).map(this::view);
    }

    SlotView view(SlotDefinition definition) {
        SlotName slot = definition.name();
        SlotMachine machine = machine(slot);
        SlotWorkloads.Admission admission = workloads.admission(slot);
        Gate gate = admission.gate();
        Optional<Launch> launch = machine.launch();
        Optional<Workload> workload =
                launch.filter(found -> found.incarnation().isPresent()).map(Launch::workload);
        OptionalLong memory = workload.map(runtime::memoryBytes).orElse(OptionalLong.empty());
        return new SlotView(
                slot,
                definition.type(),
                definition.device(),
                definition.enabled(),
                definition.isDefault(),
                definition.port(),
                launch.map(found -> found.plan().modelId())
                        .or(definition::modelId)
                        .orElse(null),
                shown(machine, gate, definition.options().idleAfterSeconds()),
                machine.cause(),
                message(definition, machine),
                clock.shown(machine.since()),
                launch.map(found -> found.plan().engine()).orElse(null),
                runtime.kind(),
                isDirty(definition, launch),
                definitions.problem(slot).map(Hal0Exception::message).orElse(null),
                machine.failures(),
                machine.retryDue().map(clock::shown).orElse(null),
                workload.map(Workload::incarnation).orElse(null),
                gate.isOpen() ? gate.permits() : 0,
                gate.inside(),
                admission.queue().length(),
                memory.isPresent() ? memory.getAsLong() : null,
                lastUse.of(slot).map(clock::shown).orElse(null),
                actions(definition, machine),
                currentOperation(machine));
    }

    private Route route(SlotDefinition definition, SlotMachine machine) {
        Optional<Launch> launch = machine.launch();
        Optional<Route.Target> target = machine.state() == SlotState.READY && definition.enabled()
                ? launch.map(found -> new Route.Target(
                        found.incarnation().orElseThrow(),
                        keys.endpoint(found),
                        engines.require(found.plan().engine())))
                : Optional.empty();
        Optional<String> model = launch.map(found -> found.plan().modelId()).or(definition::modelId);
        return new Route(
                definition.name(),
                definition.type(),
                definition.enabled(),
                definition.isDefault(),
                model,
                contextLength(definition, model),
                machine.state(),
                workloads.admission(definition.name()).queue(),
                target);
    }

    private int contextLength(SlotDefinition definition, Optional<String> model) {
        if (definition.contextSize().isPresent()) {
            return definition.contextSize().getAsInt();
        }
        try {
            return model.flatMap(models::find)
                    .map(RegisteredModel::contextLength)
                    .orElse(0);
        } catch (Hal0Exception registryUnreadable) {
            return 0;
        }
    }

    private boolean isDirty(SlotDefinition definition, Optional<Launch> launch) {
        if (launch.isEmpty()) {
            return false;
        }
        try {
            return !planner.apply(definition).hash().equals(launch.get().plan().hash());
        } catch (Hal0Exception noPlanNow) {
            return true;
        }
    }

    /** A slot that nothing happened to says what keeps it from working here, rather than nothing. */
    private String message(SlotDefinition definition, SlotMachine machine) {
        if (machine.message().isEmpty() && machine.state() == SlotState.OFFLINE) {
            Optional<Hal0Exception> obstacle = engines.obstacle(definition);
            if (obstacle.isPresent()) {
                return obstacle.get().message();
            }
        }
        return machine.message().isEmpty()
                ? ProfileRules.warning(definition, definitions.profiles()).orElse("")
                : machine.message();
    }

    /** @param idleAfter seconds without use; 0 for never */
    private static SlotState shown(SlotMachine machine, Gate gate, int idleAfter) {
        if (machine.state() != SlotState.READY) {
            return machine.state();
        }
        if (gate.inside() > 0) {
            return SlotState.SERVING;
        }
        return idleAfter > 0 && gate.quietFor().compareTo(Duration.ofSeconds(idleAfter)) > 0
                ? SlotState.IDLE
                : SlotState.READY;
    }

    private static List<String> actions(SlotDefinition definition, SlotMachine machine) {
        var actions = new ArrayList<String>();
        boolean loadable = definition.enabled() && definition.modelId().isPresent();
        switch (machine.state()) {
            case OFFLINE, ERROR -> {
                if (loadable) {
                    actions.add("load");
                }
            }
            case PULLING, STARTING, WARMING -> actions.add("unload");
            case READY, SERVING, IDLE -> {
                actions.add("unload");
                actions.add("restart");
            }
            case UNLOADING -> actions.add("force_unload");
        }
        if (!definition.isSeeded()) {
            actions.add("delete");
        }
        return actions;
    }

    private @Nullable Operation currentOperation(SlotMachine machine) {
        return java.util.stream.Stream.concat(
                        machine.everyoneWaiting().stream(),
                        machine.next().stream().flatMap(next -> next.operations().stream()))
                .map(operations::find)
                .flatMap(Optional::stream)
                .findFirst()
                .orElse(null);
    }

    private SlotMachine machine(SlotName slot) {
        return state.machine(slot).orElseGet(() -> SlotMachine.offline(slot, Instant.EPOCH));
    }
}
