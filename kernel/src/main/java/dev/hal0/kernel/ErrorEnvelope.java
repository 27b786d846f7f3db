package dev.hal0.kernel;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The error shape of every route but Anthropic's, whose clients know another: {@code {"error":{code,message,type,param,details,request_id}}}. The OpenAI SDKs read
 * {@code message}, {@code type}, {@code param} and {@code code}; the rest is ours.
 */
public record ErrorEnvelope(Body error) {

    /**
     * @param param path of the field at fault, or null
     * @param requestId the id that is also in the response's {@code X-Request-ID}, or null outside a request
     */
    public record Body(
            String code,
            String message,
            String type,
            @Nullable String param,
            Map<String, Object> details,

            @com.fasterxml.jackson.annotation.JsonProperty("request_id") @Nullable
            String requestId) {}

    /** The remedy of the catalogue is added under {@code details.remedy}. */
    public static ErrorEnvelope of(Hal0Exception failure, @Nullable String requestId) {
        var details = new java.util.LinkedHashMap<>(failure.details());
        details.putIfAbsent("remedy", failure.code().remedy());
        return new ErrorEnvelope(new Body(
                failure.code().code(),
                failure.message(),
                failure.code().type(),
                failure.param().orElse(null),
                details,
                requestId));
    }
}
