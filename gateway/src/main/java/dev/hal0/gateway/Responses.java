package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** Complete JSON answers. Called on the event loop; an answer that cannot be given any more is dropped. */
public final class Responses {
    private Responses() {}

    public static void json(RoutingContext context, int status, String json) {
        HttpServerResponse response = context.response();
        if (response.headWritten() || response.closed()) {
            return;
        }
        prepare(context, status);
        var unused = response.end(json);
    }

    /** In the shape that the path's clients know, with {@code Retry-After} where the failure says when. */
    public static void fail(RoutingContext context, Hal0Exception why) {
        HttpServerResponse response = context.response();
        if (response.headWritten() || response.closed()) {
            return;
        }
        why.retryAfterSeconds().ifPresent(seconds -> response.putHeader("Retry-After", Long.toString(seconds)));
        json(context, why.code().status(), Dialect.of(context).error(why, RequestIds.of(context)));
    }

    /** What a router answers itself because a path cannot even be decoded. */
    public static void malformed(RoutingContext context) {
        fail(
                context,
                new Hal0Exception(
                        ErrorCode.REQUEST_INVALID,
                        "The path of this request is malformed: a percent escape is broken."));
    }

    /** What to tell a client about a failure of any kind: an unexpected one says nothing of its inside. */
    public static Hal0Exception failureOf(@Nullable Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof Hal0Exception known) {
            return known;
        }
        String message = "hal0 failed at this request; its log has the details.";
        return cause == null
                ? new Hal0Exception(ErrorCode.SYSTEM_INTERNAL, message)
                : new Hal0Exception(ErrorCode.SYSTEM_INTERNAL, message, cause);
    }

    static void prepare(RoutingContext context, int status) {
        var unused = RequestIds.of(context);
        context.response()
                .setStatusCode(status)
                .putHeader("Content-Type", "application/json; charset=utf-8")
                .putHeader("Cache-Control", "no-store");
    }
}
