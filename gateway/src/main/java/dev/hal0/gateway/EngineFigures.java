package dev.hal0.gateway;

import org.jspecify.annotations.Nullable;

/**
 * What an engine said about its own work; null where it did not say, which is never the same as 0.
 *
 * @param promptTokens all of the prompt, cached or not
 * @param cachedTokens the part of the prompt that needed no work
 * @param prefillMillis it read the prompt
 * @param decodeMillis it wrote the answer
 */
public record EngineFigures(
        @Nullable Long promptTokens,
        @Nullable Long completionTokens,
        @Nullable Long cachedTokens,
        @Nullable Double prefillMillis,
        @Nullable Double decodeMillis) {
    public static final EngineFigures UNKNOWN = new EngineFigures(null, null, null, null, null);

    /** What was said later counts; what was not said again stays. */
    EngineFigures then(EngineFigures later) {
        return new EngineFigures(
                later.promptTokens != null ? later.promptTokens : promptTokens,
                later.completionTokens != null ? later.completionTokens : completionTokens,
                later.cachedTokens != null ? later.cachedTokens : cachedTokens,
                later.prefillMillis != null ? later.prefillMillis : prefillMillis,
                later.decodeMillis != null ? later.decodeMillis : decodeMillis);
    }
}
