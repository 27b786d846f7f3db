package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * One slot as a person configured it: the content of {@code slots/<name>.toml}.
 *
 * @param port TCP port of its engine on loopback, 1024 to 65535; a slot that another one serves shares that one's
 * @param enabled whether it takes part in routing
 * @param isDefault whether requests of its type without a name go here; at most one per type
 * @param modelId registry id, or empty for a slot that has none yet
 * @param contextSize tokens, at least 128; empty = the model's own window, at most 32768
 * @param gpuLayers layers on the GPU; -1 = all
 * @param parallel requests the engine works on at once, 1 to 64
 * @param extraArguments free engine flags, which win over hal0's own except those hal0 must own
 * @param environment extra variables of the engine's process
 * @param keeping how it wants to be kept in memory
 * @param options the rest of what its file may say
 */
public record SlotDefinition(
        SlotName name,
        SlotType type,
        Device device,
        int port,
        boolean enabled,
        boolean isDefault,
        Optional<String> modelId,
        OptionalInt contextSize,
        int gpuLayers,
        int parallel,
        String extraArguments,
        Map<String, String> environment,
        Keeping keeping,
        SlotOptions options) {

    public SlotDefinition {
        environment = Map.copyOf(environment);
    }

    /** Whether it can be disabled but not deleted, so that a client can rely on it. */
    boolean isSeeded() {
        return SlotSeeds.NAMES.contains(name.value());
    }

    /** The NPU has one engine; the slot with the language model owns it. */
    boolean isNpuAnchor() {
        return device == Device.NPU && type == SlotType.LLM;
    }

    public SlotDefinition withModel(String id) {
        return new SlotDefinition(
                name,
                type,
                device,
                port,
                enabled,
                isDefault,
                Optional.of(id),
                contextSize,
                gpuLayers,
                parallel,
                extraArguments,
                environment,
                keeping,
                options);
    }
}
