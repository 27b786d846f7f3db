package dev.hal0.gateway;

import java.time.Duration;

/**
 * How patient the gateway is. A stream limit of zero is switched off; everything else must be positive.
 *
 * @param maxBodyBytes of a request
 * @param loadBudget from a request's arrival until an engine has it: loading and queueing together
 * @param holdHeaders how long a streamed request waits for its real status before it gets 200 and progress comments
 * @param progressEvery between two progress comments
 * @param streamIdle without a byte from the engine to the client, after the engine's first; also how long a client may take
 *     to fetch the rest of an answer that has ended
 * @param streamTotal of a streamed exchange, from the moment the engine has the request
 * @param nonStreamTotal of one that is not streamed, likewise
 * @param unknownToDefault whether a model name that nobody knows means the default slot instead of an error
 */
public record GatewayPolicy(
        long maxBodyBytes,
        Duration loadBudget,
        Duration holdHeaders,
        Duration progressEvery,
        Duration streamIdle,
        Duration streamTotal,
        Duration nonStreamTotal,
        boolean unknownToDefault) {
    public static final GatewayPolicy DEFAULT = new GatewayPolicy(
            64L << 20,
            Duration.ofSeconds(200),
            Duration.ofSeconds(3),
            Duration.ofSeconds(5),
            Duration.ofSeconds(300),
            Duration.ofSeconds(3600),
            Duration.ofSeconds(1800),
            false);

    public GatewayPolicy {
        if (maxBodyBytes < 1) {
            throw new IllegalArgumentException("maxBodyBytes must be positive, not " + maxBodyBytes);
        }
        requirePositive("loadBudget", loadBudget);
        requirePositive("holdHeaders", holdHeaders);
        requirePositive("progressEvery", progressEvery);
        requireNotNegative("streamIdle", streamIdle);
        requireNotNegative("streamTotal", streamTotal);
        requireNotNegative("nonStreamTotal", nonStreamTotal);
    }

    Duration total(boolean streamed) {
        return streamed ? streamTotal : nonStreamTotal;
    }

    private static void requirePositive(String name, Duration value) {
        // Vert.x counts its timers in milliseconds and refuses 0.
        if (value.toMillis() < 1) {
            throw new IllegalArgumentException(name + " must be at least 1 ms, not " + value);
        }
    }

    private static void requireNotNegative(String name, Duration value) {
        if (value.isNegative()) {
            throw new IllegalArgumentException(name + " must not be negative, is " + value);
        }
    }
}
