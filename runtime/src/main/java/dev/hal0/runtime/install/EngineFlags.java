package dev.hal0.runtime.install;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What hal0 puts on the command lines of engines. A version that nobody tried with them must know them all: one that has
 * renamed a flag would install, and then refuse every launch.
 */
final class EngineFlags {
    /** All that {@code LlamaCppEngine} may pass, whatever the slot; a test compares the two. */
    private static final Map<String, List<String>> PASSED = Map.of(
            "llama.cpp",
            List.of(
                    "--host",
                    "--port",
                    "--model",
                    "--alias",
                    "--api-key-file",
                    "--fit",
                    "--no-ui",
                    "--slots",
                    "--metrics",
                    "--offline",
                    "--log-colors",
                    "--ctx-size",
                    "--parallel",
                    "--n-gpu-layers",
                    "--device",
                    "--jinja",
                    "--embeddings",
                    "--reranking",
                    "--cache-ram",
                    "--mmproj"));

    private EngineFlags() {}

    static List<String> passed(String engine) {
        return PASSED.getOrDefault(engine, List.of());
    }

    /** Those that a program with this help does not know, in the order above. */
    static List<String> missing(String engine, String help) {
        return passed(engine).stream()
                .filter(flag -> !Pattern.compile("(?<![\\w-])" + Pattern.quote(flag) + "(?![\\w-])")
                        .matcher(help)
                        .find())
                .toList();
    }
}
