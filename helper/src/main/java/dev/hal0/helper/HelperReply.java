package dev.hal0.helper;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** An answer as it travels: any number of progress words, then a result or a failure. Exactly one component is set. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record HelperReply(
        @Nullable String progress,
        @Nullable JsonNode result,
        @Nullable Failure failure) {
    /** A product exception without its cause. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Failure(
            String code, String message, @Nullable String param, Map<String, Object> details) {
        static Failure of(Hal0Exception failure) {
            return new Failure(
                    failure.code().code(), failure.message(), failure.param().orElse(null), failure.details());
        }

        Hal0Exception toException() {
            var exception = new Hal0Exception(ErrorCode.of(code).orElse(ErrorCode.SYSTEM_INTERNAL), message);
            if (param != null) {
                exception = exception.withParam(param);
            }
            for (Map.Entry<String, Object> detail : details.entrySet()) {
                exception = exception.withDetail(detail.getKey(), detail.getValue());
            }
            return exception;
        }
    }

    public static HelperReply progress(String word) {
        return new HelperReply(word, null, null);
    }

    public static HelperReply result(JsonNode result) {
        return new HelperReply(null, result, null);
    }

    public static HelperReply failure(Hal0Exception failure) {
        return new HelperReply(null, null, Failure.of(failure));
    }
}
