package dev.hal0.helper.daemon;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Words of a systemd command line. A word goes through four readers there: the one that splits and unquotes, the one that
 * resolves {@code %} specifiers, the one that puts {@code $} variables in, and, before all, the one that joins lines at a
 * trailing backslash. Inside double quotes the first takes two escapes; the others take the doubled sign for one of it.
 */
final class UnitWord {
    /** Means itself to every reader. */
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_@=./:,+-]+");

    private UnitWord() {}

    /** @param word without control characters: {@link PlanCheck} let none through */
    static String quote(String word) {
        if (PLAIN.matcher(word).matches()) {
            return word;
        }
        return '"'
                + word.replace("\\", "\\\\")
                        .replace("\"", "\\\"")
                        .replace("%", "%%")
                        .replace("$", "$$")
                + '"';
    }

    static String line(List<String> words) {
        return words.stream().map(UnitWord::quote).collect(Collectors.joining(" "));
    }
}
