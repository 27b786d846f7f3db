package dev.hal0.gateway;

import io.vertx.core.buffer.Buffer;

/** A part of what an engine is sent. */
sealed interface BodyPiece {
    long length();

    record Bytes(Buffer bytes) implements BodyPiece {
        @Override
        public long length() {
            return bytes.length();
        }
    }

    record FileRange(SpoolFile file, long offset, long length) implements BodyPiece {}
}
