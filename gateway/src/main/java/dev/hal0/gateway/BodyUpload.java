package dev.hal0.gateway;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.streams.WriteStream;
import java.util.Iterator;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Sends the pieces of a body in order. What lies in memory is handed over at once; of a file no more than two reads' worth are
 * in memory, and the next is read when the engine took the one before. Confined to one event loop.
 */
final class BodyUpload {
    static final int READ_BYTES = 256 << 10;

    private final Vertx vertx;
    private final WriteStream<Buffer> engine;
    private final Iterator<BodyPiece> pieces;
    private final BooleanSupplier wanted;
    private final Promise<Void> sent = Promise.promise();
    private Future<Void> last = Future.succeededFuture();

    private BodyUpload(Vertx vertx, WriteStream<Buffer> engine, List<BodyPiece> pieces, BooleanSupplier wanted) {
        this.vertx = vertx;
        this.engine = engine;
        this.pieces = pieces.iterator();
        this.wanted = wanted;
    }

    /**
     * @param wanted asked before every read: whether anybody still waits for the answer
     * @return when the last byte was written, or nothing more can be
     */
    static Future<Void> send(Vertx vertx, WriteStream<Buffer> engine, List<BodyPiece> pieces, BooleanSupplier wanted) {
        var upload = new BodyUpload(vertx, engine, pieces, wanted);
        upload.next();
        return upload.sent.future();
    }

    private void next() {
        while (pieces.hasNext()) {
            switch (pieces.next()) {
                case BodyPiece.Bytes bytes -> last = engine.write(bytes.bytes());
                case BodyPiece.FileRange range -> {
                    send(range, 0);
                    return;
                }
            }
        }
        last.onComplete(sent);
    }

    private void send(BodyPiece.FileRange range, long done) {
        if (done == range.length()) {
            next();
            return;
        }
        if (!wanted.getAsBoolean()) {
            sent.fail("nobody waits for the answer any more");
            return;
        }
        int length = (int) Math.min(READ_BYTES, range.length() - done);
        Future<Void> before = last;
        vertx.executeBlocking(() -> range.file().read(range.offset() + done, length), false)
                .onSuccess(bytes -> before.onSuccess(ignored -> {
                            last = engine.write(bytes);
                            send(range, done + length);
                        })
                        .onFailure(sent::fail))
                .onFailure(sent::fail);
    }
}
