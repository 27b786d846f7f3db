package dev.hal0.slots;

/** What happens in the engine when a client leaves before its answer is complete. */
public enum CancelRule {
    /** Close the engine's connection at once: the engine notices and stops working. */
    ON_DISCONNECT,
    /** The engine cannot be interrupted safely: read its answer to the end, throw it away, keep the lease until then. */
    NEVER
}
