package dev.hal0.journal;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Which requests; null parts restrict nothing.
 *
 * @param id the request id, exactly
 * @param slot exactly
 * @param model that served it, exactly
 * @param statusClass the first digit of the status: 5 finds 503
 * @param caller exactly
 * @param route exactly, such as {@code /v1/chat/completions}
 * @param errorCode exactly
 * @param leastMs that took at least this long from arrival to end
 * @param since inclusive, of the arrival
 * @param until exclusive, of the arrival
 * @param text found in the id, route, models, upstream, caller or error code; letters A to Z in either case
 */
public record RequestFilter(
        @Nullable String id,
        @Nullable String slot,
        @Nullable String model,
        @Nullable Integer statusClass,
        @Nullable Outcome outcome,
        @Nullable String caller,
        @Nullable String route,
        @Nullable String errorCode,
        @Nullable Long leastMs,
        @Nullable Instant since,
        @Nullable Instant until,
        @Nullable String text) {
    public static final RequestFilter ANY = where().build();

    public static Builder where() {
        return new Builder();
    }

    /** Not thread-safe. A null takes the restriction away. */
    public static final class Builder {
        private @Nullable String id;
        private @Nullable String slot;
        private @Nullable String model;
        private @Nullable Integer statusClass;
        private @Nullable Outcome outcome;
        private @Nullable String caller;
        private @Nullable String route;
        private @Nullable String errorCode;
        private @Nullable Long leastMs;
        private @Nullable Instant since;
        private @Nullable Instant until;
        private @Nullable String text;

        private Builder() {}

        public Builder id(@Nullable String value) {
            id = value;
            return this;
        }

        public Builder slot(@Nullable String value) {
            slot = value;
            return this;
        }

        public Builder model(@Nullable String value) {
            model = value;
            return this;
        }

        public Builder statusClass(@Nullable Integer value) {
            statusClass = value;
            return this;
        }

        public Builder outcome(@Nullable Outcome value) {
            outcome = value;
            return this;
        }

        public Builder caller(@Nullable String value) {
            caller = value;
            return this;
        }

        public Builder route(@Nullable String value) {
            route = value;
            return this;
        }

        public Builder errorCode(@Nullable String value) {
            errorCode = value;
            return this;
        }

        public Builder leastMs(@Nullable Long value) {
            leastMs = value;
            return this;
        }

        public Builder since(@Nullable Instant value) {
            since = value;
            return this;
        }

        public Builder until(@Nullable Instant value) {
            until = value;
            return this;
        }

        public Builder text(@Nullable String value) {
            text = value;
            return this;
        }

        public RequestFilter build() {
            return new RequestFilter(
                    id, slot, model, statusClass, outcome, caller, route, errorCode, leastMs, since, until, text);
        }
    }
}
