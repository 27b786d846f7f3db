package dev.hal0.models;

import com.fasterxml.jackson.annotation.JsonValue;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * What was seen of a folder of models just now.
 *
 * @param detail for people; empty when ok
 * @param resolved where the folder really is, when ok
 */
public record StoreState(Kind kind, String detail, Optional<Path> resolved) {
    public enum Kind {
        /** A folder that can be listed. */
        OK,
        /** The folder above it can be read and it is not there. */
        MISSING,
        /**
         * Nobody can tell what is in it: a link to nowhere, a mount that answers with an error, no permission. Never to be
         * taken for empty.
         */
        UNAVAILABLE;

        @JsonValue
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public boolean isOk() {
        return kind == Kind.OK;
    }

    static StoreState ok(Path resolved) {
        return new StoreState(Kind.OK, "", Optional.of(resolved));
    }

    static StoreState missing(String detail) {
        return new StoreState(Kind.MISSING, detail, Optional.empty());
    }

    static StoreState unavailable(String detail) {
        return new StoreState(Kind.UNAVAILABLE, detail, Optional.empty());
    }
}
