package dev.hal0.slots;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.NearMatch;
import dev.hal0.kernel.TomlDocument;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;

/**
 * Reads single values of a slot's file; every refusal says the key's path and where it stands in the file a person wrote.
 *
 * @param flat what is read
 * @param written what the person wrote: the same, or the older layout
 */
record SlotFields(TomlDocument flat, TomlDocument written) {
    static SlotFields of(TomlDocument written) {
        return new SlotFields(SlotLayout.flat(written), written);
    }

    boolean has(String... path) {
        return flat.contains(List.of(path));
    }

    boolean isTable(String key) {
        return flat.values().get(key) instanceof java.util.Map;
    }

    Optional<String> string(String... path) {
        return flat.string(List.of(path));
    }

    /** Without control characters; blank is absent. */
    Optional<String> text(String... path) {
        Optional<String> given = string(path);
        if (given.isPresent() && given.get().chars().anyMatch(Character::isISOControl)) {
            throw invalid(String.join(".", path), "must not contain control characters");
        }
        return given.filter(text -> !text.isBlank());
    }

    Optional<Boolean> bool(String... path) {
        return flat.bool(List.of(path));
    }

    boolean bool(boolean otherwise, String... path) {
        return bool(path).orElse(otherwise);
    }

    List<String> strings(String... path) {
        return flat.strings(List.of(path)).orElse(List.of());
    }

    OptionalInt integer(int least, int most, String... path) {
        Optional<Long> given = flat.integer(List.of(path));
        if (given.isEmpty()) {
            return OptionalInt.empty();
        }
        if (given.get() < least || given.get() > most) {
            throw invalid(String.join(".", path), "is " + given.get() + "; it can be " + least + " to " + most);
        }
        return OptionalInt.of(Math.toIntExact(given.get()));
    }

    Optional<Double> number(double least, double most, String... path) {
        Optional<Double> given = flat.number(List.of(path));
        given.ifPresent(value -> {
            if (!(value >= least && value <= most)) {
                throw invalid(String.join(".", path), "is " + value + "; it can be " + least + " to " + most);
            }
        });
        return given;
    }

    <E> E word(String key, E[] values, Function<E, String> label, E otherwise) {
        Optional<String> given = string(key);
        if (given.isEmpty()) {
            return otherwise;
        }
        List<String> known = Arrays.stream(values).map(label).toList();
        return Arrays.stream(values)
                .filter(value -> label.apply(value).equals(given.get()))
                .findFirst()
                .orElseThrow(() -> invalid(
                        key, "is '" + given.get() + "'; it can be " + known + NearMatch.hint(given.get(), known)));
    }

    /** Checked where the person wrote them, so that the line is theirs. */
    void requireOnlyKeys(List<String> table, Set<String> allowed) {
        if (table.isEmpty() && SlotLayout.isNested(written)) {
            written.requireOnlyKeys(SlotLayout.TABLE, allowed);
        } else {
            (SlotLayout.isNested(written) && written.contains(SlotLayout.nested(table)) ? written : flat)
                    .requireOnlyKeys(
                            SlotLayout.isNested(written) && written.contains(SlotLayout.nested(table))
                                    ? SlotLayout.nested(table)
                                    : table,
                            allowed);
        }
    }

    Hal0Exception invalid(String path, String problem) {
        List<String> key = List.of(path.split("\\."));
        Optional<TomlDocument.Position> position =
                SlotLayout.isNested(written) && written.contains(SlotLayout.nested(key))
                        ? written.positionOf(SlotLayout.nested(key))
                        : written.positionOf(key);
        Hal0Exception fault = invalid(
                path, problem, position.map(at -> " (line " + at.line() + ")").orElse(""));
        return position.isEmpty()
                ? fault
                : fault.withDetail("line", position.get().line());
    }

    private static Hal0Exception invalid(String path, String problem, String where) {
        return new Hal0Exception(ErrorCode.SLOT_CONFIG_ERROR, "`" + path + "` " + problem + where + ".")
                .withParam(path);
    }

    /** A fault that no single line is to blame for. */
    static Hal0Exception fault(String path, String problem) {
        return invalid(path, problem, "");
    }
}
