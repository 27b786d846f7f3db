package dev.hal0.slots;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * How much may be in memory at once, and how hard the scheduler tries to make room.
 *
 * @param residentPerType most loaded slots of a type; a type without an entry has no limit
 * @param budgetBytes of each pool; a pool without an entry is unknown and never refuses
 * @param floorBytes of free memory in a pool, below which idle slots are unloaded; 0 for never
 * @param leastResidency how long a slot that became ready stays before it must give way to another, unless it is unused:
 *     without this, two slots that take turns would spend their lives loading
 * @param patience how long a load waits for a slot in use to fall silent before that slot is closed to new requests
 * @param longestWait after which a load that found no room is refused
 * @param imageIdle after which image mode that nobody uses is left by itself; zero for never
 */
public record ResidencyLimits(
        Map<SlotType, Integer> residentPerType,
        Map<String, Long> budgetBytes,
        long floorBytes,
        Duration leastResidency,
        Duration patience,
        Duration longestWait,
        Duration imageIdle) {
    public static final ResidencyLimits NONE = new ResidencyLimits(
            Map.of(),
            Map.of(),
            0,
            Duration.ofSeconds(10),
            Duration.ofSeconds(3),
            Duration.ofSeconds(150),
            Duration.ofMinutes(60));

    /** What an empty settings file means. */
    public static final ResidencyLimits DEFAULT = new ResidencyLimits(
            Map.of(), Map.of(), 1L << 30, NONE.leastResidency, NONE.patience, NONE.longestWait, NONE.imageIdle);

    public ResidencyLimits {
        residentPerType = Map.copyOf(residentPerType);
        budgetBytes = Map.copyOf(budgetBytes);
    }

    /** What is configured wins over what was found. */
    ResidencyLimits withBudget(Map<String, Long> found) {
        var all = new HashMap<>(found);
        all.putAll(budgetBytes);
        return new ResidencyLimits(residentPerType, all, floorBytes, leastResidency, patience, longestWait, imageIdle);
    }
}
