package dev.hal0.slots;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.TomlDocument;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The two layouts of a slot's file. In the older one the values stand in a table {@code [slot]}, and what stands at the top
 * is not looked at; only the newer one, without that table, is ever written. A write that went where the reader does not
 * look is what both together once led to.
 */
final class SlotLayout {
    static final List<String> TABLE = List.of("slot");
    private static final Pattern HEADER = Pattern.compile("\\s*\\[\\s*slot\\s*]\\s*(#.*)?");
    private static final Pattern BELOW = Pattern.compile("^(\\s*\\[\\s*)slot\\s*\\.");
    private static final Pattern ANY_HEADER = Pattern.compile("\\s*\\[.*");

    private SlotLayout() {}

    static boolean isNested(TomlDocument document) {
        return document.values().get("slot") instanceof Map;
    }

    /** Where the older layout has what the newer one has at this path. */
    static List<String> nested(List<String> path) {
        var below = new ArrayList<>(TABLE);
        below.addAll(path);
        return below;
    }

    /** The same in the newer layout, with the comments where they can be kept. */
    static TomlDocument flat(TomlDocument document) {
        if (!isNested(document)) {
            return document;
        }
        Map<String, Object> wanted = flatValues(document);
        TomlDocument withoutRoot = document;
        for (Map.Entry<String, Object> entry : document.values().entrySet()) {
            if (!(entry.getValue() instanceof Map)) {
                withoutRoot = withoutRoot.without(List.of(entry.getKey()));
            }
        }
        try {
            TomlDocument moved = TomlDocument.parse(document.source(), lifted(withoutRoot.text()));
            if (moved.values().equals(wanted)) {
                return moved;
            }
        } catch (Hal0Exception writtenInAnotherWay) {
            // such as an inline table: below, without the comments inside
        }
        TomlDocument rebuilt = withoutRoot.without(TABLE);
        for (Map.Entry<String, Object> entry : wanted.entrySet()) {
            rebuilt = rebuilt.with(List.of(entry.getKey()), entry.getValue());
        }
        return rebuilt;
    }

    @SuppressWarnings("unchecked") // TOML's keys are strings
    private static Map<String, Object> flatValues(TomlDocument document) {
        var flat = new LinkedHashMap<String, Object>();
        Map<String, Object> slot = (Map<String, Object>) document.values().get("slot");
        document.values().forEach((key, value) -> {
            if (value instanceof Map && !key.equals("slot")) {
                flat.put(key, value);
            }
        });
        flat.putAll(slot);
        return flat;
    }

    /** The lines below the header, put before the first table. */
    private static String lifted(String text) {
        var top = new StringBuilder();
        var body = new StringBuilder();
        var rest = new StringBuilder();
        StringBuilder target = top;
        for (String line : text.lines().toList()) {
            if (HEADER.matcher(line).matches()) {
                int comment = line.indexOf('#');
                if (comment >= 0) {
                    body.append(line.substring(comment)).append('\n');
                }
                target = body;
                continue;
            }
            if (ANY_HEADER.matcher(line).matches()) {
                target = rest;
            }
            target.append(BELOW.matcher(line).replaceFirst("$1")).append('\n');
        }
        return top.append(body).append(rest).toString();
    }
}
