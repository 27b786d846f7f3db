package dev.hal0.helper.daemon;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What systemd makes of a command line, written from its manual and not from our writer: lines are joined at a trailing
 * backslash, words are split and unquoted with C escapes, specifiers are resolved, variables are put in.
 */
final class SystemdReader {
    private SystemdReader() {}

    /** @throws AssertionError where systemd would complain, or put in something of its own */
    static List<String> words(String unit, String key) {
        for (String line : unit.replace("\\\n", " ").split("\n")) {
            if (line.startsWith(key + "=")) {
                return split(line.substring(key.length() + 1)).stream()
                        .map(SystemdReader::specifiers)
                        .map(SystemdReader::variables)
                        .toList();
            }
        }
        throw new AssertionError("no " + key);
    }

    private static List<String> split(String text) {
        var words = new ArrayList<String>();
        var bytes = new ByteArrayOutputStream();
        boolean inside = false;
        int quote = 0;
        int[] points = text.codePoints().toArray();
        for (int i = 0; i < points.length; i++) {
            int c = points[i];
            if (c == '\\') {
                i = escape(points, i + 1, bytes);
                inside = true;
            } else if (quote != 0) {
                if (c == quote) {
                    quote = 0;
                } else {
                    append(bytes, c);
                }
            } else if (c == '"' || c == '\'') {
                quote = c;
                inside = true;
            } else if (c == ' ' || c == '\t') {
                if (inside) {
                    words.add(bytes.toString(StandardCharsets.UTF_8));
                }
                bytes.reset();
                inside = false;
            } else {
                if (!inside && c == ';' && (i + 1 == points.length || points[i + 1] == ' ')) {
                    throw new AssertionError("a second command begins");
                }
                append(bytes, c);
                inside = true;
            }
        }
        if (quote != 0) {
            throw new AssertionError("a quote does not end");
        }
        if (inside) {
            words.add(bytes.toString(StandardCharsets.UTF_8));
        }
        return words;
    }

    private static int escape(int[] points, int at, ByteArrayOutputStream bytes) {
        if (at >= points.length) {
            throw new AssertionError("a backslash at the end");
        }
        int i = at;
        switch (points[i]) {
            case '\\', '"', '\'' -> append(bytes, points[i]);
            case 's' -> append(bytes, ' ');
            case 'n' -> append(bytes, '\n');
            case 't' -> append(bytes, '\t');
            default -> throw new AssertionError("escape \\" + Character.toString(points[i]));
        }
        return i;
    }

    private static void append(ByteArrayOutputStream bytes, int point) {
        bytes.writeBytes(Character.toString(point).getBytes(StandardCharsets.UTF_8));
    }

    private static String specifiers(String word) {
        var out = new StringBuilder();
        for (int i = 0; i < word.length(); i++) {
            if (word.charAt(i) == '%') {
                if (i + 1 >= word.length() || word.charAt(++i) != '%') {
                    throw new AssertionError("a specifier in " + word);
                }
            }
            out.append(word.charAt(i));
        }
        return out.toString();
    }

    private static String variables(String word) {
        var out = new StringBuilder();
        for (int i = 0; i < word.length(); i++) {
            if (word.charAt(i) == '$') {
                if (i + 1 >= word.length() || word.charAt(++i) != '$') {
                    throw new AssertionError("a variable in " + word);
                }
            }
            out.append(word.charAt(i));
        }
        return out.toString();
    }
}
