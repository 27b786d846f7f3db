package dev.hal0.slots;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a decision about room was made from, for people.
 *
 * @param reason half a sentence that goes on after the slot's name
 * @param needBytes of the load; null if unknown
 * @param budgetBytes of the pool; null if unknown
 * @param freeBytes of the pool, as last measured; null if unknown
 * @param slots those that hold memory or a place of the same type, in the order in which they would give way
 */
public record RoomEvidence(
        String reason,
        @Nullable Long needBytes,
        @Nullable Long budgetBytes,
        @Nullable Long freeBytes,
        List<Verdict> slots) {
    /**
     * @param holdsBytes null if unknown
     * @param verdict whether it could give way, half a sentence
     */
    public record Verdict(
            dev.hal0.kernel.SlotName slot, @Nullable Long holdsBytes, String verdict) {}
}
