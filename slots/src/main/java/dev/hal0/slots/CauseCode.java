package dev.hal0.slots;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** Why a slot is in its state: carried by every transition, shown to users, stable once released. */
public enum CauseCode {
    /** Nothing has been asked of this slot yet. */
    NEVER_LOADED,
    OPERATOR_LOAD,
    OPERATOR_UNLOAD,
    OPERATOR_RESTART,
    OPERATOR_FORCE,
    /** A request arrived for a slot that was not loaded. */
    REQUEST,
    /** The slot was loaded when the control plane last stopped. */
    DESIRED_AT_START,
    /** A live workload of an earlier life of the control plane was found. */
    ADOPTED,
    ENGINE_INSTALLING,
    LAUNCHED,
    HEALTHY,
    /** A health check or a connection attempt failed on a ready slot. */
    UNRESPONSIVE,
    NO_MODEL,
    CONFIG_INVALID,
    ENGINE_MISSING,
    SPAWN_FAILED,
    LOAD_TIMEOUT,
    PLAN_MISMATCH,
    ENGINE_EXITED,
    PORT_TAKEN,
    STOP_TIMEOUT,
    STOPPED,
    /** It gave way to another slot's load. */
    EVICTED,
    /** Nobody used it for as long as it was allowed to be unused. */
    IDLE,
    /** The machine ran short of memory. */
    MEMORY_PRESSURE,
    /** It failed and is tried again by itself. */
    RETRY,
    /** It answered its health checks and made no progress. */
    ENGINE_HUNG,
    /** The GPU was needed for images. */
    IMAGE_MODE,
    /** The GPU is given back to language models. */
    IMAGE_MODE_LEFT,
    /** Another model was to take its place and did not load. */
    SWAP_UNDONE,
    SUPERSEDED,
    DELETED,
    STATE_FILE_UNREADABLE;

    @JsonValue
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
