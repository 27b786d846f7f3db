package dev.hal0.hardware;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where one value of a report came from. Immutable.
 *
 * @param field path in the report: {@code cpu.cores}, {@code gpus[0000:c5:00.0].is_uma}
 * @param value as text; null when it is unknown, and {@code source} then says why
 * @param source file, command or rule, for people
 */
public record Explanation(String field, @Nullable String value, String source) {
    public Explanation {
        Objects.requireNonNull(field);
        Objects.requireNonNull(source);
    }
}
