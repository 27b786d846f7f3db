package dev.hal0.kernel;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.tomlj.MutableTomlTable;
import org.tomlj.TomlBindException;
import org.tomlj.TomlBindOptions;
import org.tomlj.TomlTable;

/**
 * Binds a table to a record and back. tomlj does the work, and reads JSpecify: in a {@code @NullMarked} package a component
 * that is neither {@code Optional} nor {@code @Nullable} must be in the file.
 */
final class TomlBinding {
    /** One fault: {@code path} as a person would write the key. */
    record Fault(String path, TomlDocument.@Nullable Position position, String message) {}

    private static final TomlBindOptions OPTIONS = TomlBindOptions.defaults()
            .withKeyNaming(TomlBindOptions.KeyNaming.SNAKE_CASE)
            .withConverter(Path.class, string("a path", Path::of), Path::toString)
            .withConverter(SlotName.class, string("a slot name", SlotName::new), SlotName::value);

    private TomlBinding() {}

    /** Adds to {@code faults} what is wrong; the result is null when there is any fault. */
    static <T extends Record> @Nullable T bind(TomlTable table, Class<T> type, List<Fault> faults) {
        try {
            return table.as(type, OPTIONS);
        } catch (TomlBindException refused) {
            refused.errors()
                    .forEach(error -> faults.add(
                            new Fault(error.path(), TomlDocument.Position.of(error.position()), error.message())));
            return null;
        }
    }

    /** A record as a table, keys in snake_case, absent optionals left out. */
    static MutableTomlTable table(Record value) {
        return MutableTomlTable.from(value, OPTIONS);
    }

    /** Gives {@code table} what it lacks of {@code defaults}, at any depth; what is there keeps value and position. */
    static void complete(MutableTomlTable table, TomlTable defaults) {
        for (Map.Entry<String, Object> entry : defaults.entrySet()) {
            List<String> key = List.of(entry.getKey());
            Object present = table.get(key);
            if (present == null) {
                table.set(key, entry.getValue());
            } else if (present instanceof MutableTomlTable child && entry.getValue() instanceof TomlTable more) {
                complete(child, more);
            }
        }
    }

    private static <T> Function<Object, T> string(String what, Function<String, T> conversion) {
        return value -> {
            if (!(value instanceof String text)) {
                throw new IllegalArgumentException("expected " + what + " as a string");
            }
            return conversion.apply(text);
        };
    }

    /** The faults as JSON-able evidence. */
    static List<Map<String, Object>> evidence(List<Fault> faults) {
        var list = new ArrayList<Map<String, Object>>();
        for (Fault fault : faults) {
            var entry = new LinkedHashMap<String, Object>();
            if (fault.position() != null) {
                entry.put("line", fault.position().line());
                entry.put("column", fault.position().column());
            }
            if (!fault.path().isEmpty()) {
                entry.put("path", fault.path());
            }
            entry.put("message", fault.message());
            list.add(entry);
        }
        return list;
    }
}
