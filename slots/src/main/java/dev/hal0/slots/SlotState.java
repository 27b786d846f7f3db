package dev.hal0.slots;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/**
 * The life of a slot's workload. {@code SERVING} and {@code IDLE} are derived from the gate when a slot is shown; the
 * scheduler itself only knows {@code READY}.
 */
public enum SlotState {
    /** No workload. */
    OFFLINE,
    /** The engine or the model is being fetched; nothing was started. */
    PULLING,
    /** The workload is being started. */
    STARTING,
    /** The workload runs, the engine is not ready. */
    WARMING,
    /** Health and verification passed. */
    READY,
    /** Ready, with at least one request inside. */
    SERVING,
    /** Ready, and quiet for longer than the idle window. */
    IDLE,
    /** A stop is in progress. */
    UNLOADING,
    /** The last attempt failed; the cause says how. */
    ERROR;

    @JsonValue
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    public boolean isDispatchable() {
        return this == READY || this == SERVING || this == IDLE;
    }

    /** Whether something must be happening: such a state without an operation is a defect. */
    public boolean isTransitional() {
        return this == PULLING || this == STARTING || this == WARMING || this == UNLOADING;
    }
}
