package dev.hal0.slots;

import com.fasterxml.jackson.annotation.JsonValue;
import dev.hal0.models.ModelCapability;

/** What a slot serves. */
public enum SlotType {
    LLM("llm", ModelCapability.CHAT),
    EMBEDDING("embedding", ModelCapability.EMBEDDING),
    RERANKING("reranking", ModelCapability.RERANKING),
    TRANSCRIPTION("transcription", ModelCapability.TRANSCRIPTION),
    TTS("tts", ModelCapability.SPEECH),
    IMAGE("image", ModelCapability.IMAGE);

    private final String label;
    private final ModelCapability capability;

    SlotType(String label, ModelCapability capability) {
        this.label = label;
        this.capability = capability;
    }

    /** The word used in files and replies. */
    @JsonValue
    public String label() {
        return label;
    }

    /** What a model must be able to do to be bound to a slot of this type. */
    public ModelCapability capability() {
        return capability;
    }
}
