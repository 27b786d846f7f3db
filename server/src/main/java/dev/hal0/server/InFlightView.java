package dev.hal0.server;

import dev.hal0.gateway.InFlight;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.EngineTask;
import dev.hal0.slots.Priority;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One request under way, as a person sees it.
 *
 * @param caller the name of a key, else the address it came from
 * @param requestedModel as the client wrote it; null when it did not
 * @param phase {@code resolving}, {@code loading}, {@code queued}, {@code connecting}, {@code prefill}, {@code decoding},
 *     {@code working} (not streamed, and the engine does not say how far it is), {@code answering} or {@code ending}
 * @param position in the line, 1 for the next one; null when it does not wait for a turn
 * @param promptTokens of the prompt, by the engine's own counters; null where they do not tell
 * @param promptDone of them, read by now; likewise
 * @param tokens of the answer so far: the engine's own count, else the pieces that were streamed; null before the first
 */
record InFlightView(
        String id,
        String caller,
        Priority priority,
        String route,
        @Nullable String requestedModel,
        @Nullable String slot,
        @Nullable String model,
        String phase,
        @Nullable Integer position,
        @Nullable Long promptTokens,
        @Nullable Long promptDone,
        @Nullable Long tokens,
        boolean streamed,
        Instant since,
        long ageMs,
        long bytesOut) {

    /** @param task the engine's own view of this request; null where it cannot be told which of its tasks this is */
    static InFlightView of(InFlight request, @Nullable EngineTask task, Instant now) {
        EngineTask reading = task != null && task.promptTokens() > 0 && task.decoded() == 0 ? task : null;
        Long tokens = task != null && task.decoded() > 0
                ? (Long) task.decoded()
                : request.pieces() > 0 ? (Long) (long) request.pieces() : null;
        return new InFlightView(
                request.requestId(),
                request.caller(),
                request.priority(),
                request.route(),
                request.requestedModel().orElse(null),
                request.slot().map(SlotName::value).orElse(null),
                request.model().orElse(null),
                phase(request, task, reading != null),
                request.position() == 0 ? null : (Integer) request.position(),
                reading == null ? null : (Long) reading.promptTokens(),
                reading == null ? null : (Long) Math.min(reading.promptDone(), reading.promptTokens()),
                tokens,
                request.streamed(),
                request.since(),
                Math.max(0, Duration.between(request.since(), now).toMillis()),
                request.bytesOut());
    }

    private static String phase(InFlight request, @Nullable EngineTask task, boolean reading) {
        if (!request.phase().equals("working") || task == null) {
            return request.phase();
        }
        return reading ? "prefill" : task.decoded() > 0 ? "decoding" : "working";
    }
}
