package dev.hal0.models;

import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;

/** A file that is only in memory, or, past its content, a sea of zeros of any claimed length. */
final class MemoryChannel implements SeekableByteChannel {
    private final byte[] content;
    private final long size;
    private long position;
    long delivered;

    MemoryChannel(byte[] content) {
        this(content, content.length);
    }

    MemoryChannel(byte[] content, long size) {
        this.content = content;
        this.size = size;
    }

    @Override
    public int read(ByteBuffer into) {
        if (position >= size) {
            return -1;
        }
        int count = (int) Math.min(into.remaining(), size - position);
        for (int i = 0; i < count; i++) {
            long at = position + i;
            into.put(at < content.length ? content[(int) at] : 0);
        }
        position += count;
        delivered += count;
        return count;
    }

    @Override
    public long position() {
        return position;
    }

    @Override
    public SeekableByteChannel position(long newPosition) {
        position = newPosition;
        return this;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public void close() {}

    @Override
    public int write(ByteBuffer source) {
        throw new UnsupportedOperationException("a reader does not write");
    }

    @Override
    public SeekableByteChannel truncate(long newSize) {
        throw new UnsupportedOperationException("a reader does not truncate");
    }
}
