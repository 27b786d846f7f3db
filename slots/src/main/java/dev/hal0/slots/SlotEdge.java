package dev.hal0.slots;

import static dev.hal0.slots.SlotState.ERROR;
import static dev.hal0.slots.SlotState.OFFLINE;
import static dev.hal0.slots.SlotState.PULLING;
import static dev.hal0.slots.SlotState.READY;
import static dev.hal0.slots.SlotState.STARTING;
import static dev.hal0.slots.SlotState.UNLOADING;
import static dev.hal0.slots.SlotState.WARMING;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/**
 * Every way a slot changes its state. There is no forced transition: a recovery is an edge with a name, so that the history
 * of a slot reads as a sequence of reasons.
 */
public enum SlotEdge {
    /** The engine's program is being fetched first. */
    PULL(EnumSet.of(OFFLINE, ERROR), PULLING),
    /** The workload is started. */
    START(EnumSet.of(OFFLINE, ERROR, PULLING), STARTING),
    /** The workload exists; its health is awaited. */
    WARM(EnumSet.of(STARTING), WARMING),
    /** Health and verification passed. */
    BECOME_READY(EnumSet.of(WARMING), READY),
    /** A ready engine stopped answering; it is not routed until it does again. */
    DOUBT(EnumSet.of(READY), WARMING),
    /** A workload that already ran was found after a restart of the control plane, or after an error. */
    ADOPT(EnumSet.of(OFFLINE, ERROR), WARMING),
    /** An attempt starts anew. */
    RETRY(EnumSet.of(WARMING, ERROR), STARTING),
    /** The operator or a newer operation ended a load that was under way. */
    CANCEL(EnumSet.of(PULLING, STARTING, WARMING), UNLOADING),
    /** Nobody is inside any more, or a revoke said so: the workload is being stopped. */
    DRAIN(EnumSet.of(READY, ERROR), UNLOADING),
    /** The stop finished. */
    STOPPED(EnumSet.of(UNLOADING), OFFLINE),
    /** The workload is gone although nobody asked for that. */
    LOST(EnumSet.of(WARMING, READY), OFFLINE),
    /** The attempt failed. */
    FAIL(EnumSet.of(PULLING, STARTING, WARMING, READY, UNLOADING), ERROR);

    private final Set<SlotState> from;
    private final SlotState to;

    SlotEdge(Set<SlotState> from, SlotState to) {
        this.from = from;
        this.to = to;
    }

    public boolean leaves(SlotState state) {
        return from.contains(state);
    }

    public SlotState to() {
        return to;
    }

    @JsonValue
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
