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
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * llama-server's command line as a map from flag to value, so that a later source replaces an earlier one and every flag
 * stands there once, under one spelling; but for those that add something each time they are given.
 */
final class LlamaArguments {
    /** Other spellings of flags that more than one source sets; from the {@code --help} of version 0.7.0. */
    private static final Map<String, String> CANONICAL = canonical();

    /** What hal0 must own to reach, identify and protect the engine. */
    private static final Set<String> OWNED = Set.of(
            "--host",
            "--port",
            "--model",
            "--model-url",
            "--hf-repo",
            "--hf-file",
            "--docker-repo",
            "--alias",
            "--api-key",
            "--api-key-file",
            "--ssl-key-file",
            "--ssl-cert-file",
            "--path",
            "--api-prefix",
            "--models-dir",
            "--models-preset",
            "--slots",
            "--no-slots",
            "--fit",
            "--log-file",
            "--log-disable");

    /** Off-switches of the same decision replace each other. */
    private static final Map<String, String> OPPOSITES = Map.of("--jinja", "--no-jinja", "--no-jinja", "--jinja");

    /** Each mention adds one more; from the {@code --help} of version 0.7.0. */
    private static final Set<String> REPEATABLE = Set.of(
            "--lora",
            "--lora-scaled",
            "--control-vector",
            "--control-vector-scaled",
            "--override-kv",
            "--override-tensor",
            "--logit-bias");

    private final Map<String, LaunchArgument> flags = new LinkedHashMap<>();
    private final List<LaunchArgument> repeated = new ArrayList<>();

    private static Map<String, String> canonical() {
        var names = new TreeMap<String, String>();
        names.put("-c", "--ctx-size");
        names.put("-np", "--parallel");
        names.put("-ngl", "--n-gpu-layers");
        names.put("--gpu-layers", "--n-gpu-layers");
        names.put("-m", "--model");
        names.put("-mu", "--model-url");
        names.put("-hf", "--hf-repo");
        names.put("-hfr", "--hf-repo");
        names.put("-hff", "--hf-file");
        names.put("-dr", "--docker-repo");
        names.put("-a", "--alias");
        names.put("-t", "--threads");
        names.put("-tb", "--threads-batch");
        names.put("-b", "--batch-size");
        names.put("-ub", "--ubatch-size");
        names.put("-fa", "--flash-attn");
        names.put("-dev", "--device");
        names.put("-fit", "--fit");
        names.put("-ctk", "--cache-type-k");
        names.put("-ctv", "--cache-type-v");
        names.put("-kvu", "--kv-unified");
        names.put("-no-kvu", "--no-kv-unified");
        names.put("-cram", "--cache-ram");
        names.put("-ot", "--override-tensor");
        names.put("-l", "--logit-bias");
        names.put("--embedding", "--embeddings");
        names.put("--rerank", "--reranking");
        names.put("--webui", "--ui");
        names.put("--no-webui", "--no-ui");
        return names;
    }

    /** Sets what hal0 needs or knows to be right. */
    LlamaArguments set(String flag, String... values) {
        return setFrom("hal0", flag, values);
    }

    /** @param source see {@link LaunchArgument#source} */
    LlamaArguments setFrom(String source, String flag, String... values) {
        flags.put(flag, new LaunchArgument(flag, List.of(values), source));
        return this;
    }

    /**
     * Adds a person's flags over what is there.
     *
     * @param source the key they stand under, such as {@code server.extra_args}
     * @throws Hal0Exception {@code slot.managed_arg_denied} for a flag that hal0 owns
     */
    LlamaArguments addExtra(String source, String text) {
        List<String> words = CommandText.split(text);
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
            String flag = CANONICAL.getOrDefault(word, word);
            if (OWNED.contains(flag)) {
                throw new Hal0Exception(
                                ErrorCode.SLOT_MANAGED_ARGUMENT,
                                "`" + source + "` sets " + word + ", which belongs to hal0.")
                        .withParam(source)
                        .withDetail("flag", word);
            }
            if (REPEATABLE.contains(flag)) {
                repeated.add(new LaunchArgument(flag, values, source));
                continue;
            }
            Optional.ofNullable(OPPOSITES.get(flag)).ifPresent(flags::remove);
            flags.remove(flag);
            flags.put(flag, new LaunchArgument(flag, values, source));
        }
        return this;
    }

    /** A negative number is a value, not a flag. */
    private static boolean isFlag(String word) {
        return word.startsWith("-") && word.length() > 1 && !Character.isDigit(word.charAt(1));
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
