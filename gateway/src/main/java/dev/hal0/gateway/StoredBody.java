package dev.hal0.gateway;

import io.vertx.core.buffer.Buffer;
import java.io.ByteArrayInputStream;
import java.io.InputStream;

/** A request's body, whole: in memory, or in a file. */
sealed interface StoredBody extends AutoCloseable {
    long length();

    BodyPiece slice(long offset, long length);

    /** Reading it may block. */
    InputStream stream();

    /** Frees it; nobody may read it afterwards. */
    @Override
    void close();

    record InMemory(Buffer bytes) implements StoredBody {
        @Override
        public long length() {
            return bytes.length();
        }

        @Override
        public BodyPiece slice(long offset, long length) {
            return new BodyPiece.Bytes(bytes.slice((int) offset, (int) (offset + length)));
        }

        @Override
        public InputStream stream() {
            return new ByteArrayInputStream(bytes.getBytes());
        }

        @Override
        public void close() {}
    }

    record OnDisk(SpoolFile file, long length) implements StoredBody {
        @Override
        public BodyPiece slice(long offset, long length) {
            return new BodyPiece.FileRange(file, offset, length);
        }

        @Override
        public InputStream stream() {
            return file.stream();
        }

        @Override
        public void close() {
            file.close();
        }
    }
}
