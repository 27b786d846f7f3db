package dev.hal0.models;

import java.util.OptionalLong;

/**
 * How much memory there is for a model.
 *
 * @param free bytes; absent where nobody knows
 * @param limit what bounds them
 * @param replaced bytes that the model to be replaced holds and gives back; 0 for none
 */
public record Headroom(OptionalLong free, Limit limit, long replaced) {
    /** What the headroom is bounded by. */
    public enum Limit {
        /** The device's memory, or the part of the system's that it may take. */
        POOL,
        /** The machine's memory. */
        RAM,
        /** The limit of the container or service that hal0 runs in. */
        CGROUP,
        /** The memory of the host outside of this virtual machine or container. */
        HOST
    }

    /** @throws IllegalArgumentException for negative sizes */
    public Headroom {
        if (free.orElse(0) < 0 || replaced < 0) {
            throw new IllegalArgumentException("headroom " + free + " and " + replaced + " to come back");
        }
    }

    public static Headroom unknown(Limit limit) {
        return new Headroom(OptionalLong.empty(), limit, 0);
    }

    /** Bytes for the new model: what is free and what comes back. */
    public OptionalLong bytes() {
        return free.isEmpty()
                ? free
                : OptionalLong.of(
                        free.getAsLong() > Long.MAX_VALUE - replaced ? Long.MAX_VALUE : free.getAsLong() + replaced);
    }
}
