package dev.hal0.models;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Pattern;

/** The grammar of model ids: they are URL segments, file names of logs, and what people type. */
final class ModelId {
    static final String GRAMMAR_IN_WORDS =
            "letters, digits, '.', '_' and '-', starting with a letter or digit, at most 128 characters";

    private static final int LONGEST = 128;
    private static final Pattern GRAMMAR = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");
    private static final Pattern SHARD = Pattern.compile("-\\d{5}-of-\\d{5}$");

    private ModelId() {}

    static boolean isValid(String candidate) {
        return GRAMMAR.matcher(candidate).matches();
    }

    /** @throws Hal0Exception {@code request.invalid} */
    static String require(String candidate) {
        if (!isValid(candidate)) {
            throw new Hal0Exception(
                            ErrorCode.REQUEST_INVALID,
                            "'" + candidate.substring(0, Math.min(64, candidate.length())) + "' is not a model id: "
                                    + GRAMMAR_IN_WORDS)
                    .withParam("id");
        }
        return candidate;
    }

    /** The same file name always gives the same id: {@code Qwen3.5-9B-Q4_K_M.gguf} is {@code qwen3.5-9b-q4_k_m}. */
    static String ofFile(Path file) {
        String stem = stem(file).toLowerCase(Locale.ROOT);
        String id = stem.replaceAll("[^a-z0-9._-]+", "-").replaceAll("^[^a-z0-9]+", "");
        id = id.substring(0, Math.min(LONGEST, id.length())).replaceAll("[^a-z0-9]+$", "");
        return id.isEmpty() ? "model" : id;
    }

    /** The file's name without its ending and without the number of its part. */
    static String stem(Path file) {
        String name = String.valueOf(file.getFileName());
        String stem = name.toLowerCase(Locale.ROOT).endsWith(".gguf") ? name.substring(0, name.length() - 5) : name;
        return SHARD.matcher(stem).replaceFirst("");
    }
}
