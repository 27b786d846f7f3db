package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * All machines; immutable, so that a step can be undone by forgetting it.
 *
 * @param line slots whose load waits for room, in their turn
 * @param evidence what the last decision about each slot's load was made from; for people
 * @param mode who the GPU belongs to
 */
record SchedulerState(
        Map<SlotName, SlotMachine> machines, List<SlotName> line, Map<SlotName, RoomEvidence> evidence, GpuMode mode) {
    static final SchedulerState EMPTY = new SchedulerState(Map.of(), List.of(), Map.of(), GpuMode.INFERENCE);

    Optional<SlotMachine> machine(SlotName slot) {
        return Optional.ofNullable(machines.get(slot));
    }

    SchedulerState with(SlotMachine machine) {
        return new SchedulerState(with(machines, machine.slot(), machine), line, evidence, mode);
    }

    SchedulerState without(SlotName slot) {
        return new SchedulerState(without(machines, slot), line, without(evidence, slot), mode);
    }

    SchedulerState withLine(List<SlotName> slots) {
        return new SchedulerState(machines, List.copyOf(slots), evidence, mode);
    }

    SchedulerState withEvidence(SlotName slot, RoomEvidence found) {
        return new SchedulerState(machines, line, with(evidence, slot, found), mode);
    }

    SchedulerState withMode(GpuMode value) {
        return new SchedulerState(machines, line, evidence, value);
    }

    private static <T> Map<SlotName, T> with(Map<SlotName, T> map, SlotName slot, T value) {
        var next = new TreeMap<>(map);
        next.put(slot, value);
        return Collections.unmodifiableMap(next);
    }

    private static <T> Map<SlotName, T> without(Map<SlotName, T> map, SlotName slot) {
        var next = new TreeMap<>(map);
        next.remove(slot);
        return Collections.unmodifiableMap(next);
    }
}
