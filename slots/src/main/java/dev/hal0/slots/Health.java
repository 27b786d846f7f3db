package dev.hal0.slots;

/** What an engine says about itself when asked once. */
public sealed interface Health {
    /** It takes requests. */
    record Ready() implements Health {}

    /** It answers, and is not ready. */
    record Loading(String detail) implements Health {}

    /** It does not answer: normal right after a launch, a strike against a ready slot. */
    record Unreachable(String detail) implements Health {}
}
