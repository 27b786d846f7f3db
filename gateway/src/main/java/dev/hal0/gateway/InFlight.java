package dev.hal0.gateway;

import dev.hal0.kernel.SlotName;
import dev.hal0.slots.Priority;
import java.time.Instant;
import java.util.Optional;

/**
 * One request that is under way, as of one instant.
 *
 * @param caller the name of a key, else the address it came from
 * @param requestedModel as the client wrote it
 * @param phase {@code resolving}, {@code loading}, {@code queued}, {@code connecting}, {@code prefill} (the engine has it and
 *     no content has come), {@code decoding}, {@code working} (the engine has it and does not stream, so that nobody can see
 *     how far it is), {@code answering}, or {@code ending} (the client has its answer or left; the engine or the socket is not
 *     done)
 * @param position in the line, 1 for the next one; 0 when it does not wait for a turn
 * @param pieces of content that have been streamed, usually a token each
 * @param bytesOut of the engine's answer that were passed on
 */
public record InFlight(
        String requestId,
        String route,
        String caller,
        Priority priority,
        Optional<String> requestedModel,
        Optional<SlotName> slot,
        Optional<String> model,
        String phase,
        int position,
        boolean streamed,
        Instant since,
        int pieces,
        long bytesOut) {}
