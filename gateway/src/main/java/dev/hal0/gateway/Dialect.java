package dev.hal0.gateway;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.hal0.kernel.ErrorEnvelope;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import io.vertx.ext.web.RoutingContext;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How the clients of a route expect to be told of a failure. */
public enum Dialect {
    /** The error envelope; in a stream as an event, then {@code [DONE]}. */
    OPENAI,
    /** The same; in a stream as an event named {@code error}, which is its end. */
    RESPONSES,
    /** Anthropic's: {@code type} is {@code error}, and the error's own type is one of the words that its SDKs know. */
    ANTHROPIC;

    /** Beside Anthropic's fields those of our envelope stay, so that {@code hal0}'s codes are found in either. */
    private record AnthropicError(
            String type,
            Body error,
            @JsonProperty("request_id") @Nullable String requestId) {
        private record Body(
                String type,
                String message,
                String code,
                @Nullable String param,
                Map<String, Object> details) {}
    }

    /** Of the request's path in any spelling, also below {@code /upstream/SLOT}; OpenAI's where there is no such route. */
    static Dialect of(RoutingContext context) {
        String path = context.request().path();
        return Optional.ofNullable(path)
                .map(RouteTable::withoutUpstream)
                .flatMap(GatewayRoute::find)
                .map(GatewayRoute::dialect)
                .orElse(OPENAI);
    }

    /** Tells the request's id where the clients look for it, beside {@code X-Request-ID}. */
    void name(RoutingContext context) {
        if (this == ANTHROPIC) {
            context.response().putHeader("Request-Id", RequestIds.of(context));
        }
    }

    /** A failure as one line of JSON. */
    String error(Hal0Exception why, String requestId) {
        return error(ErrorEnvelope.of(why, requestId), why.code().status());
    }

    /** @param status of the answer, also where it can no longer be sent */
    String error(ErrorEnvelope envelope, int status) {
        ErrorEnvelope.Body error = envelope.error();
        return Json.STRICT.writeValueAsString(
                this == ANTHROPIC
                        ? new AnthropicError(
                                "error",
                                new AnthropicError.Body(
                                        anthropicType(status),
                                        error.message(),
                                        error.code(),
                                        error.param(),
                                        error.details()),
                                error.requestId())
                        : envelope);
    }

    /** What ends a stream that failed, after whole events. */
    String lastEvents(String error) {
        return switch (this) {
            case OPENAI -> "data: " + error + "\n\ndata: [DONE]\n\n";
            case RESPONSES -> "event: error\ndata: {\"type\":\"error\"," + error.substring(1) + "\n\n";
            case ANTHROPIC -> "event: error\ndata: " + error + "\n\n";
        };
    }

    private static String anthropicType(int status) {
        return switch (status) {
            case 401 -> "authentication_error";
            case 403 -> "permission_error";
            case 404 -> "not_found_error";
            case 413 -> "request_too_large";
            case 429 -> "rate_limit_error";
            case 503 -> "overloaded_error";
            case 504 -> "timeout_error";
            default -> status < 500 ? "invalid_request_error" : "api_error";
        };
    }
}
