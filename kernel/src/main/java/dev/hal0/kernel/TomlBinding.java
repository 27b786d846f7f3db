package dev.hal0.kernel;

import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.tomlj.Toml;
import org.tomlj.TomlBindException;
import org.tomlj.TomlBindOptions;
import org.tomlj.TomlTable;

/**
 * Binds a table to a record. tomlj does the work; what it leaves out is added here: a component that is neither
 * {@code Optional}, {@code @Nullable} nor given a value by the record's compact constructor must be in the file (tomlj
 * leaves it null).
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
        T bound;
        try {
            bound = table.as(type, OPTIONS);
        } catch (TomlBindException refused) {
            refused.errors()
                    .forEach(error -> faults.add(
                            new Fault(error.path(), TomlDocument.Position.of(error.position()), error.message())));
            return null;
        }
        addMissing(bound, "", table, faults);
        return faults.isEmpty() ? bound : null;
    }

    /** A record as a table's values, keys in snake_case. */
    static Map<String, Object> values(Record value) {
        return org.tomlj.MutableTomlTable.from(value, OPTIONS).toMap();
    }

    private static void addMissing(Record bound, String prefix, TomlTable table, List<Fault> faults) {
        for (RecordComponent component : bound.getClass().getRecordComponents()) {
            String key = keyOf(component);
            Object value = valueOf(component, bound);
            if (value == null) {
                if (!component.getAnnotatedType().isAnnotationPresent(Nullable.class)) {
                    faults.add(new Fault(prefix + key, null, "missing"));
                }
            } else if (table.get(List.of(key)) instanceof TomlTable child) {
                addMissingBelow(value, prefix + key, child, faults);
            }
        }
    }

    private static void addMissingBelow(Object value, String path, TomlTable table, List<Fault> faults) {
        switch (value) {
            case Record nested -> addMissing(nested, path + ".", table, faults);
            case java.util.Optional<?> optional ->
                optional.ifPresent(present -> addMissingBelow(present, path, table, faults));
            case Map<?, ?> map ->
                map.forEach((key, entry) -> {
                    if (table.get(List.of(String.valueOf(key))) instanceof TomlTable child) {
                        addMissingBelow(
                                entry, path + "." + Toml.joinKeyPath(List.of(String.valueOf(key))), child, faults);
                    }
                });
            default -> {}
        }
    }

    private static String keyOf(RecordComponent component) {
        var snake = new StringBuilder();
        for (char letter : component.getName().toCharArray()) {
            snake.append(Character.isUpperCase(letter) ? "_" + Character.toLowerCase(letter) : letter);
        }
        return snake.toString();
    }

    private static @Nullable Object valueOf(RecordComponent component, Record bound) {
        try {
            var accessor = component.getAccessor();
            // The record may be package-private to the module that binds it.
            accessor.setAccessible(true);
            return accessor.invoke(bound);
        } catch (ReflectiveOperationException impossible) {
            throw new AssertionError("a record's accessor can be called", impossible);
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
            var entry = new java.util.LinkedHashMap<String, Object>();
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
