package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * What the scheduler is shown of the world beside the event: everything that changes without one.
 *
 * @param slots every defined slot
 * @param freeBytes of each pool as it was last measured; a pool that cannot be measured is absent
 */
record Observation(Map<SlotName, Use> slots, Map<String, Long> freeBytes, ResidencyLimits limits) {
    static final Observation NOTHING = new Observation(Map.of(), Map.of(), ResidencyLimits.NONE);

    /**
     * @param inside requests in the slot's gate
     * @param waiting requests in its line
     * @param lastUsed by the clock that events carry; empty if it was not used in this life
     */
    record Use(Residency residency, int inside, int waiting, Optional<Instant> lastUsed) {
        boolean isQuiet() {
            return inside == 0 && waiting == 0;
        }
    }

    Observation {
        slots = Map.copyOf(slots);
        freeBytes = Map.copyOf(freeBytes);
    }

    Optional<Use> of(SlotName slot) {
        return Optional.ofNullable(slots.get(slot));
    }
}
