package dev.hal0.slots;

import java.util.OptionalLong;

/**
 * A wish to have a slot loaded, with everything that was read from files resolved beforehand, so that the scheduler reads
 * nothing.
 *
 * @param nonce for the launch, should there be one
 * @param prepared whether the plan's program is there
 * @param replace whether a workload that runs another plan gives way: true only for a person's explicit wish
 * @param force whether it is loaded although it does not fit: a person's explicit wish, too
 * @param needBytes memory that the plan is expected to hold; empty if unknown
 */
record LoadRequest(
        LaunchPlan plan,
        String nonce,
        boolean prepared,
        boolean replace,
        boolean force,
        OptionalLong needBytes,
        CauseCode cause) {}
