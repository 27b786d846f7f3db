package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import dev.hal0.models.RegisteredModel;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A slot to be created: what was said, the rest gets its default.
 *
 * @param port empty to have one allocated
 * @param profile empty for the one of its device and type
 */
public record SlotDraft(
        SlotName name,
        SlotType type,
        Device device,
        OptionalInt port,
        boolean isDefault,
        Optional<String> modelId,
        OptionalInt contextSize,
        int parallel,
        Optional<String> profile) {

    /** A slot of the type that fits what the model can do first. */
    static SlotDraft forModel(SlotName name, RegisteredModel model) {
        SlotType type = Arrays.stream(SlotType.values())
                .filter(candidate -> model.can(candidate.capability()))
                .findFirst()
                .orElse(SlotType.LLM);
        return new SlotDraft(
                name,
                type,
                Device.CPU,
                OptionalInt.empty(),
                false,
                Optional.of(model.id()),
                OptionalInt.empty(),
                1,
                Optional.empty());
    }
}
