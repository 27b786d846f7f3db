package dev.hal0.slots;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How urgently a request wants its turn. */
public enum Priority {
    /** Somebody watches. */
    INTERACTIVE,
    /** Work that may take its time: behind everybody who watches, but never for ever. */
    BATCH;

    @JsonValue
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** By its label, in either case. */
    public static Optional<Priority> of(String label) {
        return Arrays.stream(values())
                .filter(priority -> priority.name().equalsIgnoreCase(label))
                .findFirst();
    }
}
