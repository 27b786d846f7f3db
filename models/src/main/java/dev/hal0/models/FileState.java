package dev.hal0.models;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/**
 * What was seen of a model's file just now.
 *
 * @param detail for people; empty when present
 */
public record FileState(Kind kind, String detail) {
    public enum Kind {
        /** There, readable, and as long as when it was registered. Also a model that needs no file. */
        PRESENT,
        /** The folder can be read and the file is not in it. */
        MISSING,
        /** Nobody can tell: the volume is not mounted, permission is denied, the disk or network fails. */
        UNAVAILABLE,
        /** There, but no longer the file that was registered. */
        CHANGED;

        @JsonValue
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    static final FileState PRESENT = new FileState(Kind.PRESENT, "");

    public boolean isPresent() {
        return kind == Kind.PRESENT;
    }
}
