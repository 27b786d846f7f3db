package dev.hal0.gateway;

import io.vertx.core.buffer.Buffer;
import java.util.List;

/**
 * A change of a body that leaves every other byte where it is.
 *
 * @param at offset of the first byte that is replaced, or that the insertion goes before
 * @param removed how many bytes give way
 */
record BodyEdit(long at, int removed, String inserted) {
    List<BodyPiece> apply(StoredBody body) {
        long rest = at + removed;
        return List.of(
                body.slice(0, at),
                new BodyPiece.Bytes(Buffer.buffer(inserted)),
                body.slice(rest, body.length() - rest));
    }
}
