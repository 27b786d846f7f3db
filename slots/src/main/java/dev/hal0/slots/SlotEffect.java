package dev.hal0.slots;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import java.util.Collection;
import java.util.Optional;

/** Everything the scheduler can ask for. Only the manager performs them, in order; slow ones report back as events. */
sealed interface SlotEffect {

    /** Durable before anything that follows. */
    record Persist(SlotMachine machine) implements SlotEffect {}

    /** @param edge empty when only the message changed */
    record Publish(SlotMachine machine, SlotState from, Optional<SlotEdge> edge) implements SlotEffect {}

    record Finish(Collection<OperationId> operations, String message) implements SlotEffect {}

    record Fail(Collection<OperationId> operations, Hal0Exception why) implements SlotEffect {}

    record Cancel(Collection<OperationId> operations, String message) implements SlotEffect {}

    /** Fetch the program. */
    record Prepare(Launch launch) implements SlotEffect {}

    record AbandonPreparation(SlotName slot) implements SlotEffect {}

    record Start(Launch launch) implements SlotEffect {}

    /** Begin this incarnation's life at the gate, closed, and watch for its end. */
    record Attend(Workload workload) implements SlotEffect {}

    /** Ask until the engine is ready, its budget is over or the slot leaves {@code WARMING}. */
    record AwaitAnswer(Launch launch, boolean verify) implements SlotEffect {}

    record OpenGate(SlotName slot, Incarnation incarnation, int permits) implements SlotEffect {}

    record SuspendGate(SlotName slot, Incarnation incarnation) implements SlotEffect {}

    /** Close the gate if nobody is inside this very moment and the engine has nothing to do. */
    record TryClose(SlotName slot, Incarnation incarnation) implements SlotEffect {}

    /**
     * Read the slot's files again and load it.
     *
     * @param why {@code RETRY}, or because the GPU changes hands
     */
    record Reload(SlotName slot, CauseCode why) implements SlotEffect {}

    /** Durable before anything that follows. */
    record PersistMode(GpuMode mode) implements SlotEffect {}

    record PublishMode(GpuMode mode) implements SlotEffect {}

    /** Wait for everyone inside to leave. */
    record Drain(SlotName slot, Incarnation incarnation) implements SlotEffect {}

    record Revoke(SlotName slot, Incarnation incarnation, RevokeCause cause) implements SlotEffect {}

    /** The workload is dead: everyone inside hears of it, and the gate is sealed before the next effect. */
    record Abandon(SlotName slot, Incarnation incarnation) implements SlotEffect {}

    record Stop(Workload workload, ClosedGate proof) implements SlotEffect {}

    /** A workload nobody knows: it is stopped under a gate of its own. */
    record StopStray(Workload workload) implements SlotEffect {}

    /** The slot is gone: remove its record. */
    record Erase(SlotName slot) implements SlotEffect {}
}
