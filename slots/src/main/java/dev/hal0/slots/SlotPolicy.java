package dev.hal0.slots;

import java.time.Duration;

/**
 * How patient the manager is, and from where ports come.
 *
 * @param loadBudget from launch to ready
 * @param drainBudget how long an unforced stop waits for requests inside
 * @param stopGrace between the polite signal and the final one
 * @param hungAfter shortest standstill of an engine with work inside that is called a hang, and longest silence of one that
 *     was ready
 * @param firstPort of the pool that new slots get theirs from; inclusive
 * @param lastPort inclusive
 * @param limits how much may be loaded at once
 */
public record SlotPolicy(
        Duration loadBudget,
        Duration drainBudget,
        Duration stopGrace,
        Duration hungAfter,
        int firstPort,
        int lastPort,
        ResidencyLimits limits) {
    public static final SlotPolicy DEFAULT = new SlotPolicy(
            Duration.ofSeconds(180),
            Duration.ofSeconds(120),
            Duration.ofSeconds(10),
            Duration.ofSeconds(120),
            8081,
            8099,
            ResidencyLimits.DEFAULT);

    /** How long an engine that was ready may fail to answer before it is started anew. */
    Duration silentAfter() {
        return hungAfter.compareTo(loadBudget) < 0 ? hungAfter : loadBudget;
    }

    public SlotPolicy {
        if (firstPort < 1024 || lastPort > 65535 || lastPort < firstPort) {
            throw new IllegalArgumentException("ports " + firstPort + " to " + lastPort + " are no range above 1023");
        }
    }
}
