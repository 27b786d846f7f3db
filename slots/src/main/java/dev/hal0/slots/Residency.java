package dev.hal0.slots;

import java.time.Duration;

/**
 * How long a slot may stay in memory and at whose expense. Taken from the definition as it is now, so that an edit counts at
 * once, also for what already runs.
 *
 * @param pool the memory it lives in, such as {@code ram}; slots of different pools are never in each other's way
 * @param pinned never taken for another slot's sake, nor for being idle
 * @param priority a slot gives way only to slots of its own priority and above; 0 unless configured
 * @param unloadAfter unused for this long it is unloaded; zero for never
 * @param lane which others may not run at the same time
 */
record Residency(SlotType type, String pool, boolean pinned, int priority, Duration unloadAfter, Lane lane) {}
