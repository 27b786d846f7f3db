package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.ErrorEnvelope;
import dev.hal0.kernel.Json;
import io.vertx.core.buffer.Buffer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/**
 * An engine's answer that is not a success, in our envelope: the status stays, its message becomes ours, and the original
 * stands under {@code details.upstream}.
 */
final class EngineRefusal {
    /** What is kept of the original. */
    static final int MOST_BYTES = 64 << 10;

    private static final int MOST_MESSAGE_CHARS = 500;

    private EngineRefusal() {}

    static ErrorEnvelope envelope(int status, Buffer body, String requestId) {
        Object original = original(body);
        Map<?, ?> error = original instanceof Map<?, ?> document && document.get("error") instanceof Map<?, ?> inner
                ? inner
                : Map.of();
        var details = new LinkedHashMap<String, Object>();
        details.put("upstream_status", status);
        details.put("upstream", original);
        details.put("remedy", ErrorCode.DISPATCH_UPSTREAM_FAILED.remedy());
        return new ErrorEnvelope(new ErrorEnvelope.Body(
                ErrorCode.DISPATCH_UPSTREAM_FAILED.code(),
                "The engine answered " + status + messageOf(error.get("message"), original) + ".",
                error.get("type") instanceof String type && !type.isBlank() ? type : typeOf(status),
                error.get("param") instanceof String param ? param : null,
                details,
                requestId));
    }

    private static Object original(Buffer body) {
        if (body.length() == 0) {
            return "";
        }
        try {
            Object document = Json.LENIENT.readValue(body.getBytes(), Object.class);
            return document == null ? "" : document;
        } catch (JacksonException notJson) {
            return body.toString();
        }
    }

    private static String messageOf(@Nullable Object message, Object original) {
        String text = message instanceof String said ? said : original instanceof String plain ? plain : "";
        String line = text.replaceAll("\\s+", " ").strip();
        if (line.endsWith(".")) {
            line = line.substring(0, line.length() - 1);
        }
        if (line.isEmpty()) {
            return "";
        }
        return ": " + (line.length() <= MOST_MESSAGE_CHARS ? line : line.substring(0, MOST_MESSAGE_CHARS) + "…");
    }

    /** OpenAI's word for a status that no code of ours stands for. */
    private static String typeOf(int status) {
        return switch (status) {
            case 401 -> "authentication_error";
            case 403 -> "permission_error";
            case 404 -> "not_found_error";
            case 409 -> "conflict_error";
            case 429 -> "rate_limit_error";
            default -> status >= 400 && status < 500 ? "invalid_request_error" : "server_error";
        };
    }
}
