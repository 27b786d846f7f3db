package dev.hal0.runtime.engine;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.util.ArrayList;
import java.util.List;

/** Splits a person's {@code extra_args} into arguments as a shell would, without any of a shell's expansions. */
final class CommandText {
    private CommandText() {}

    /** @param source the key that the text stands under */
    static List<String> split(String source, String text) {
        var arguments = new ArrayList<String>();
        var current = new StringBuilder();
        boolean inside = false;
        char quote = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (quote != 0) {
                if (c == quote) {
                    quote = 0;
                } else if (c == '\\' && quote == '"' && i + 1 < text.length() && isEscapable(text.charAt(i + 1))) {
                    current.append(text.charAt(++i));
                } else {
                    current.append(c);
                }
            } else if (c == '"' || c == '\'') {
                quote = c;
                inside = true;
            } else if (c == '\\' && i + 1 < text.length()) {
                current.append(text.charAt(++i));
                inside = true;
            } else if (Character.isWhitespace(c)) {
                if (inside) {
                    arguments.add(current.toString());
                    current.setLength(0);
                    inside = false;
                }
            } else {
                current.append(c);
                inside = true;
            }
        }
        if (quote != 0) {
            throw new Hal0Exception(
                            ErrorCode.SLOT_CONFIG_ERROR, "`" + source + "` has a quote " + quote + " without its end.")
                    .withParam(source);
        }
        if (inside) {
            arguments.add(current.toString());
        }
        return arguments;
    }

    private static boolean isEscapable(char c) {
        return c == '"' || c == '\\';
    }
}
