/**
 * What a slot is and what may happen to it: definitions, the gate that keeps a serving workload safe, the pure scheduler,
 * the manager that runs its effects, and the interfaces that runtimes and engines implement.
 */
@NullMarked
package dev.hal0.slots;

import org.jspecify.annotations.NullMarked;
