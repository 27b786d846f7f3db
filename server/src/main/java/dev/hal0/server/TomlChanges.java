package dev.hal0.server;

import dev.hal0.kernel.TomlDocument;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** A JSON object as changes of a TOML file: tables are merged, values replaced, null removes. Which keys exist is not decided here. */
final class TomlChanges {
    private TomlChanges() {}

    /** @param table below which the changes go; empty for the document itself */
    static TomlDocument apply(TomlDocument document, List<String> table, JsonNode changes) {
        TomlDocument changed = document;
        for (Map.Entry<String, JsonNode> entry : changes.properties()) {
            var key = new ArrayList<>(table);
            key.add(entry.getKey());
            JsonNode value = entry.getValue();
            if (value.isObject()) {
                changed = apply(changed, key, value);
            } else if (value.isNull()) {
                changed = changed.contains(key) ? changed.without(key) : changed;
            } else {
                changed = changed.with(key, plain(String.join(".", key), value));
            }
        }
        return changed;
    }

    private static Object plain(String path, JsonNode value) {
        if (value.isString()) {
            return value.stringValue();
        }
        if (value.isBoolean()) {
            return value.booleanValue();
        }
        if (value.isIntegralNumber() && value.canConvertToLong()) {
            return value.longValue();
        }
        if (value.isNumber()) {
            return value.doubleValue();
        }
        if (value.isArray()) {
            var items = new ArrayList<String>();
            for (JsonNode item : value) {
                if (!item.isString()) {
                    throw ApiRequest.invalid(path, "must be a list of strings");
                }
                items.add(item.stringValue());
            }
            return items;
        }
        throw ApiRequest.invalid(path, "must be a string, a number, a boolean or a list of strings");
    }
}
