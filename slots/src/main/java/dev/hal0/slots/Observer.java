package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** Looks at everything that the scheduler must know beside its events. Reads memory only: it is asked before every decision. */
final class Observer {
    private static final Duration DEFAULT_UNLOAD_AFTER = Duration.ofHours(1);

    private final SlotDefinitions definitions;
    private final SlotWorkloads workloads;
    private final LastUse lastUse;
    private final SlotMemory memory;
    private final ResidencyLimits limits;

    Observer(
            SlotDefinitions definitions,
            SlotWorkloads workloads,
            LastUse lastUse,
            SlotMemory memory,
            ResidencyLimits limits) {
        this.definitions = definitions;
        this.workloads = workloads;
        this.lastUse = lastUse;
        this.memory = memory;
        this.limits = limits;
    }

    Observation look() {
        Map<SlotName, Observation.Use> uses = new HashMap<>();
        for (SlotDefinition definition : definitions.known()) {
            SlotWorkloads.Admission admission = workloads.admission(definition.name());
            uses.put(
                    definition.name(),
                    new Observation.Use(
                            residency(definition),
                            admission.gate().inside(),
                            admission.queue().length(),
                            lastUse.of(definition.name())));
        }
        return new Observation(uses, memory.freeBytes(), limits.withBudget(memory.budgetBytes()));
    }

    private Residency residency(SlotDefinition definition) {
        Keeping keeping = definition.keeping();
        Duration unloadAfter = keeping.unloadAfterSeconds().isPresent()
                ? Duration.ofSeconds(keeping.unloadAfterSeconds().getAsInt())
                : definition.isDefault() ? Duration.ZERO : DEFAULT_UNLOAD_AFTER;
        return new Residency(
                definition.type(),
                memory.pool(definition.device()),
                keeping.pinned(),
                keeping.priority(),
                unloadAfter,
                Lane.of(definition.device(), definition.type()));
    }
}
