/**
 * The hot path: a request to {@code /v1} is resolved to a slot, waits for it honestly, and is relayed byte by byte. Everything
 * here runs on event loops and never blocks; what may block is asked of {@link dev.hal0.slots.SlotControl}.
 */
@NullMarked
package dev.hal0.gateway;

import org.jspecify.annotations.NullMarked;
