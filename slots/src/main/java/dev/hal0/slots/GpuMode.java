package dev.hal0.slots;

import com.fasterxml.jackson.annotation.JsonValue;
import dev.hal0.kernel.SlotName;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Who the GPU belongs to, and how far a change of that has come.
 *
 * @param since when {@code phase} was entered
 * @param saved slots that image mode took from the GPU and that come back; while {@code RESTORING}, those still to come
 * @param asked of which a load was asked and not yet heard of
 * @param pinned image mode stays until it is left by hand
 * @param force ends requests that are inside instead of waiting for them
 * @param operations who waits for the change that is under way
 * @param failed saved slots that did not come back, and why; kept until the next change
 */
record GpuMode(
        Phase phase,
        Instant since,
        List<SlotName> saved,
        Set<SlotName> asked,
        boolean pinned,
        boolean force,
        Set<OperationId> operations,
        Map<SlotName, String> failed) {

    enum Phase {
        /** Language models may use the GPU, image generation may not. */
        INFERENCE,
        /** Those on the GPU are being unloaded; no new ones come. */
        ENTERING,
        /** Image generation has the GPU for itself, its slot may still be loading. */
        IMAGE,
        /** The image slot is being unloaded. */
        LEAVING,
        /** What image mode had taken is being loaded again. */
        RESTORING;

        @JsonValue
        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    static final GpuMode INFERENCE =
            new GpuMode(Phase.INFERENCE, Instant.EPOCH, List.of(), Set.of(), false, false, Set.of(), Map.of());

    GpuMode {
        saved = List.copyOf(saved);
        asked = Set.copyOf(asked);
        operations = Set.copyOf(operations);
        failed = Map.copyOf(failed);
    }

    boolean is(Phase other) {
        return phase == other;
    }

    GpuMode entered(Phase next, Instant now) {
        return new GpuMode(next, now, saved, asked, pinned, force, operations, failed);
    }

    /** As it was recorded, perhaps under a clock that ran ahead. */
    GpuMode noLaterThan(Instant now) {
        return since.isAfter(now) ? entered(phase, now) : this;
    }

    GpuMode withSaved(List<SlotName> slots) {
        return new GpuMode(phase, since, slots, asked, pinned, force, operations, failed);
    }

    GpuMode withAsked(Set<SlotName> slots) {
        return new GpuMode(phase, since, saved, slots, pinned, force, operations, failed);
    }

    /** The load was heard of, or will never be. */
    GpuMode heardOf(SlotName slot) {
        var rest = new HashSet<>(asked);
        rest.remove(slot);
        return withAsked(rest);
    }

    GpuMode withPinned(boolean value) {
        return new GpuMode(phase, since, saved, asked, value, force, operations, failed);
    }

    GpuMode withForce(boolean value) {
        return new GpuMode(phase, since, saved, asked, pinned, value, operations, failed);
    }

    GpuMode withOperations(Set<OperationId> ids) {
        return new GpuMode(phase, since, saved, asked, pinned, force, ids, failed);
    }

    GpuMode withoutFailures() {
        return new GpuMode(phase, since, saved, asked, pinned, force, operations, Map.of());
    }

    /** It does not come back by itself. */
    GpuMode withFailed(SlotName slot, String why) {
        var all = new TreeMap<>(failed);
        all.put(slot, why);
        return new GpuMode(phase, since, without(slot), asked, pinned, force, operations, all);
    }

    GpuMode withRestored(SlotName slot) {
        return withSaved(without(slot));
    }

    private List<SlotName> without(SlotName slot) {
        return saved.stream().filter(other -> !other.equals(slot)).toList();
    }
}
