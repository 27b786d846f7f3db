package dev.hal0.kernel;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/**
 * The name of a slot: a file stem, a route name and a unit instance at once, which is why its grammar is narrow and is
 * enforced here, before a name can reach a path.
 */
public record SlotName(@JsonValue String value) implements Comparable<SlotName> {
    private static final Pattern GRAMMAR = Pattern.compile("[a-z0-9][a-z0-9_-]{0,31}");

    @JsonCreator
    public SlotName {
        if (!GRAMMAR.matcher(value).matches()) {
            throw new Hal0Exception(
                            ErrorCode.SLOT_CONFIG_ERROR,
                            "'" + abbreviate(value) + "' is not a slot name: lower-case letters, digits, '-' and '_',"
                                    + " starting with a letter or digit, at most 32 characters")
                    .withParam("name");
        }
    }

    public static boolean isValid(String candidate) {
        return GRAMMAR.matcher(candidate).matches();
    }

    private static String abbreviate(String text) {
        return text.length() <= 64 ? text : text.substring(0, 64) + "…";
    }

    @Override
    public int compareTo(SlotName other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
