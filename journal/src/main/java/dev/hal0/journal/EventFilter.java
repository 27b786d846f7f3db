package dev.hal0.journal;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Which events; null parts restrict nothing.
 *
 * @param kind this kind and all beneath it: {@code slot} finds {@code slot.state}
 * @param subject exactly
 * @param since inclusive
 * @param until exclusive
 */
public record EventFilter(
        @Nullable String kind,
        @Nullable String subject,
        @Nullable Instant since,
        @Nullable Instant until) {
    public static final EventFilter ANY = new EventFilter(null, null, null, null);
}
