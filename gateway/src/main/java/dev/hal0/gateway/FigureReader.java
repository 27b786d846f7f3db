package dev.hal0.gateway;

import dev.hal0.kernel.Json;
import io.vertx.core.buffer.Buffer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectReader;

/**
 * Finds {@code usage} and {@code timings} in an engine's JSON without reading the rest of it. A key with its quotes cannot
 * stand inside a JSON string, whose quotes are escaped, so that a search for its bytes finds the key and nothing that a model
 * wrote.
 *
 * <p>{@code usage} is understood as OpenAI writes it for chat and completions, as the Responses API and as Anthropic's
 * Messages do; {@code timings} as llama.cpp does, which also writes them where it writes no usage.
 */
final class FigureReader {
    static final Needle USAGE = new Needle("\"usage\":");
    static final Needle TIMINGS = new Needle("\"timings\":");

    /** Such an object has some hundred bytes. */
    private static final int MOST_BYTES = 8 << 10;

    /** What follows the object is the rest of the document. */
    private static final ObjectReader READER =
            Json.LENIENT.reader().without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private FigureReader() {}

    /** Whether a look is worth it. */
    static boolean speaksOfFigures(Buffer bytes, int from, int to) {
        return USAGE.find(bytes, from, to) >= 0 || TIMINGS.find(bytes, from, to) >= 0;
    }

    static EngineFigures read(Buffer bytes, int from, int to) {
        EngineFigures timings = timings(objectAfter(TIMINGS, bytes, from, to));
        return timings.then(usage(objectAfter(USAGE, bytes, from, to)));
    }

    /** The first value of that key that is an object; others, null above all, say nothing. */
    private static @Nullable JsonNode objectAfter(Needle key, Buffer bytes, int from, int to) {
        for (int at = key.find(bytes, from, to); at >= 0; at = key.find(bytes, at + 1, to)) {
            int value = at + key.length();
            try {
                JsonNode node = READER.readTree(bytes.getBytes(value, Math.min(to, value + MOST_BYTES)));
                if (node.isObject()) {
                    return node;
                }
            } catch (JacksonException notWhole) {
                // No figures are better than a broken answer.
                return null;
            }
        }
        return null;
    }

    private static EngineFigures usage(@Nullable JsonNode usage) {
        if (usage == null) {
            return EngineFigures.UNKNOWN;
        }
        Long cached = number(usage.path("prompt_tokens_details"), "cached_tokens");
        if (cached == null) {
            cached = number(usage.path("input_tokens_details"), "cached_tokens");
        }
        Long prompt = number(usage, "prompt_tokens");
        Long completion = number(usage, "completion_tokens");
        Long input = number(usage, "input_tokens");
        Long output = number(usage, "output_tokens");
        if (input != null && usage.has("total_tokens")) {
            prompt = input;
        } else if (input != null) {
            // Anthropic counts what came from a cache apart, and begins a stream with an output of 0.
            Long read = number(usage, "cache_read_input_tokens");
            Long created = number(usage, "cache_creation_input_tokens");
            cached = read;
            prompt = input + (read == null ? 0 : read) + (created == null ? 0 : created);
            output = output != null && output == 0 ? null : output;
        }
        return new EngineFigures(prompt, completion == null ? output : completion, cached, null, null);
    }

    private static EngineFigures timings(@Nullable JsonNode timings) {
        if (timings == null) {
            return EngineFigures.UNKNOWN;
        }
        Long cached = number(timings, "cache_n");
        Long read = number(timings, "prompt_n");
        return new EngineFigures(
                read == null || cached == null ? null : (Long) (read + cached),
                number(timings, "predicted_n"),
                cached,
                millis(timings, "prompt_ms"),
                millis(timings, "predicted_ms"));
    }

    private static @Nullable Long number(JsonNode object, String key) {
        JsonNode value = object.path(key);
        return value.isIntegralNumber() && value.canConvertToLong() && value.asLong() >= 0
                ? (Long) value.asLong()
                : null;
    }

    private static @Nullable Double millis(JsonNode object, String key) {
        JsonNode value = object.path(key);
        return value.isNumber() && value.asDouble() >= 0 ? (Double) value.asDouble() : null;
    }
}
