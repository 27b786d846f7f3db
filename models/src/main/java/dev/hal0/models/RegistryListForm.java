package dev.hal0.models;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.TomlDocument;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The older form of the registry, {@code [[models]]} with a key {@code id}, read as if it were {@code [models."id"]}. Its
 * first change writes the new form: only the headers change, so comments and order stay.
 *
 * @param document with a table per model
 * @param faults of elements that cannot become a table, by a name such as {@code models[2]}; they are not in
 *     {@code document}, so a document with faults must not be written
 */
record RegistryListForm(TomlDocument document, Map<String, String> faults) {
    private static final Pattern ELEMENT = Pattern.compile("^(\\s*)\\[\\[\\s*models\\s*]](.*)$");
    private static final Pattern BELOW = Pattern.compile("^(\\s*\\[{1,2}\\s*)models(\\s*\\..*)$");

    static RegistryListForm of(TomlDocument document) {
        if (!(document.values().get(RegistryEntries.MODELS) instanceof List<?> elements)) {
            return new RegistryListForm(document, Map.of());
        }
        var tables = new LinkedHashMap<String, Object>();
        var faults = new LinkedHashMap<String, String>();
        for (int index = 0; index < elements.size(); index++) {
            Object element = elements.get(index);
            String place = "models[" + index + "]";
            if (!(element instanceof Map<?, ?> table && table.get("id") instanceof String id && !id.isBlank())) {
                faults.put(place, document.source() + ": " + place + " has no id");
            } else if (tables.putIfAbsent(id, table) != null) {
                faults.put(place, document.source() + ": " + place + " has the id '" + id + "' of one before it");
            }
        }
        if (faults.isEmpty()) {
            TomlDocument edited = withHeaders(document, List.copyOf(tables.keySet()));
            if (edited != null && tables.equals(edited.values().get(RegistryEntries.MODELS))) {
                return new RegistryListForm(edited, Map.of());
            }
        }
        TomlDocument rebuilt = document.without(List.of(RegistryEntries.MODELS));
        for (var table : tables.entrySet()) {
            rebuilt = rebuilt.with(List.of(RegistryEntries.MODELS, table.getKey()), table.getValue());
        }
        return new RegistryListForm(rebuilt, faults);
    }

    /** Line by line, so null where a line inside a text only looked like a header: the caller compares the meaning. */
    private static @Nullable TomlDocument withHeaders(TomlDocument document, List<String> ids) {
        var lines = new ArrayList<String>();
        int element = -1;
        for (String line : document.text().split("\n", -1)) {
            var header = ELEMENT.matcher(line);
            var below = BELOW.matcher(line);
            if (header.matches()) {
                element++;
                if (element >= ids.size()) {
                    return null;
                }
                lines.add(header.group(1) + "[models." + quoted(ids.get(element)) + "]" + header.group(2));
            } else if (element >= 0 && below.matches()) {
                lines.add(below.group(1) + "models." + quoted(ids.get(element)) + below.group(2));
            } else {
                lines.add(line);
            }
        }
        try {
            return TomlDocument.parse(document.source(), String.join("\n", lines));
        } catch (Hal0Exception misread) {
            return null;
        }
    }

    private static String quoted(String id) {
        return '"' + id.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
