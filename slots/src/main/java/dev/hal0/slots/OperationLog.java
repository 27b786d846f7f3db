package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.util.Optional;
import java.util.OptionalLong;

/** Where the history of slots goes; losing it loses nothing live. Implementations must not block or throw. */
public interface OperationLog {
    /** @param incarnation of the workload that the slot has now; empty when it has none */
    void transition(
            SlotName slot,
            SlotState from,
            SlotEdge edge,
            SlotState to,
            CauseCode cause,
            String message,
            Optional<Incarnation> incarnation);

    /**
     * A load was let in: from here on its memory is promised to it.
     *
     * @param pool the memory it lives in
     * @param bytes empty if nobody knows what it needs
     * @param budgetBytes of its pool; empty if unknown
     */
    void reserved(SlotName slot, CauseCode cause, Lane lane, String pool, OptionalLong bytes, OptionalLong budgetBytes);

    /** A revoke ended {@code cut} requests that were inside. */
    void revoked(SlotName slot, Incarnation incarnation, RevokeCause cause, int cut);

    void operation(Operation operation);
}
