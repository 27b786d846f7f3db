package dev.hal0.helper;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/**
 * One way in which a running container is not what its plan would start now.
 *
 * @param planned what would be started; of the environment only names, because values may be secrets
 * @param running what runs
 */
public record Difference(Kind kind, String planned, String running) {
    /** What differs. */
    public enum Kind {
        IMAGE,
        ARGUMENTS,
        ENVIRONMENT,
        DEVICES,
        GROUPS,
        ADDRESS,
        PORT;

        @JsonValue
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
