package dev.hal0.kernel;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlInvalidTypeException;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlPosition;
import org.tomlj.TomlTable;

/**
 * A TOML text and what it means. People edit these files, so the text is the value: an edit returns a new document in
 * which only the named key changed; comments, order, blank lines, line endings and the spelling of other values stay.
 *
 * <p>A path is a list of key segments, so a key may contain dots: {@code List.of("models", "qwen3.5-9b", "path")}. Every
 * fault is {@code config.invalid} with the file, line and column in its message and the dotted path as its param.
 * Immutable and thread-safe.
 */
public final class TomlDocument {
    /** A place in the text, both from 1; a column counts characters. */
    public record Position(int line, int column) {
        static @Nullable Position of(@Nullable TomlPosition position) {
            return position == null ? null : new Position(position.line(), position.column());
        }

        @Override
        public String toString() {
            return line + ":" + column;
        }
    }

    private final String source;
    private final String text;
    /** Read only after construction; edits work on a parse of their own. */
    private final TomlTable root;

    private TomlDocument(String source, String text, TomlTable root) {
        this.source = source;
        this.text = text;
        this.root = root;
    }

    /**
     * @param source what messages call the text: the file's path
     * @throws Hal0Exception {@code config.invalid} that lists every error, in {@code details.errors} as
     *     {line, column, message}
     */
    public static TomlDocument parse(String source, String text) {
        TomlParseResult result = Toml.parse(text);
        if (result.hasErrors()) {
            var faults = result.errors().stream()
                    .map(error -> new TomlBinding.Fault(
                            "", Position.of(error.position()), String.valueOf(error.getMessage())))
                    .sorted((left, right) -> compare(left.position(), right.position()))
                    .toList();
            throw invalid(source, faults);
        }
        return new TomlDocument(source, text, result);
    }

    public static TomlDocument empty(String source) {
        return parse(source, "");
    }

    public String source() {
        return source;
    }

    public String text() {
        return text;
    }

    /**
     * Binds the whole document to a record of a {@code @NullMarked} package, strictly: every key must be a component
     * (snake_case for camelCase), and every component must be there unless it is {@code Optional} or {@code @Nullable}.
     * Components may be primitives, strings, enums (any case), records, lists, maps, {@link Path} and {@link SlotName}.
     */
    public <T extends Record> T as(Class<T> type) {
        return bind(root, List.of(), type);
    }

    /** Like {@link #as(Class)}, but what the document leaves out has the value it has in {@code defaults}, at any depth. */
    public <T extends Record> T as(T defaults) {
        TomlParseResult completed = Toml.parse(text);
        TomlBinding.complete(completed, TomlBinding.table(defaults));
        @SuppressWarnings("unchecked") // the class of a T that is a record, and records are final
        var type = (Class<T>) defaults.getClass();
        return bind(completed, List.of(), type);
    }

    /** Like {@link #as(Class)} for one table; empty when it is not there. */
    public <T extends Record> Optional<T> as(List<String> table, Class<T> type) {
        return table(table).map(found -> bind(found, table, type));
    }

    public Optional<String> string(List<String> path) {
        return value(path, String.class, "a string");
    }

    public Optional<Long> integer(List<String> path) {
        return value(path, Long.class, "an integer");
    }

    public Optional<Boolean> bool(List<String> path) {
        return value(path, Boolean.class, "a boolean");
    }

    /** An integer is a number, too. */
    public Optional<Double> number(List<String> path) {
        return find(path).map(found -> switch (found) {
            case Double number -> number;
            case Long number -> Double.valueOf(number);
            default -> throw wrongType(path, "a number", found);
        });
    }

    public Optional<List<String>> strings(List<String> path) {
        return value(path, TomlArray.class, "an array of strings").map(array -> {
            var items = new ArrayList<String>(array.size());
            for (Object item : array.toList()) {
                if (!(item instanceof String string)) {
                    throw wrongType(path, "an array of strings", item);
                }
                items.add(string);
            }
            return List.copyOf(items);
        });
    }

    /** The keys of a table in file order; none when it is not there. The empty path is the document itself. */
    public Set<String> keys(List<String> table) {
        return table(table)
                .<Set<String>>map(found -> new LinkedHashSet<>(found.keySet()))
                .orElse(Set.of());
    }

