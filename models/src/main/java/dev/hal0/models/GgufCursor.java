package dev.hal0.models;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;

/**
 * Reads little-endian values from a file it does not trust. It holds one window of the file and nothing else: whatever
 * length the file claims is compared with what is left of the file before a byte is allocated for it, and everything read
 * counts against one budget, so a hostile file costs neither memory nor time.
 */
final class GgufCursor {
    private static final int WINDOW = 64 * 1024;

    private final SeekableByteChannel channel;
    private final String source;
    private final long size;
    private final long budget;
    private final ByteBuffer window =
            ByteBuffer.allocate(WINDOW).order(ByteOrder.LITTLE_ENDIAN).limit(0);
    private long windowStart;
    private long read;
    private boolean narrow;

    /** @param budget how many bytes may be read from the channel in all; skipped ones do not count */
    GgufCursor(SeekableByteChannel channel, String source, long budget) throws IOException {
        this.channel = channel;
        this.source = source;
        this.size = channel.size();
        this.budget = budget;
    }

    /** From here on lengths and counts have 32 bits, as in version 1. */
    void useNarrowLengths() {
        narrow = true;
    }

    int lengthBytes() {
        return narrow ? Integer.BYTES : Long.BYTES;
    }

    long size() {
        return size;
    }

    long position() {
        return windowStart + window.position();
    }

    long remaining() {
        return size - position();
    }

    long bytesRead() {
        return read;
    }

    int u8(String what) {
        return Byte.toUnsignedInt(ensure(1, what).get());
    }

    int u16(String what) {
        return Short.toUnsignedInt(ensure(2, what).getShort());
    }

    int u32(String what) {
        return ensure(4, what).getInt();
    }

    long u64(String what) {
        return ensure(8, what).getLong();
    }

    /** An unsigned length or count; a 64-bit one over 2^63 comes out negative. */
    long length(String what) {
        return narrow ? Integer.toUnsignedLong(u32(what)) : u64(what);
    }

    /** Moves on without reading. */
    void skip(long count, String what) {
        if (count < 0 || count > remaining()) {
            throw truncated(what, count);
        }
        long inWindow = Math.min(count, window.remaining());
        window.position(window.position() + (int) inWindow);
        if (inWindow < count) {
            windowStart = position() + (count - inWindow);
            window.limit(0);
        }
    }

    /** A string of which at most {@code keep} bytes are kept; the rest is skipped. */
    String string(int keep, String what) {
        return bytesAsText(length(what), keep, what);
    }

    /** The next {@code length} bytes as UTF-8, of which at most {@code keep} are kept; broken sequences are replaced. */
    String bytesAsText(long length, int keep, String what) {
        if (length < 0 || length > remaining()) {
            throw truncated(what, length);
        }
        byte[] kept = bytes((int) Math.min(length, keep), what);
        skip(length - kept.length, what);
        return new String(kept, StandardCharsets.UTF_8);
    }

    void skipString(String what) {
        skip(length(what), what);
    }

    private byte[] bytes(int count, String what) {
        byte[] bytes = new byte[count];
        for (int done = 0; done < count; ) {
            int portion = Math.min(count - done, WINDOW);
            ensure(portion, what).get(bytes, done, portion);
            done += portion;
        }
        return bytes;
    }

    /** Up to {@code count} bytes from here without moving; fewer when the file ends. */
    byte[] peek(int count) {
        int available = (int) Math.min(count, remaining());
        byte[] bytes = new byte[available];
        ensure(available, "the first bytes").get(window.position(), bytes);
        return bytes;
    }

    /** The window with at least {@code count} bytes to get. */
    private ByteBuffer ensure(int count, String what) {
        if (window.remaining() >= count) {
            return window;
        }
        if (count > remaining()) {
            throw truncated(what, count);
        }
        try {
            windowStart = position();
            window.compact();
            channel.position(windowStart + window.position());
            // No further than the budget allows: the last window may be a short one.
            window.limit((int) Math.min(WINDOW, Math.max(count, window.position() + Math.max(0, budget - read))));
            while (window.position() < count) {
                int got = channel.read(window);
                if (got < 0) {
                    throw refuse("truncated", "the file became shorter while it was read");
                }
                read += got;
            }
            window.flip();
        } catch (ClosedByInterruptException cancelled) {
            throw new Hal0Exception(ErrorCode.OPERATION_CANCELLED, "Reading " + source + " was cancelled", cancelled);
        } catch (IOException failure) {
            throw GgufReader.unreadable(source, failure);
        }
        if (read > budget) {
            throw refuse("limit", "its header is longer than " + (budget >> 20) + " MiB, more than any model needs");
        }
        return window;
    }

    private Hal0Exception truncated(String what, long count) {
        return refuse(
                "truncated",
                "truncated: " + what + " needs " + Long.toUnsignedString(count) + " bytes at offset " + position()
                        + ", but the file ends at " + size);
    }

    /** A refusal about this place in the file. */
    Hal0Exception refuse(String reason, String message) {
        return GgufReader.refuse(source, reason, message).withDetail("offset", position());
    }
}
