package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Collects a request's body up to a limit: in memory, and what is too large for that on disk, no faster than the disk takes it.
 * Must be started in the turn of the event loop that brought the request's head.
 *
 * <p>A body beyond the limit is refused at once, but what the client still sends is read and thrown away for a moment before
 * the connection closes: closed with unread bytes, TCP would reset it and the refusal could be lost on its way.
 */
final class BodyCollector {
    private static final long LINGER_MILLIS = 2_000;
    private static final int WRITTEN_AT_ONCE_BYTES = 256 << 10;
    private static final int FIRST_ALLOCATION_BYTES = 1 << 20;

    private final Vertx vertx;
    private final RoutingContext context;
    private final HttpServerRequest request;
    private final long limit;
    private final Spool spool;
    private final Consumer<Buffer> reader;
    private Buffer held = Buffer.buffer();
    private @Nullable SpoolFile file;
    private long length;
    private boolean writing;
    private boolean settled;

    /** @param reader sees every byte first; a {@link Hal0Exception} of it refuses the body */
    BodyCollector(Vertx vertx, RoutingContext context, long limit, Spool spool, Consumer<Buffer> reader) {
        this.vertx = vertx;
        this.spool = spool;
        this.reader = reader;
        this.context = context;
        this.request = context.request();
        this.limit = limit;
    }

    /**
     * Exactly one of the three is called, once.
     *
     * @param whole takes over what is stored
     * @param refused has been answered already
     * @param gone the client left before the end
     */
    void collect(Consumer<StoredBody> whole, Consumer<Hal0Exception> refused, Runnable gone) {
        request.exceptionHandler(ignored -> settle(() -> {
            discard();
            gone.run();
        }));
        String encoding = request.getHeader("Content-Encoding");
        if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
            refuse(
                    new Hal0Exception(
                                    ErrorCode.REQUEST_INVALID,
                                    "A body with Content-Encoding '" + encoding
                                            + "' is not read here; send it as it is.")
                            .withParam("Content-Encoding"),
                    refused);
            return;
        }
        long announced = announcedLength();
        if (announced > limit) {
            refuse(tooLarge(), refused);
            return;
        }
        if ("100-continue".equalsIgnoreCase(request.getHeader("Expect"))) {
            var unused = context.response().writeContinue();
        }
        held = Buffer.buffer((int) Math.max(1024, Math.min(announced, FIRST_ALLOCATION_BYTES)));
        request.handler(chunk -> {
            try {
                take(chunk, refused);
            } catch (Hal0Exception why) {
                refuse(why, refused);
            }
        });
        request.endHandler(ignored -> {
            if (file == null) {
                settle(() -> whole.accept(new StoredBody.InMemory(held)));
            } else {
                store(refused, () -> settle(() -> whole.accept(stored())));
            }
        });
    }

    private void take(Buffer chunk, Consumer<Hal0Exception> refused) {
        length += chunk.length();
        if (length > limit) {
            throw tooLarge();
        }
        reader.accept(chunk);
        held.appendBuffer(chunk);
        if (held.length() > (file == null ? spool.memoryBytes() : WRITTEN_AT_ONCE_BYTES)) {
            request.pause();
            store(refused, request::resume);
        }
    }

    /** Writes what is held to the file, and goes on when that is done. Nothing comes in meanwhile. */
    private void store(Consumer<Hal0Exception> refused, Runnable then) {
        byte[] bytes = held.getBytes();
        held = Buffer.buffer();
        SpoolFile known = file;
        writing = true;
        vertx.executeBlocking(
                        () -> {
                            SpoolFile target = known == null ? spool.create() : known;
                            try {
                                target.append(bytes);
                                return target;
                            } catch (Hal0Exception failure) {
                                target.close();
                                throw failure;
                            }
                        },
                        false)
                .onComplete(written -> {
                    writing = false;
                    file = written.succeeded() ? written.result() : null;
                    if (settled) {
                        discard();
                    } else if (written.succeeded()) {
                        then.run();
                    } else {
                        request.resume();
                        refuse(Responses.failureOf(written.cause()), refused);
                    }
                });
    }

    private StoredBody stored() {
        SpoolFile whole = file;
        if (whole == null) {
            throw new IllegalStateException("nothing was stored");
        }
        return new StoredBody.OnDisk(whole, length);
    }

    /** Nobody wants the body any more; one that is being written is closed when that is done. */
    private void discard() {
        SpoolFile unwanted = file;
        held = Buffer.buffer();
        if (unwanted != null && !writing) {
            file = null;
            unwanted.close();
        }
    }

    private void refuse(Hal0Exception why, Consumer<Hal0Exception> refused) {
        settle(() -> {
            discard();
            HttpServerResponse response = context.response();
            Buffer envelope = Buffer.buffer(Dialect.of(context).error(why, RequestIds.of(context)));
            Responses.prepare(context, why.code().status());
            response.putHeader("Content-Length", Integer.toString(envelope.length()));
            if (request.version() != HttpVersion.HTTP_2) {
                response.putHeader("Connection", "close");
            }
            if (request.getHeader("Expect") != null || request.isEnded()) {
                close(response.end(envelope));
            } else {
                // The client has the whole answer with this; ending it is only for us.
                var unused = response.write(envelope);
                long timer = vertx.setTimer(LINGER_MILLIS, ignored -> end(response));
                request.handler(ignored -> {});
                request.endHandler(ignored -> {
                    vertx.cancelTimer(timer);
                    end(response);
                });
            }
            refused.accept(why);
        });
    }

    private void end(HttpServerResponse response) {
        if (!response.ended() && !response.closed()) {
            close(response.end());
        }
    }

    /** Vert.x keeps the connection, whatever our header says. Under HTTP/2 it carries other requests, too. */
    private void close(Future<Void> answered) {
        if (request.version() != HttpVersion.HTTP_2) {
            answered.onComplete(ignored -> request.connection().close());
        }
    }

    private void settle(Runnable outcome) {
        if (!settled) {
            settled = true;
            outcome.run();
        }
    }

    private Hal0Exception tooLarge() {
        return new Hal0Exception(
                        ErrorCode.REQUEST_TOO_LARGE, "The body is larger than the limit of " + limit + " bytes.")
                .withDetail("limit_bytes", limit);
    }

    private long announcedLength() {
        try {
            String length = request.getHeader("Content-Length");
            return length == null ? 0 : Long.parseLong(length);
        } catch (NumberFormatException refusedByTheServerBefore) {
            return 0;
        }
    }
}