    public boolean contains(List<String> path) {
        return find(path).isPresent();
    }

    public Optional<Position> positionOf(List<String> path) {
        return path.isEmpty() || !contains(path)
                ? Optional.empty()
                : Optional.ofNullable(Position.of(root.inputPositionOf(path)));
    }

    /** The whole document as plain JSON-able values: maps, lists, strings, numbers, booleans; dates as ISO strings. */
    public Map<String, Object> values() {
        return values(root);
    }

    /**
     * Sets one key, creating tables on the way; the same value again changes nothing.
     *
     * @param value a string, boolean, number, enum (written in lower case), path, slot name, record, or a collection or
     *     map of these
     * @throws Hal0Exception {@code config.invalid} when the way leads through something that is not a table
     */
    public TomlDocument with(List<String> path, Object value) {
        requireKey(path);
        Object plain = plain(value);
        if (find(path).map(found -> Objects.equals(plainValue(found), plain)).orElse(false)) {
            return this;
        }
        return edited(path, table -> table.set(path, plain));
    }

    /** Removes a key or a table with the comment above it; removing what is not there changes nothing. */
    public TomlDocument without(List<String> path) {
        requireKey(path);
        return contains(path) ? edited(path, table -> table.remove(path)) : this;
    }

    /** Puts a comment above an existing key or table, replacing the one that is there. Lines are given without '#'. */
    public TomlDocument withComment(List<String> path, String... lines) {
        requireKey(path);
        return contains(path) ? edited(path, table -> table.setCommentAbove(path, Arrays.asList(lines))) : this;
    }

    /**
     * @throws Hal0Exception {@code validation.unknown_keys} naming every key of the table that is not allowed, with the
     *     full path of the first as param
     */
    public void requireOnlyKeys(List<String> table, Set<String> allowed) {
        List<String> unknown =
                keys(table).stream().filter(key -> !allowed.contains(key)).toList();
        if (unknown.isEmpty()) {
            return;
        }
        var known = new TreeSet<>(allowed);
        var named = unknown.stream()
                .map(key -> dotted(below(table, key)) + NearMatch.hint(key, known))
                .toList();
        var first = below(table, unknown.getFirst());
        throw new Hal0Exception(
                        ErrorCode.REQUEST_UNKNOWN_FIELDS,
                        at(first) + ": unknown key" + (unknown.size() > 1 ? "s " : " ") + String.join(", ", named)
                                + "; known here: " + String.join(", ", known))
                .withParam(dotted(first))
                .withDetail("source", source)
                .withDetail(
                        "unknown_keys",
                        unknown.stream().map(key -> dotted(below(table, key))).toList())
                .withDetail("known_keys", List.copyOf(known));
    }

    /** A failure about one key, placed as the parser's own are: for checks that only the caller can make. */
    public Hal0Exception fault(List<String> path, String message) {
        var position = positionOf(path).orElse(null);
        return invalid(source, List.of(new TomlBinding.Fault(dotted(path), position, message)));
    }

    private <T extends Record> T bind(TomlTable table, List<String> path, Class<T> type) {
        var faults = new ArrayList<TomlBinding.Fault>();
        T bound = TomlBinding.bind(table, type, faults);
        if (bound != null) {
            return bound;
        }
        String prefix = path.isEmpty() ? "" : dotted(path) + ".";
        throw invalid(
                source,
                faults.stream()
                        .map(fault -> new TomlBinding.Fault(prefix + fault.path(), fault.position(), fault.message()))
                        .toList());
    }

    private TomlDocument edited(List<String> path, Consumer<TomlParseResult> edit) {
        TomlParseResult copy = Toml.parse(text);
        try {
            edit.accept(copy);
        } catch (TomlInvalidTypeException wayIsBlocked) {
            throw fault(path, String.valueOf(wayIsBlocked.getMessage()));
        }
        return parse(source, copy.toToml());
    }

    private <T> Optional<T> value(List<String> path, Class<T> type, String expected) {
        return find(path).map(found -> {
            if (!type.isInstance(found)) {
                throw wrongType(path, expected, found);
            }
            return type.cast(found);
        });
    }

