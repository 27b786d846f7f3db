package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.util.Optional;

/**
 * What the gateway needs to know of one slot, as of one instant.
 *
 * @param modelId what is running, or else what would be loaded; empty for a slot without a model
 * @param contextLength tokens; 0 when unknown
 * @param target where to send requests; present exactly while the slot is ready
 */
public record Route(
        SlotName slot,
        SlotType type,
        boolean enabled,
        boolean isDefault,
        Optional<String> modelId,
        int contextLength,
        SlotState state,
        AdmissionQueue admission,
        Optional<Target> target) {

    /** A ready workload. */
    public record Target(Incarnation incarnation, Endpoint endpoint, Engine engine) {}
}
