package dev.hal0.journal;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** How an inference request ended. */
public enum Outcome {
    /** The whole answer was sent. */
    COMPLETE,
    /** The client left before the end. */
    CLIENT_GONE,
    /** The engine died or hung while the request was inside. */
    ENGINE_LOST,
    /** The slot was stopped by force while the request was inside. */
    REVOKED,
    /** An operator ended it. */
    CANCELLED,
    /** The answer took longer than its limit. */
    TIME_LIMIT,
    /** hal0 turned it away before it reached an engine. */
    REFUSED,
    /** Any other failure, such as an engine's own refusal. */
    FAILED;

    @JsonValue
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** A label that this version does not know, written by a later one, is a failure of a kind that it does not know. */
    static Outcome of(String label) {
        for (Outcome outcome : values()) {
            if (outcome.label().equals(label)) {
                return outcome;
            }
        }
        return FAILED;
    }
}
