package dev.hal0.slots;

import dev.hal0.kernel.SlotName;

/** Where the history of slots goes; losing it loses nothing live. Implementations must not block or throw. */
public interface OperationLog {
    void transition(SlotName slot, SlotState from, SlotEdge edge, SlotState to, CauseCode cause, String message);

    /** A revoke ended {@code cut} requests that were inside. */
    void revoked(SlotName slot, Incarnation incarnation, RevokeCause cause, int cut);

    void operation(Operation operation);
}
