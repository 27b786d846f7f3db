package dev.hal0.models;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;
import java.util.Optional;

/**
 * What a file can most likely be asked for, and how that was found out.
 *
 * @param capability empty for a file that is no model of its own, such as a projector
 * @param reason one clause for people: which fact of the file decided
 */
public record CapabilityGuess(Optional<ModelCapability> capability, Confidence confidence, String reason) {
    public enum Confidence {
        /** The file says so. */
        HIGH,
        /** A name or a habit of converters says so. */
        MEDIUM,
        /** Nothing speaks against it. */
        LOW;

        @JsonValue
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    static CapabilityGuess of(ModelCapability capability, Confidence confidence, String reason) {
        return new CapabilityGuess(Optional.of(capability), confidence, reason);
    }

    static CapabilityGuess none(String reason) {
        return new CapabilityGuess(Optional.empty(), Confidence.HIGH, reason);
    }
}
