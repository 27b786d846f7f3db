package dev.hal0.gateway;

import dev.hal0.kernel.SlotName;
import dev.hal0.slots.Priority;
import java.time.Duration;
import java.util.Optional;

/**
 * Hears of every inference request once, when its answer has ended, also of those that were refused before they reached a
 * slot. Called on an event loop; must not block or throw.
 */
@FunctionalInterface
public interface Accounting {
    /** What {@link Ended#errorCode} says of a client that left; everything else there is an error code of the catalogue. */
    String CLIENT_CLOSED = "client_closed";

    /**
     * @param route of the table, never a path that a client made up
     * @param caller the name of a key, else the address the request came from
     * @param requestedModel as the client wrote it; empty when it did not, or was refused before that was read
     * @param slot that the name resolved to; empty when none did
     * @param model that the slot had; empty when none was resolved
     * @param status as sent to the client; 499 when it left before there was one
     * @param errorCode why it failed; a stream may have failed after its status was sent
     * @param loading waited for the slot to become ready
     * @param queued waited for a turn at a ready slot
     * @param firstByte from arrival to the engine's first body byte; empty if there was none
     * @param firstContent from arrival to the first text, thought or tool call of a stream; empty if there was none
     * @param total from arrival to the end of the answer
     * @param figures the engine's own
     * @param bytesIn of the request's body
     * @param bytes of the engine's answer that were passed on
     */
    record Ended(
            String requestId,
            String route,
            String caller,
            Priority priority,
            Optional<String> requestedModel,
            Optional<SlotName> slot,
            Optional<String> model,
            boolean streamed,
            int status,
            Optional<String> errorCode,
            Duration loading,
            Duration queued,
            Optional<Duration> firstByte,
            Optional<Duration> firstContent,
            Duration total,
            EngineFigures figures,
            long bytesIn,
            long bytes) {}

    void ended(Ended exchange);
}
