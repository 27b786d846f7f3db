package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The scheduler's picture of memory: who holds it, who waits for it, and why the last decisions were as they were.
 *
 * @param line loads that wait for room, the next one first
 * @param decisions what was last decided about each slot's load
 * @param gpu who the GPU belongs to
 */
public record SchedulerView(
        Map<String, Pool> pools,
        List<Holder> holders,
        List<Waiting> line,
        Map<SlotName, RoomEvidence> decisions,
        GpuModeView gpu) {
    /**
     * @param budgetBytes null if unknown
     * @param freeBytes as last measured; null if unknown
     * @param reservedBytes of all holders whose share is known
     */
    public record Pool(@Nullable Long budgetBytes, @Nullable Long freeBytes, long reservedBytes) {}

    /**
     * @param reservedBytes null if nobody knows
     * @param measuredBytes most that was ever measured of this launch's plan; null before
     * @param unloadAfterSeconds without use; 0 for never
     */
    public record Holder(
            SlotName slot,
            SlotState state,
            String pool,
            @Nullable Long reservedBytes,
            @Nullable Long estimatedBytes,
            @Nullable Long measuredBytes,
            Lane lane,
            boolean pinned,
            int priority,
            long unloadAfterSeconds,
            int inside,
            int waiting,
            @Nullable Instant lastUsedAt) {}

    public record Waiting(SlotName slot, Instant since, String reason) {}

    /** @param shown puts a moment of the scheduler's clock as people read it */
    static SchedulerView of(SchedulerState state, Observation world, UnaryOperator<Instant> shown) {
        var holders = new ArrayList<Holder>();
        var reserved = new TreeMap<String, Long>();
        for (SlotMachine machine : state.machines().values()) {
            world.of(machine.slot()).filter(use -> machine.launch().isPresent()).ifPresent(use -> {
                holders.add(holder(machine, use, shown));
                reserved.merge(use.residency().pool(), machine.reserved().orElse(0), Long::sum);
            });
        }
        var pools = new TreeMap<String, Pool>();
        var names = new java.util.TreeSet<>(reserved.keySet());
        names.addAll(world.limits().budgetBytes().keySet());
        names.addAll(world.freeBytes().keySet());
        for (String name : names) {
            pools.put(
                    name,
                    new Pool(
                            world.limits().budgetBytes().get(name),
                            world.freeBytes().get(name),
                            reserved.getOrDefault(name, 0L)));
        }
        List<Waiting> line = state.line().stream()
                .flatMap(slot -> state.machine(slot).stream())
                .flatMap(machine -> machine.next().stream()
                        .map(next -> new Waiting(machine.slot(), shown.apply(next.since()), machine.message())))
                .toList();
        return new SchedulerView(pools, holders, line, state.evidence(), GpuModeView.of(state.mode(), shown));
    }

    private static Holder holder(SlotMachine machine, Observation.Use use, UnaryOperator<Instant> shown) {
        Launch launch = machine.launch().orElseThrow();
        return new Holder(
                machine.slot(),
                machine.state(),
                use.residency().pool(),
                boxed(machine.reserved()),
                boxed(launch.needBytes()),
                machine.learned()
                        .filter(known -> known.planHash().equals(launch.plan().hash()))
                        .map(SlotMachine.Learned::bytes)
                        .orElse(null),
                use.residency().lane(),
                use.residency().pinned(),
                use.residency().priority(),
                use.residency().unloadAfter().toSeconds(),
                use.inside(),
                use.waiting(),
                use.lastUsed().map(shown).orElse(null));
    }

    private static @Nullable Long boxed(OptionalLong bytes) {
        return bytes.isPresent() ? bytes.getAsLong() : null;
    }
}
