package dev.hal0.gateway;

import dev.hal0.kernel.ErrorEnvelope;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;

/** Complete JSON answers. Called on the event loop; an answer that cannot be given any more is dropped. */
public final class Responses {
    private Responses() {}

    public static void json(RoutingContext context, int status, String json) {
        HttpServerResponse response = context.response();
        if (response.ended() || response.closed()) {
            return;
        }
        var unused = response.setStatusCode(status)
                .putHeader("Content-Type", "application/json; charset=utf-8")
                .putHeader("Cache-Control", "no-store")
                .end(json);
    }

    /** The one envelope, with {@code Retry-After} where the failure says when. */
    public static void fail(RoutingContext context, Hal0Exception why) {
        HttpServerResponse response = context.response();
        if (response.ended() || response.closed()) {
            return;
        }
        why.retryAfterSeconds().ifPresent(seconds -> response.putHeader("Retry-After", Long.toString(seconds)));
        json(context, why.code().status(), envelope(why, RequestIds.of(context)));
    }

    static String envelope(Hal0Exception why, String requestId) {
        return Json.STRICT.writeValueAsString(ErrorEnvelope.of(why, requestId));
    }
}
