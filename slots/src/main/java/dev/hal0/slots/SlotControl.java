package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** What the gateway may ask of the slots: the narrow side of {@link SlotManager}. Never blocks; safe on an event loop. */
public interface SlotControl {
    /** The newest snapshot. */
    RoutingSnapshot routes();

    /**
     * Loads a slot that a request needs; a hundred callers cause one load.
     *
     * @param progress gets a sentence when something changes; called on any thread, must only hand over
     * @return completes when the slot is ready; fails with the {@code slot.…}, {@code engine.…} or {@code model.…} reason
     */
    CompletionStage<Void> ensureReady(SlotName slot, Consumer<String> progress);

    /** A connection to that incarnation was refused or broke before an answer: it is not routed until it answers again. */
    void doubt(SlotName slot, Incarnation incarnation, String reason);
}
