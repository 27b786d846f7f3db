package dev.hal0.helper;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Optional;

/**
 * Frames over a Unix socket: four bytes of length, big-endian, then that many bytes. Every wait has a deadline, and no length
 * beyond the limit is believed, so that the other side can neither hold this one nor fill its memory. One thread reads and one
 * writes.
 */
public final class FrameChannel implements AutoCloseable {
    /** Beyond any plan; what systemd reads as one line is larger. */
    public static final int LARGEST = 1 << 20;

    private final SocketChannel channel;
    private final Selector reading;
    private final Selector writing;

    public FrameChannel(SocketChannel channel) throws IOException {
        this.channel = channel;
        channel.configureBlocking(false);
        this.reading = Selector.open();
        this.writing = Selector.open();
        channel.register(reading, SelectionKey.OP_READ);
        channel.register(writing, SelectionKey.OP_WRITE);
    }

    /**
     * @param idle how long to wait for the first byte
     * @param whole how long the frame may take from there
     * @return empty when the other side has closed between two frames, or nothing came
     * @throws EOFException when it closed inside one
     * @throws SocketTimeoutException when it stopped inside one
     * @throws IOException also for a frame that is too large
     */
    public Optional<byte[]> read(Duration idle, Duration whole) throws IOException {
        var header = ByteBuffer.allocate(Integer.BYTES);
        if (!await(reading, System.nanoTime() + idle.toNanos())) {
            return Optional.empty();
        }
        long deadline = System.nanoTime() + whole.toNanos();
        if (!fill(header, deadline)) {
            return Optional.empty();
        }
        int length = header.flip().getInt();
        if (length < 1 || length > LARGEST) {
            throw new IOException(
                    "a frame of " + Integer.toUnsignedString(length) + " bytes; the largest is " + LARGEST);
        }
        var body = ByteBuffer.allocate(length);
        if (!fill(body, deadline)) {
            throw new EOFException("the other side closed after the length of a frame");
        }
        return Optional.of(body.array());
    }

    /** @return false when the other side closed before the first byte */
    private boolean fill(ByteBuffer buffer, long deadline) throws IOException {
        while (buffer.hasRemaining()) {
            int count = channel.read(buffer);
            if (count < 0) {
                if (buffer.position() == 0) {
                    return false;
                }
                throw new EOFException("the other side closed inside a frame");
            }
            if (count == 0 && !await(reading, deadline)) {
                throw new SocketTimeoutException("the other side stopped inside a frame");
            }
        }
        return true;
    }

    /** Whether the other side has closed, or sent what nobody asked for; waits up to {@code patience} for it. */
    public boolean isClosedWithin(Duration patience) throws IOException {
        return await(reading, System.nanoTime() + patience.toNanos());
    }

    /** @throws SocketTimeoutException when the other side does not read */
    public void write(byte[] body, Duration whole) throws IOException {
        if (body.length > LARGEST) {
            throw new IOException("a frame of " + body.length + " bytes; the largest is " + LARGEST);
        }
        long deadline = System.nanoTime() + whole.toNanos();
        var frame = ByteBuffer.allocate(Integer.BYTES + body.length)
                .putInt(body.length)
                .put(body)
                .flip();
        while (frame.hasRemaining()) {
            if (channel.write(frame) == 0 && !await(writing, deadline)) {
                throw new SocketTimeoutException("the other side does not read");
            }
        }
    }

    private static boolean await(Selector selector, long deadline) throws IOException {
        while (true) {
            long millis = (deadline - System.nanoTime()) / 1_000_000;
            int ready = millis > 0 ? selector.select(millis) : selector.selectNow();
            selector.selectedKeys().clear();
            if (ready > 0) {
                return true;
            }
            if (millis <= 0) {
                return false;
            }
            if (Thread.currentThread().isInterrupted()) {
                throw new java.io.InterruptedIOException("given up");
            }
        }
    }

    @Override
    public void close() {
        for (AutoCloseable part : new AutoCloseable[] {reading, writing, channel}) {
            try {
                part.close();
            } catch (Exception alreadyGone) {
                // Nothing more is said on it either way.
            }
        }
    }
}
