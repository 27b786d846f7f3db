package dev.hal0.slots;

/**
 * Where a workload's engine listens, and the key of this launch.
 *
 * @param key random per launch; never shown or logged
 */
public record Endpoint(String host, int port, String key) {
    public String authority() {
        return host + ":" + port;
    }

    @Override
    public String toString() {
        return authority();
    }
}
