package dev.hal0.gateway;

import dev.hal0.kernel.SlotName;
import java.time.Duration;
import java.util.Optional;

/** Hears of every exchange once, when it has ended. Called on an event loop; must not block or throw. */
@FunctionalInterface
public interface Accounting {
    /**
     * @param status as sent to the client; 499 when it left before there was one
     * @param errorCode of our catalogue, for an exchange that failed
     * @param waited until an engine had the request: load and queue
     * @param firstByte from arrival to the engine's first body byte; empty if there was none
     * @param bytes of the engine's answer that were passed on
     */
    record Ended(
            String requestId,
            String route,
            SlotName slot,
            String model,
            boolean streamed,
            int status,
            Optional<String> errorCode,
            Duration waited,
            Optional<Duration> firstByte,
            Duration total,
            long bytes) {}

    void ended(Ended exchange);
}
