package dev.hal0.runtime.engine;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.slots.LaunchArgument;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * An engine's command line as a map from flag to value, so that a later source replaces an earlier one and every flag stands
 * there once, under one spelling; but for those that add something each time they are given.
 */
final class EngineArguments {
    /**
     * What must be known of a program's flags.
     *
     * @param canonical other spellings of flags that more than one source sets
     * @param owned what hal0 must own to reach, identify and protect the engine
     * @param opposites off-switches of the same decision, which replace each other
     * @param repeatable each mention adds one more
     */
    record Flags(
            Map<String, String> canonical, Set<String> owned, Map<String, String> opposites, Set<String> repeatable) {}

    private final Flags known;
    private final Map<String, LaunchArgument> flags = new LinkedHashMap<>();
    private final List<LaunchArgument> repeated = new ArrayList<>();

    EngineArguments(Flags known) {
        this.known = known;
    }

    /** Sets what hal0 needs or knows to be right. */
    EngineArguments set(String flag, String... values) {
        return setFrom("hal0", flag, values);
    }

    /** @param source see {@link LaunchArgument#source} */
    EngineArguments setFrom(String source, String flag, String... values) {
        flags.put(flag, new LaunchArgument(flag, List.of(values), source));
        return this;
    }

    /**
     * Adds a person's flags over what is there.
     *
     * @param source the key they stand under, such as {@code server.extra_args}
     * @throws Hal0Exception {@code slot.managed_arg_denied} for a flag that hal0 owns
     */
    EngineArguments addExtra(String source, String text) {
        return add(source, text, true);
    }

    /**
     * Adds a template's flags where nothing of hal0's or the slot's stands yet; what comes later replaces them.
     *
     * @throws Hal0Exception as {@link #addExtra}
     */
    EngineArguments addBeneath(String source, String text) {
        return add(source, text, false);
    }

    private EngineArguments add(String source, String text, boolean over) {
        List<String> words = CommandText.split(source, text);
        int i = 0;
        while (i < words.size()) {
            String word = words.get(i++);
            if (!isFlag(word)) {
                throw new Hal0Exception(
                                ErrorCode.SLOT_CONFIG_ERROR,
                                "`" + source + "`: '" + word + "' is no flag and follows none.")
                        .withParam(source);
            }
            var values = new ArrayList<String>();
            int equals = word.startsWith("--") ? word.indexOf('=') : -1;
            if (equals > 0) {
                values.add(word.substring(equals + 1));
                word = word.substring(0, equals);
            }
            while (i < words.size() && !isFlag(words.get(i))) {
                values.add(words.get(i++));
            }
            String flag = known.canonical().getOrDefault(word, word);
            if (known.owned().contains(flag)) {
                throw new Hal0Exception(
                                ErrorCode.SLOT_MANAGED_ARGUMENT,
                                "`" + source + "` sets " + word + ", which belongs to hal0.")
                        .withParam(source)
                        .withDetail("flag", word);
            }
            if (known.repeatable().contains(flag)) {
                repeated.add(new LaunchArgument(flag, values, source));
                continue;
            }
            if (!over && flags.containsKey(flag)) {
                continue;
            }
            Optional.ofNullable(known.opposites().get(flag)).ifPresent(flags::remove);
            flags.remove(flag);
            flags.put(flag, new LaunchArgument(flag, values, source));
        }
        return this;
    }

    /** A negative number is a value, not a flag. */
    private static boolean isFlag(String word) {
        return word.startsWith("-") && word.length() > 1 && !Character.isDigit(word.charAt(1));
    }

    boolean has(String flag) {
        return flags.containsKey(flag);
    }

    /** The effective integer of a flag, or {@code otherwise} where it is absent or no integer. */
    int integer(String flag, int otherwise) {
        try {
            LaunchArgument found = flags.get(flag);
            return found == null || found.values().isEmpty()
                    ? otherwise
                    : Integer.parseInt(found.values().getLast());
        } catch (NumberFormatException notANumber) {
            return otherwise;
        }
    }

    List<String> list() {
        return all().flatMap(argument -> Stream.concat(Stream.of(argument.flag()), argument.values().stream()))
                .toList();
    }

    /** Of each word of {@link #list}. */
    List<String> sources() {
        return all().flatMap(
                        argument -> Collections.nCopies(1 + argument.values().size(), argument.source()).stream())
                .toList();
    }

    private Stream<LaunchArgument> all() {
        return Stream.concat(flags.values().stream(), repeated.stream());
    }
}
