package dev.hal0.kernel;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The one product exception. Its message says what was asked and what exists; {@link #details()} holds the evidence as
 * JSON-able values and never a secret. Immutable: the {@code with…} methods return copies that keep the cause.
 */
public final class Hal0Exception extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final @Nullable String param;
    private final transient Map<String, Object> details;

    public Hal0Exception(ErrorCode code, String message) {
        this(code, message, null, Map.of(), null);
    }

    public Hal0Exception(ErrorCode code, String message, Throwable cause) {
        this(code, message, null, Map.of(), cause);
    }

    private Hal0Exception(
            ErrorCode code,
            String message,
            @Nullable String param,
            Map<String, Object> details,
            @Nullable Throwable cause) {
        super(message, cause);
        this.code = code;
        this.param = param;
        this.details = details;
    }

    /** Names the field at fault by its path, as in {@code model.context_size}. */
    public Hal0Exception withParam(String path) {
        return new Hal0Exception(code, message(), path, details, getCause());
    }

    /** The same with other words, for what follows from it. */
    public Hal0Exception withMessage(String message) {
        return new Hal0Exception(code, message, param, details, getCause());
    }

    /** Adds evidence. {@code value} must be something Jackson writes as plain JSON. */
    public Hal0Exception withDetail(String key, Object value) {
        var more = new LinkedHashMap<>(details);
        more.put(key, value);
        return new Hal0Exception(code, message(), param, java.util.Collections.unmodifiableMap(more), getCause());
    }

    /** Also sent as the {@code Retry-After} header, in whole seconds, rounded up: a retry that comes early fails again. */
    public Hal0Exception withRetryAfter(Duration duration) {
        return withDetail("retry_after_s", Math.max(1, Math.ceilDiv(duration.toMillis(), 1000L)));
    }

    public ErrorCode code() {
        return code;
    }

    /** Never null, unlike {@link #getMessage()}. */
    public String message() {
        return String.valueOf(getMessage());
    }

    public Optional<String> param() {
        return Optional.ofNullable(param);
    }

    public Map<String, Object> details() {
        return details;
    }

    public Optional<Long> retryAfterSeconds() {
        return details.get("retry_after_s") instanceof Long seconds ? Optional.of(seconds) : Optional.empty();
    }

    @Override
    public String toString() {
        return code.code() + ": " + getMessage();
    }
}
