package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** All machines; immutable, so that a step can be undone by forgetting it. */
record SchedulerState(Map<SlotName, SlotMachine> machines) {
    static final SchedulerState EMPTY = new SchedulerState(Map.of());

    Optional<SlotMachine> machine(SlotName slot) {
        return Optional.ofNullable(machines.get(slot));
    }

    SchedulerState with(SlotMachine machine) {
        var next = new TreeMap<>(machines);
        next.put(machine.slot(), machine);
        return new SchedulerState(java.util.Collections.unmodifiableMap(next));
    }

    SchedulerState without(SlotName slot) {
        var next = new TreeMap<>(machines);
        next.remove(slot);
        return new SchedulerState(java.util.Collections.unmodifiableMap(next));
    }
}
