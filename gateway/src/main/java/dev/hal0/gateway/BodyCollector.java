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

/**
 * Collects a request's body up to a limit. Must be started in the turn of the event loop that brought the request's head.
 *
 * <p>A body beyond the limit is refused at once, but what the client still sends is read and thrown away for a moment before
 * the connection closes: closed with unread bytes, TCP would reset it and the refusal could be lost on its way.
 */
final class BodyCollector {
    private static final long LINGER_MILLIS = 2_000;
    private static final int FIRST_ALLOCATION_BYTES = 1 << 20;

    private final Vertx vertx;
    private final RoutingContext context;
    private final HttpServerRequest request;
    private final long limit;
    private boolean settled;

    BodyCollector(Vertx vertx, RoutingContext context, long limit) {
        this.vertx = vertx;
        this.context = context;
        this.request = context.request();
        this.limit = limit;
    }

    /**
     * Exactly one of the three is called, once.
     *
     * @param refused has been answered already
     * @param gone the client left before the end
     */
    void collect(Consumer<Buffer> whole, Consumer<Hal0Exception> refused, Runnable gone) {
        request.exceptionHandler(ignored -> settle(gone));
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
        Buffer body = Buffer.buffer((int) Math.max(1024, Math.min(announced, FIRST_ALLOCATION_BYTES)));
        request.handler(chunk -> {
            if (body.length() + (long) chunk.length() > limit) {
                refuse(tooLarge(), refused);
            } else {
                body.appendBuffer(chunk);
            }
        });
        request.endHandler(ignored -> settle(() -> whole.accept(body)));
    }

    private void refuse(Hal0Exception why, Consumer<Hal0Exception> refused) {
        settle(() -> {
            HttpServerResponse response = context.response();
            Buffer envelope = Buffer.buffer(Responses.envelope(why, RequestIds.of(context)));
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