    private Optional<TomlTable> table(List<String> path) {
        return value(path, TomlTable.class, "a table");
    }

    private Optional<Object> find(List<String> path) {
        Object current = root;
        for (int depth = 0; depth < path.size(); depth++) {
            if (!(current instanceof TomlTable table)) {
                throw wrongType(path.subList(0, depth), "a table", current);
            }
            Object next = table.get(List.of(path.get(depth)));
            if (next == null) {
                return Optional.empty();
            }
            current = next;
        }
        return Optional.of(current);
    }

    private Hal0Exception wrongType(List<String> path, String expected, Object found) {
        var position = path.isEmpty() ? null : Position.of(root.inputPositionOf(path));
        String message = "expected " + expected + ", found " + typeOf(found);
        return invalid(source, List.of(new TomlBinding.Fault(dotted(path), position, message)));
    }

    private static Hal0Exception invalid(String source, List<TomlBinding.Fault> faults) {
        var lines = faults.stream()
                .map(fault -> source
                        + (fault.position() == null ? "" : ":" + fault.position())
                        + ": "
                        + (fault.path().isEmpty() ? "" : fault.path() + ": ")
                        + fault.message())
                .toList();
        var failure = new Hal0Exception(ErrorCode.CONFIG_INVALID, String.join("\n", lines))
                .withDetail("source", source)
                .withDetail("errors", TomlBinding.evidence(faults));
        String param = faults.getFirst().path();
        return param.isEmpty() ? failure : failure.withParam(param);
    }

    private String at(List<String> path) {
        return source + positionOf(path).map(position -> ":" + position).orElse("");
    }

    private static void requireKey(List<String> path) {
        if (path.isEmpty()) {
            throw new IllegalArgumentException("an edit names at least one key");
        }
    }

    private static List<String> below(List<String> table, String key) {
        var path = new ArrayList<>(table);
        path.add(key);
        return path;
    }

    private static String dotted(List<String> path) {
        return path.isEmpty() ? "" : Toml.joinKeyPath(path);
    }

    private static int compare(@Nullable Position left, @Nullable Position right) {
        if (left == null || right == null) {
            return left == right ? 0 : left == null ? 1 : -1;
        }
        int byLine = Integer.compare(left.line(), right.line());
        return byLine != 0 ? byLine : Integer.compare(left.column(), right.column());
    }

    private static String typeOf(Object value) {
        return switch (value) {
            case String ignored -> "a string";
            case Long ignored -> "an integer";
            case Double ignored -> "a float";
            case Boolean ignored -> "a boolean";
            case TomlTable ignored -> "a table";
            case TomlArray ignored -> "an array";
            default -> "a date or time";
        };
    }

    private static Map<String, Object> values(TomlTable table) {
        var map = new LinkedHashMap<String, Object>();
        table.entrySet().forEach(entry -> map.put(entry.getKey(), plainValue(entry.getValue())));
        return map;
    }

    /** From the parse tree to plain values. */
    private static Object plainValue(Object parsed) {
        return switch (parsed) {
            case TomlTable table -> values(table);
            case TomlArray array ->
                array.toList().stream().map(TomlDocument::plainValue).toList();
            case String string -> string;
            case Number number -> number;
            case Boolean bool -> bool;
            default -> parsed.toString();
        };
    }

    /** From what callers hold to what TOML can say. */
    private static Object plain(Object value) {
        return switch (value) {
            case Integer number -> Long.valueOf(number);
            case Float number -> Double.valueOf(number);
            case Enum<?> constant -> constant.name().toLowerCase(Locale.ROOT);
            case Path path -> path.toString();
            case SlotName name -> name.value();
            case Record bound -> values(TomlBinding.table(bound));
            case Collection<?> items -> items.stream().map(TomlDocument::plain).toList();
            case Map<?, ?> map -> {
                var copy = new LinkedHashMap<String, Object>();
                map.forEach((key, item) -> copy.put(String.valueOf(key), plain(item)));
                yield copy;
            }
            case TomlTable table -> values(table);
            case TomlArray array -> plainValue(array);
            default -> value;
        };
    }

    /** Equal when the texts are, whatever they are called. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof TomlDocument document && text.equals(document.text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return source;
    }
}
