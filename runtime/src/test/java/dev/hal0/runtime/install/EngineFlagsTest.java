package dev.hal0.runtime.install;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.SlotName;
import dev.hal0.models.ModelCapability;
import dev.hal0.models.RegisteredModel;
import dev.hal0.runtime.engine.LlamaCppEngine;
import dev.hal0.slots.Device;
import dev.hal0.slots.SlotDefinition;
import dev.hal0.slots.SlotType;
import dev.hal0.slots.profile.Profile;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class EngineFlagsTest {
    @Test
    void flagsOfAllPlans_areTheListedOnes() {
        var passed = new TreeSet<String>();
        for (SlotType type : List.of(SlotType.LLM, SlotType.EMBEDDING, SlotType.RERANKING)) {
            for (Device device : Device.values()) {
                for (int layers : List.of(-1, 7)) {
                    new LlamaCppEngine()
                                    .plan(slot(type, device, layers), Profile.NONE, model(), Path.of("/key"))
                                    .arguments()
                                    .stream()
                                    .filter(word -> word.startsWith("-"))
                                    .forEach(passed::add);
                }
            }
        }

        // Only for a model that has a projector.
        passed.add("--mmproj");
        assertThat(EngineFlags.passed("llama.cpp")).containsExactlyInAnyOrderElementsOf(passed);
    }

    @Test
    void longerFlagInHelp_doesNotStandForAShorterOne() {
        String help = String.join("\n", EngineFlags.passed("llama.cpp"))
                .replace("--model\n", "--model-url N, --no-model\n")
                .replace("--slots\n", "-s,    --slots, --no-slots    (default: on)\n");

        assertThat(EngineFlags.missing("llama.cpp", help)).containsExactly("--model");
        assertThat(EngineFlags.missing("unheard-of", "")).isEmpty();
    }

    private static SlotDefinition slot(SlotType type, Device device, int layers) {
        return new SlotDefinition(
                new SlotName("chat"),
                type,
                device,
                8081,
                true,
                true,
                Optional.of("m"),
                OptionalInt.empty(),
                layers,
                1,
                "",
                Map.of(),
                dev.hal0.slots.Keeping.DEFAULT,
                dev.hal0.slots.SlotOptions.DEFAULT);
    }

    private static RegisteredModel model() {
        return new RegisteredModel(
                "m",
                "m",
                Optional.of(Path.of("/m.gguf")),
                1,
                "llama",
                "Q4_0",
                4096,
                true,
                Set.of(ModelCapability.CHAT),
                List.of("llama.cpp"),
                Instant.EPOCH,
                false);
    }
}
