package dev.hal0.models;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Optional;

/** What a model can be asked for; decides which routes accept it. */
public enum ModelCapability {
    CHAT("chat"),
    EMBEDDING("embed"),
    RERANKING("rerank"),
    TRANSCRIPTION("transcription"),
    SPEECH("tts"),
    IMAGE("image");

    private final String label;

    ModelCapability(String label) {
        this.label = label;
    }

    /** The word used in files and replies. */
    @JsonValue
    public String label() {
        return label;
    }

    /** Also by the other words that older files have for the same things. */
    static Optional<ModelCapability> of(String label) {
        for (ModelCapability capability : values()) {
            if (capability.label.equals(label)) {
                return Optional.of(capability);
            }
        }
        return switch (label) {
            case "llm" -> Optional.of(CHAT);
            case "embedding", "embeddings" -> Optional.of(EMBEDDING);
            case "reranking", "reranker" -> Optional.of(RERANKING);
            case "asr", "stt" -> Optional.of(TRANSCRIPTION);
            default -> Optional.empty();
        };
    }
}
