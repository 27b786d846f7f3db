package dev.hal0.gateway;

import io.vertx.core.buffer.Buffer;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a stream of server-sent events after its last whole event and holds the rest until it is whole, too. No byte is
 * changed and whole events are never delayed; but an engine that dies in the middle of an event leaves no half of it in the
 * client's hands, where our error event would become its second half.
 */
final class EventTail {
    /** A longer event passes in pieces: memory is worth more than a tidy end. */
    private static final int MOST_HELD_BYTES = 1 << 20;

    private @Nullable Buffer held;
    private boolean betweenEvents = true;

    /** What can go out now, or null for nothing. */
    @Nullable
    Buffer accept(Buffer chunk) {
        Buffer waiting = held;
        Buffer all = waiting == null ? chunk : waiting.appendBuffer(chunk);
        // An end may straddle two chunks: the bytes before the new ones are looked at again.
        int end = endOfLastEvent(all, all.length() - chunk.length());
        if (end == all.length()) {
            held = null;
            betweenEvents = true;
            return all;
        }
        if (all.length() - end > MOST_HELD_BYTES) {
            held = null;
            betweenEvents = false;
            return all;
        }
        held = all.getBuffer(end, all.length());
        if (end == 0) {
            return null;
        }
        betweenEvents = true;
        return all.slice(0, end);
    }

    /** The held rest of a stream that ended without the last empty line; null if there is none. */
    @Nullable
    Buffer rest() {
        Buffer rest = held;
        held = null;
        return rest;
    }

    /** False after a piece of an event that was too long to hold went out. */
    boolean isBetweenEvents() {
        return betweenEvents;
    }

    private static int endOfLastEvent(Buffer all, int newFrom) {
        for (int i = all.length() - 1; i >= Math.max(1, newFrom); i--) {
            if (all.getByte(i) == '\n') {
                byte before = all.getByte(i - 1);
                if (before == '\n' || (before == '\r' && i > 1 && all.getByte(i - 2) == '\n')) {
                    return i + 1;
                }
            }
        }
        return 0;
    }
}
