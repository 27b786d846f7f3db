package dev.hal0.slots;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

final class Failures {
    private Failures() {}

    /** The product exception inside whatever a future wrapped around it. */
    static Hal0Exception of(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause instanceof Hal0Exception known
                ? known
                : new Hal0Exception(ErrorCode.SYSTEM_INTERNAL, "Unexpected: " + cause, cause);
    }
}
