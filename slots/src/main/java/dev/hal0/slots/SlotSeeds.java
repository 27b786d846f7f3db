package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The slots that a box has from the start. None but {@code embed} carries a model, so a fresh box downloads nothing and
 * starts nothing that could crash; the model of {@code embed} is part of hal0.
 */
public final class SlotSeeds {
    static final String EMBEDDING_MODEL = "all-minilm-l6-v2";
    private static final String ANCHOR = "npu";

    /** Whether or not this box has an NPU: a client must find the same thing under a name everywhere. */
    static final Set<String> NAMES =
            Set.of("chat", "embed", "rerank", "stt", "tts", "img", ANCHOR, "stt-npu", "embed-npu");

    /** Taken on boxes with an NPU, so on others nobody may take them either. */
    static final Set<String> RESERVED = Set.of("agent", ANCHOR, "stt-npu", "embed-npu");

    private SlotSeeds() {}

    public static List<SlotDefinition> everywhere() {
        return List.of(
                SlotDefinitions.seed("chat", SlotType.LLM, 8081, Optional.empty()),
                SlotDefinitions.seed("embed", SlotType.EMBEDDING, 8083, Optional.of(EMBEDDING_MODEL)),
                SlotDefinitions.seed("tts", SlotType.TTS, 8084, Optional.empty()),
                SlotDefinitions.seed("stt", SlotType.TRANSCRIPTION, 8085, Optional.empty()),
                SlotDefinitions.seed("rerank", SlotType.RERANKING, 8086, Optional.empty()),
                SlotDefinitions.seed("img", SlotType.IMAGE, 8188, Optional.empty()));
    }

    /** One engine for three slots: chat owns it, the others share its port. */
    public static List<SlotDefinition> npu() {
        return List.of(
                onNpu(ANCHOR, SlotType.LLM, Optional.empty()),
                onNpu("stt-npu", SlotType.TRANSCRIPTION, Optional.of(new SlotName(ANCHOR))),
                onNpu("embed-npu", SlotType.EMBEDDING, Optional.of(new SlotName(ANCHOR))));
    }

    private static SlotDefinition onNpu(String name, SlotType type, Optional<SlotName> servedBy) {
        return new SlotDefinition(
                new SlotName(name),
                type,
                Device.NPU,
                8088,
                true,
                false,
                Optional.empty(),
                OptionalInt.empty(),
                -1,
                1,
                "",
                Map.of(),
                Keeping.DEFAULT,
                SlotOptions.DEFAULT.servedBy(servedBy));
    }
}
