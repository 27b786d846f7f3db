package dev.hal0.gateway;

import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The head of an engine's final reply: what of it concerns a client. */
record ReplyHead(
        int status,
        @Nullable String contentType,
        @Nullable String contentEncoding,
        @Nullable String retryAfter) {
    boolean isSuccess() {
        return status >= 200 && status <= 299;
    }

    ReplyHead withContentType(UnaryOperator<String> changed) {
        return contentType == null
                ? this
                : new ReplyHead(status, changed.apply(contentType), contentEncoding, retryAfter);
    }
}
