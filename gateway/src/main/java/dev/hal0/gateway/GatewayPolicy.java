package dev.hal0.gateway;

import java.time.Duration;

/**
 * How patient the gateway is. Zero switches a stream limit off.
 *
 * @param maxBodyBytes of a request
 * @param loadBudget from the request's arrival until an engine has it
 * @param holdHeaders how long a streamed request waits for its real status before it gets 200 and progress comments
 * @param progressEvery between two progress comments
 * @param streamIdle without a byte from the engine, after its first
 * @param total for the whole exchange with the engine
 */
public record GatewayPolicy(
        long maxBodyBytes,
        Duration loadBudget,
        Duration holdHeaders,
        Duration progressEvery,
        Duration streamIdle,
        Duration total) {
    public static final GatewayPolicy DEFAULT = new GatewayPolicy(
            64L << 20,
            Duration.ofSeconds(200),
            Duration.ofSeconds(3),
            Duration.ofSeconds(5),
            Duration.ofSeconds(300),
            Duration.ofSeconds(3600));
}
