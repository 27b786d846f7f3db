package dev.hal0.gateway;

import dev.hal0.kernel.Json;

/** What may stand in a header's value: one line of printable ASCII. */
final class HeaderText {
    private HeaderText() {}

    static boolean isPrintable(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < 0x20 || c > 0x7e) {
                return false;
            }
        }
        return true;
    }

    /** The text itself, or as much of it as can be told. A model's id, for one, may hold any character. */
    static String of(String text) {
        return isPrintable(text) ? text : Json.STRICT.writeValueAsString(text).replaceAll("[^\\x20-\\x7e]", "?");
    }
}
