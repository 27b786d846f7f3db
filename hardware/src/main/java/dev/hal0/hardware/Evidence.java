package dev.hal0.hardware;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Collects explanations while one probe runs, and keeps a failed step from ending it. Confined to that probe. */
final class Evidence {
    private static final Logger log = LoggerFactory.getLogger(Evidence.class);

    private final List<Explanation> explanations = new ArrayList<>();

    /** Records where {@code value} came from and hands it back. */
    <T> @Nullable T note(String field, @Nullable T value, String source) {
        explanations.add(new Explanation(field, value == null ? null : word(value), source));
        return value;
    }

    /** {@code steps} failing is a reason for unknown values; a cancelled probe is not, it must not be stored. */
    <T> T step(String field, T unknown, Supplier<T> steps) {
        try {
            return steps.get();
        } catch (RuntimeException failure) {
            if (failure instanceof Hal0Exception known && known.code() == ErrorCode.OPERATION_CANCELLED) {
                throw failure;
            }
            log.warn("Probing {} failed; it is reported as unknown", field, failure);
            explanations.add(new Explanation(field, null, "the step failed: " + failure));
            return unknown;
        }
    }

    List<Explanation> explanations() {
        return List.copyOf(explanations);
    }

    private static String word(Object value) {
        return switch (value) {
            case HostRuntime runtime -> runtime.word();
            case Accelerator accelerator -> accelerator.word();
            case NodeAccess access -> access.word();
            case GpuVendor vendor -> vendor.word();
            default -> value.toString();
        };
    }
}
