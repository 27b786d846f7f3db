package dev.hal0.models;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;
import java.util.Optional;

/**
 * What the registry last recorded of a model's bytes. An entry is no proof of a file: ask {@link ModelRegistry#fileState}
 * for what is there now.
 */
public enum ModelState {
    READY,
    /** Registered before its download ended. */
    PULLING,
    MISSING,
    BROKEN;

    /** The word used in files and replies. */
    @JsonValue
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Optional<ModelState> of(String label) {
        for (ModelState state : values()) {
            if (state.label().equals(label)) {
                return Optional.of(state);
            }
        }
        return Optional.empty();
    }
}
