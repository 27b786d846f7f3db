package dev.hal0.gateway;

import java.util.Locale;
import java.util.Optional;

/** The parameters behind a header's value, as in {@code form-data; name="file"; filename="a.wav"}. */
final class HeaderParameters {
    private HeaderParameters() {}

    /**
     * The first one of this name.
     *
     * @param name in lower case
     */
    static Optional<String> of(String header, String name) {
        int at = header.indexOf(';');
        while (at >= 0 && at < header.length()) {
            int equals = header.indexOf('=', at);
            if (equals < 0) {
                return Optional.empty();
            }
            String key = header.substring(at + 1, equals).strip().toLowerCase(Locale.ROOT);
            var value = new StringBuilder();
            at = value(header, equals + 1, value);
            if (key.equals(name)) {
                return Optional.of(value.toString());
            }
        }
        return Optional.empty();
    }

    /** @return where the semicolon behind the value is, or the header's length */
    private static int value(String header, int from, StringBuilder value) {
        int at = from;
        while (at < header.length() && header.charAt(at) == ' ') {
            at++;
        }
        if (at >= header.length() || header.charAt(at) != '"') {
            int semicolon = header.indexOf(';', at);
            int end = semicolon < 0 ? header.length() : semicolon;
            value.append(header.substring(Math.min(at, end), end).strip());
            return end;
        }
        for (at++; at < header.length() && header.charAt(at) != '"'; at++) {
            char c = header.charAt(at);
            // Browsers escape a quote in a name as %22 and leave backslashes alone; others escape with them.
            if (c == '\\' && at + 1 < header.length() && header.charAt(at + 1) == '"') {
                c = header.charAt(++at);
            }
            value.append(c);
        }
        int semicolon = header.indexOf(';', at);
        return semicolon < 0 ? header.length() : semicolon;
    }
}
