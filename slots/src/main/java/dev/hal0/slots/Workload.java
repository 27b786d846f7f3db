package dev.hal0.slots;

import dev.hal0.kernel.SlotName;

/**
 * One running container or process.
 *
 * @param nonce the launch it came from: written to disk before the spawn, carried in the workload's environment
 */
public record Workload(SlotName slot, String nonce, Incarnation incarnation) {}
