package dev.hal0.slots;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import java.util.List;

/** Everything the scheduler hears. Results carry the launch they belong to: one that belongs to an old launch is stale. */
sealed interface SlotEvent {
    SlotName slot();

    /** Concerns who the GPU belongs to, not the life of one slot. */
    sealed interface OfGpu extends SlotEvent {}

    // Wishes

    record LoadWanted(SlotName slot, OperationId operation, LoadRequest request) implements SlotEvent {}

    /** @param force ends requests that are inside instead of waiting for them */
    record UnloadWanted(SlotName slot, OperationId operation, boolean force, CauseCode cause) implements SlotEvent {}

    /** Unload, then this load. */
    record RestartWanted(SlotName slot, OperationId operation, boolean force, LoadRequest request)
            implements SlotEvent {}

    /**
     * The GPU is wanted for images.
     *
     * @param slot the image slot, or the name the operation is listed under
     * @param force ends requests that are inside the models
     * @param pin stay until it is left by hand
     */
    record ImageModeWanted(SlotName slot, OperationId operation, boolean force, boolean pin) implements OfGpu {}

    /** @param force also when image mode is pinned or an image is being made */
    record InferenceModeWanted(SlotName slot, OperationId operation, boolean force) implements OfGpu {}

    record ImageModePinned(SlotName slot, boolean pinned) implements OfGpu {}

    /** The gateway could not reach a ready workload. */
    record Doubted(SlotName slot, Incarnation incarnation, String reason) implements SlotEvent {}

    /** The definition is gone and so is everything the scheduler knew. Only meaningful when offline. */
    record Forgotten(SlotName slot) implements SlotEvent {}

    // Results of effects

    /** A slot that should be loaded by itself cannot be: its files do not allow it. */
    record NotLoadable(SlotName slot, Hal0Exception why) implements OfGpu {}

    record ModeNotDurable(SlotName slot, Hal0Exception why) implements OfGpu {}

    record Prepared(SlotName slot, String nonce) implements SlotEvent {}

    record PrepareFailed(SlotName slot, String nonce, Hal0Exception why) implements SlotEvent {}

    record Progressed(SlotName slot, String nonce, String message) implements SlotEvent {}

    record Launched(SlotName slot, Workload workload) implements SlotEvent {}

    record LaunchFailed(SlotName slot, String nonce, Hal0Exception why) implements SlotEvent {}

    /** Health and verification passed. */
    record Answered(SlotName slot, Incarnation incarnation) implements SlotEvent {}

    record Mismatched(SlotName slot, Incarnation incarnation, List<String> differences) implements SlotEvent {}

    record Unanswered(SlotName slot, Incarnation incarnation, String reason) implements SlotEvent {}

    record Exited(SlotName slot, Incarnation incarnation, Exit exit) implements SlotEvent {}

    record GateClosed(SlotName slot, ClosedGate proof) implements SlotEvent {}

    /** Someone was inside until the drain's deadline; the gate is open again. */
    record DrainExpired(SlotName slot, Incarnation incarnation) implements SlotEvent {}

    record Stopped(SlotName slot, Incarnation incarnation) implements SlotEvent {}

    /** Somebody was inside, or the engine was busy by itself: the gate stayed open. */
    record CloseRefused(SlotName slot, Incarnation incarnation) implements SlotEvent {}

    /** @param bytes that the workload holds now */
    record Measured(SlotName slot, Incarnation incarnation, long bytes) implements SlotEvent {}

    /** It answers its health checks and makes no progress with what is inside. */
    record Hung(SlotName slot, Incarnation incarnation, String evidence) implements SlotEvent {}

    record StopFailed(SlotName slot, Incarnation incarnation, Hal0Exception why) implements SlotEvent {}
}
