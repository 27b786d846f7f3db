package dev.hal0.models;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.TomlDocument;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Typed access to one entry's table; every fault names its line. */
record RegistryFields(TomlDocument document, List<String> table) {
    List<String> field(String key) {
        var path = new ArrayList<>(table);
        path.add(key);
        return path;
    }

    Optional<String> string(String key) {
        return document.string(field(key));
    }

    /** A text that was left empty says nothing. */
    Optional<String> word(String key) {
        return string(key).filter(text -> !text.isBlank());
    }

    List<String> strings(String key) {
        return document.strings(field(key)).orElse(List.of());
    }

    Optional<Path> path(String key) {
        return word(key).map(text -> {
            try {
                Path path = Path.of(text);
                if (path.isAbsolute()) {
                    return path;
                }
            } catch (InvalidPathException notEvenAPath) {
                throw document.fault(field(key), String.valueOf(notEvenAPath.getMessage()));
            }
            throw document.fault(field(key), "'" + text + "' is not an absolute path");
        });
    }

    long count(String key, long largest) {
        long value = document.integer(field(key)).orElse(0L);
        if (value < 0 || value > largest) {
            throw document.fault(field(key), value + " is not between 0 and " + largest);
        }
        return value;
    }

    Instant instant(String key) {
        Optional<String> text = word(key);
        try {
            return text.map(Instant::parse).orElse(Instant.EPOCH);
        } catch (DateTimeException wrong) {
            throw document.fault(field(key), "'" + text.orElse("") + "' is not a time such as 2026-11-23T12:00:00Z");
        }
    }

    /** One word of a few. */
    <T> Optional<T> oneOf(String key, Function<String, Optional<T>> vocabulary) {
        return word(key)
                .map(text -> vocabulary
                        .apply(text)
                        .orElseThrow(() -> document.fault(field(key), "'" + text + "' is not a known " + key)));
    }

    /** Plain values of a table inside the entry's; none when it is not there. */
    Map<String, Object> table(String key) {
        var inner = new java.util.LinkedHashMap<String, Object>();
        if (!document.keys(field(key)).isEmpty() && nested(document.values(), field(key)) instanceof Map<?, ?> found) {
            found.forEach((name, value) -> inner.put(String.valueOf(name), value));
        }
        return inner;
    }

    RegistryFields below(String key) {
        return new RegistryFields(document, field(key));
    }

    List<ModelPart> parts(String key) {
        if (!document.contains(field(key))) {
            return List.of();
        }
        if (!(nested(document.values(), field(key)) instanceof List<?> items)) {
            throw document.fault(field(key), "expected an array of tables");
        }
        return items.stream().map(item -> part(key, item)).toList();
    }

    private ModelPart part(String key, Object item) {
        if (item instanceof Map<?, ?> map && map.get("rel") instanceof String rel && !rel.isBlank()) {
            return new ModelPart(
                    rel,
                    map.get("size") instanceof Long size ? Math.max(0, size) : 0,
                    map.get("sha256") instanceof String digest ? Optional.of(digest) : Optional.empty(),
                    map.get("role") instanceof String role ? role : "model");
        }
        throw document.fault(field(key), "expected tables with rel, size, sha256 and role");
    }

    Hal0Exception fault(String key, String message) {
        return document.fault(field(key), message);
    }

    private static Object nested(Map<String, Object> values, List<String> path) {
        Object current = values;
        for (String key : path) {
            Object next = current instanceof Map<?, ?> map ? map.get(key) : null;
            if (next == null) {
                return Map.of();
            }
            current = next;
        }
        return current;
    }
}
