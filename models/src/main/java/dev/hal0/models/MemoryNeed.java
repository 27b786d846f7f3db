package dev.hal0.models;

/**
 * What a model is expected to take, in bytes, and why.
 *
 * @param weights the files
 * @param cache what it remembers of the tokens before
 * @param compute what one pass works in
 * @param runtime the engine's process itself: program, vocabulary, driver. No engine reports this part.
 */
public record MemoryNeed(Part weights, Part cache, Part compute, Part runtime) {
    /** @param formula with the numbers in it, for people */
    public record Part(long bytes, String formula) {}

    /** @return bytes; the largest number there is where the sum would be larger */
    public long total() {
        return saturated(reportable(), runtime.bytes());
    }

    /** What the engine says at the end of its log, in bytes: all but the process itself. */
    public long reportable() {
        return saturated(saturated(weights.bytes(), cache.bytes()), compute.bytes());
    }

    private static long saturated(long first, long second) {
        return first > Long.MAX_VALUE - second ? Long.MAX_VALUE : first + second;
    }
}
