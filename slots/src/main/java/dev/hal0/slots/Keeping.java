package dev.hal0.slots;

import java.util.OptionalInt;

/**
 * How a slot wants to be kept in memory.
 *
 * @param pinned never unloaded for another slot's sake, nor for being idle
 * @param priority -100 to 100; a slot gives way only to slots of its own priority and above
 * @param unloadAfterSeconds without use; 0 for never; empty for the default, which is never for the default slot of a type
 *     and an hour for others
 */
public record Keeping(boolean pinned, int priority, OptionalInt unloadAfterSeconds) {
    public static final Keeping DEFAULT = new Keeping(false, 0, OptionalInt.empty());
}
