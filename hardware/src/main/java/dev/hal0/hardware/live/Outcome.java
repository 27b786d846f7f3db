package dev.hal0.hardware.live;

/** What one read of a part came to. */
sealed interface Outcome<T> {
    record Value<T>(T value) implements Outcome<T> {}

    /** The source does not exist any more: its last value is wrong, not old. */
    record Gone<T>() implements Outcome<T> {}

    /** No answer this time: the last value is the best there is, and the source is left alone for a while. */
    record Failed<T>() implements Outcome<T> {}
}
