package dev.hal0.gateway;

import dev.hal0.kernel.SlotName;
import java.time.Instant;
import java.util.Optional;

/**
 * One request that is under way, as of one instant.
 *
 * @param phase {@code resolving}, {@code loading}, {@code queued}, {@code connecting}, {@code prompted} (the engine has it and
 *     has sent nothing yet), {@code relaying}, or {@code ending} (the client has its answer or left; the engine or the socket
 *     is not done)
 * @param bytesOut of the engine's answer that were passed on
 */
public record InFlight(
        String requestId,
        String route,
        Optional<SlotName> slot,
        Optional<String> model,
        String phase,
        boolean streamed,
        Instant since,
        long bytesOut) {}
