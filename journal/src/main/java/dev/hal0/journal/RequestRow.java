package dev.hal0.journal;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One inference request, recorded when it has ended.
 *
 * @param id the request id; a client may send one, so two rows may share it
 * @param at when it arrived; kept in milliseconds
 * @param route such as {@code /v1/chat/completions}
 * @param requestedModel what the client asked for; null when the body did not say
 * @param slot that served it; null when none was resolved
 * @param model that the slot had; null when none was resolved
 * @param upstream that it went to; null when it went to none
 * @param caller who asked: the name of a key or an agent and never the key, else the address it came from; null when unknown
 * @param status as sent to the client; null when it left before there was one
 * @param errorCode why it failed; null when it did not
 * @param bytesIn of the request's body
 * @param bytesOut of the answer's body
 * @param priority such as {@code interactive}; null in rows of before it was recorded
 */
public record RequestRow(
        String id,
        Instant at,
        String route,
        @Nullable String requestedModel,
        @Nullable String slot,
        @Nullable String model,
        @Nullable String upstream,
        @Nullable String caller,
        @Nullable Integer status,
        @Nullable String errorCode,
        boolean streamed,
        Tokens tokens,
        Timings timings,
        @Nullable Long bytesIn,
        @Nullable Long bytesOut,
        @Nullable String priority,
        Outcome outcome)
        implements JournalRow {

    /** Under it a rate of whole milliseconds would say more about rounding than about the engine. */
    private static final long LEAST_DECODE_MS = 10;

    /** Of the answer, as the engine counted and timed it; null where it did not, or was too quick to be timed. */
    @JsonProperty("tokens_per_second")
    public @Nullable Double tokensPerSecond() {
        Long completion = tokens.completion();
        Long decode = timings.decodeMs();
        return completion == null || decode == null || decode < LEAST_DECODE_MS
                ? null
                : (Double) (Math.round(completion * 10_000.0 / decode) / 10.0);
    }

    /**
     * As the engine counted them; null where it did not say.
     *
     * @param cached the part of the prompt that needed no work
     */
    public record Tokens(
            @Nullable Long prompt,
            @Nullable Long completion,
            @Nullable Long cached) {
        public static final Tokens UNKNOWN = new Tokens(null, null, null);
    }

    /**
     * In milliseconds; null where it did not happen or nobody measured it.
     *
     * @param queueMs waited for a turn at a ready slot
     * @param loadMs waited for the slot to become ready
     * @param prefillMs the engine read the prompt
     * @param ttftMs from arrival to the first text, thought or tool call; only a stream shows it
     * @param decodeMs the engine wrote the answer
     * @param totalMs from arrival to the end of the answer
     */
    public record Timings(
            @Nullable Long queueMs,
            @Nullable Long loadMs,
            @Nullable Long prefillMs,
            @Nullable Long ttftMs,
            @Nullable Long decodeMs,
            @Nullable Long totalMs) {
        public static final Timings UNKNOWN = new Timings(null, null, null, null, null, null);
    }
}
