package dev.hal0.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads one stream of a child to its end and keeps the last {@code limit} bytes. Reading never stops early: a child whose
 * pipe is full would hang. On a platform thread, because a pipe read would hold a virtual thread's carrier.
 */
final class BoundedOutput {
    private static final Logger log = LoggerFactory.getLogger(BoundedOutput.class);

    private final InputStream source;
    private final int limit;
    private final Thread reader;
    private byte[] ring = new byte[4096];
    private long total;

    BoundedOutput(InputStream source, int limit, String name) {
        this.source = source;
        this.limit = limit;
        this.reader = Thread.ofPlatform().daemon().name(name).start(this::readAll);
    }

    /** Waits for the end of the stream; false when someone still holds the other end after {@code patience}. */
    boolean await(Duration patience) throws InterruptedException {
        return reader.join(patience);
    }

    synchronized boolean truncated() {
        return total > limit;
    }

    synchronized String text() {
        int kept = (int) Math.min(total, limit);
        byte[] tail = new byte[kept];
        for (int i = 0; i < kept; i++) {
            tail[i] = ring[(int) ((total - kept + i) % ring.length)];
        }
        int start = 0;
        // The cut may have split a character; its continuation bytes (10xxxxxx) mean nothing alone.
        while (total > limit && start < kept && (tail[start] & 0xC0) == 0x80) {
            start++;
        }
        return new String(tail, start, kept - start, StandardCharsets.UTF_8);
    }

    private void readAll() {
        byte[] chunk = new byte[8192];
        try (source) {
            for (int count = source.read(chunk); count >= 0; count = source.read(chunk)) {
                append(chunk, count);
            }
        } catch (IOException closedWhenKilled) {
            log.debug("output ended: {}", closedWhenKilled.toString());
        }
    }

    private synchronized void append(byte[] chunk, int count) {
        grow(count);
        for (int i = 0; i < count; i++) {
            ring[(int) ((total + i) % ring.length)] = chunk[i];
        }
        total += count;
    }

    /** The buffer grows to the limit before it wraps, so a short answer costs little memory. */
    private void grow(int count) {
        long needed = Math.min(limit, total + count);
        if (needed > ring.length || (ring.length > limit && total == 0)) {
            byte[] larger = new byte[(int) Math.min(limit, Math.max(needed, ring.length * 2L))];
            System.arraycopy(ring, 0, larger, 0, (int) Math.min(total, larger.length));
            ring = larger;
        }
    }
}
