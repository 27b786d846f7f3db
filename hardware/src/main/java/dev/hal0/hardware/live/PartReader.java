package dev.hal0.hardware.live;

/** Reads one part. Never called while a call of it is under way; each call sees what the one before left behind. */
@FunctionalInterface
interface PartReader<T> {
    /** @param watched whether somebody looks, so that waking a sleeping device for it is worth while */
    Outcome<T> read(boolean watched);
}
