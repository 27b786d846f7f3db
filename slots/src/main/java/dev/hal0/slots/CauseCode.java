package dev.hal0.slots;

import com.fasterxml.jackson.annotation.JsonValue;
import dev.hal0.kernel.ErrorCode;
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
    /** The machine had no memory left for it, or it went beyond its own limit. */
    OUT_OF_MEMORY,
    /** The process that watches over the container was killed, and the engine with it. */
    SUPERVISOR_KILLED,
    PORT_TAKEN,
    UNIT_MASKED,
    IMAGE_MISSING,
    /** A container of an earlier life holds the name. */
    CONTAINER_STALE,
    /** podman or systemd did not answer in time. */
    RUNTIME_STUCK,
    RUNTIME_UNAVAILABLE,
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

    /** Why nothing could be started. */
    static CauseCode ofLaunchFailure(ErrorCode code) {
        return switch (code) {
            case SLOT_PORT_CONFLICT -> PORT_TAKEN;
            case SLOT_UNIT_MASKED -> UNIT_MASKED;
            case SLOT_IMAGE_MISSING -> IMAGE_MISSING;
            case SLOT_CONTAINER_STALE -> CONTAINER_STALE;
            case RUNTIME_STUCK -> RUNTIME_STUCK;
            case RUNTIME_UNAVAILABLE -> RUNTIME_UNAVAILABLE;
            default -> SPAWN_FAILED;
        };
    }

    @JsonValue
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
