package dev.hal0.gateway;

import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** A nameless file with one request's body: written once, from the front, and read as often as it is sent. Calls block. */
final class SpoolFile implements AutoCloseable {
    private final FileChannel channel;

    SpoolFile(FileChannel channel) {
        this.channel = channel;
    }

    /** One at a time. @throws Hal0Exception {@code system.storage}, such as for a full disk */
    void append(byte[] bytes) {
        ByteBuffer rest = ByteBuffer.wrap(bytes);
        try {
            while (rest.hasRemaining()) {
                channel.write(rest);
            }
        } catch (IOException failure) {
            throw Spool.failed(failure);
        }
    }

    /** From any number of threads. */
    Buffer read(long offset, int length) throws IOException {
        ByteBuffer into = ByteBuffer.allocate(length);
        while (into.hasRemaining()) {
            if (channel.read(into, offset + into.position()) < 0) {
                throw new IOException("the spooled body ends too early");
            }
        }
        return Buffer.buffer(into.array());
    }

    /** From its beginning; closing it closes nothing. */
    InputStream stream() {
        return new InputStream() {
            private long position;

            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public int read(byte[] into, int offset, int length) throws IOException {
                int count = channel.read(ByteBuffer.wrap(into, offset, length), position);
                position += Math.max(0, count);
                return count;
            }
        };
    }

    /** Frees the disk; whoever reads it just now fails. */
    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException failure) {
            throw Spool.failed(failure);
        }
    }
}
