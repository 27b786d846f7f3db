package dev.hal0.hardware;

import org.jspecify.annotations.Nullable;

/**
 * Constant facts about main memory, in MiB. What is free changes by the second and is in {@link MemoryReadings}. Immutable;
 * null means unknown.
 *
 * @param totalMb what the kernel manages or the container was given; a GPU carve-out is not part of it
 * @param dimmSumMb sum of the installed modules; only asked for where the total may be capped and root may ask
 * @param cgroupMaxMb null also where the control group sets no limit; the explanation tells which
 */
public record Memory(
        @Nullable Long totalMb,
        @Nullable Long dimmSumMb,
        @Nullable Long cgroupMaxMb) {
    static final Memory UNKNOWN = new Memory(null, null, null);
}
