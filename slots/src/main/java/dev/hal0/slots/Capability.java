package dev.hal0.slots;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import java.util.Arrays;
import java.util.List;

/** Something that a box can do beside chat, and the slot that does it. */
public enum Capability {
    EMBED("embed", "embed", "embed", SlotType.EMBEDDING),
    RERANK("embed", "rerank", "rerank", SlotType.RERANKING),
    STT("voice", "stt", "stt", SlotType.TRANSCRIPTION),
    TTS("voice", "tts", "tts", SlotType.TTS),
    IMG("img", "img", "img", SlotType.IMAGE),
    VISION("vision", "vision", "vision", SlotType.LLM);

    private final String group;
    private final String child;
    private final SlotName slot;
    private final SlotType type;

    Capability(String group, String child, String slot, SlotType type) {
        this.group = group;
        this.child = child;
        this.slot = new SlotName(slot);
        this.type = type;
    }

    public String group() {
        return group;
    }

    public String child() {
        return child;
    }

    public SlotName slot() {
        return slot;
    }

    public SlotType type() {
        return type;
    }

    List<String> path() {
        return List.of("selections", group, child);
    }

    /** @throws Hal0Exception {@code capability.unknown_slot} naming those that exist */
    public static Capability of(String group, String child) {
        return Arrays.stream(values())
                .filter(known -> known.group.equals(group) && known.child.equals(child))
                .findFirst()
                .orElseThrow(() -> new Hal0Exception(
                        ErrorCode.CAPABILITY_UNKNOWN,
                        "No capability " + group + "/" + child + "; there are "
                                + Arrays.stream(values())
                                        .map(known -> known.group + "/" + known.child)
                                        .toList()
                                + "."));
    }
}
