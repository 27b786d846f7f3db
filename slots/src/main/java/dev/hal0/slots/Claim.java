package dev.hal0.slots;

/**
 * Who asks for a turn.
 *
 * @param caller whose turns are counted together, such as the name of a key or the address of a peer
 */
public record Claim(String caller, Priority priority) {}
