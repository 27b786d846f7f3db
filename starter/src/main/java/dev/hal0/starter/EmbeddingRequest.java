package dev.hal0.starter;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * A body of {@code POST /v1/embeddings}.
 *
 * @param base64 whether vectors are wanted as little-endian floats in base64, which is what the OpenAI SDKs ask for
 */
record EmbeddingRequest(String model, List<String> inputs, boolean base64) {
    static final int MOST_INPUTS = 2048;

    /** @throws Hal0Exception with the path of the field at fault */
    static EmbeddingRequest parse(byte[] body, String alias, int dimensions) {
        JsonNode node;
        try {
            node = Json.LENIENT.readTree(body);
        } catch (JacksonException malformed) {
            throw new Hal0Exception(
                    ErrorCode.REQUEST_INVALID_JSON, "The body is not JSON: " + malformed.getOriginalMessage());
        }
        if (!node.isObject()) {
            throw new Hal0Exception(ErrorCode.REQUEST_NOT_AN_OBJECT, "The body must be a JSON object.");
        }
        JsonNode wanted = node.path("dimensions");
        if (!wanted.isMissingNode() && !wanted.isNull() && wanted.asInt(0) != dimensions) {
            throw invalid("dimensions", "can only be " + dimensions + " with this model");
        }
        return new EmbeddingRequest(
                model(node.path("model"), alias), inputs(node.path("input")), base64(node.path("encoding_format")));
    }

    private static String model(JsonNode model, String alias) {
        if (model.isContainer()) {
            throw invalid("model", "must be a string");
        }
        return model.asString(alias);
    }

    private static boolean base64(JsonNode format) {
        return switch (format.isContainer() ? "" : format.asString("float")) {
            case "float" -> false;
            case "base64" -> true;
            default -> throw invalid("encoding_format", "can be float or base64");
        };
    }

    private static List<String> inputs(JsonNode input) {
        if (input.isString()) {
            return List.of(text(input, "input"));
        }
        if (!input.isArray() || input.isEmpty()) {
            throw invalid("input", "must be a string or a non-empty array of strings");
        }
        if (input.size() > MOST_INPUTS) {
            throw invalid("input", "has " + input.size() + " entries; at most " + MOST_INPUTS + " are taken at once");
        }
        var inputs = new ArrayList<String>();
        for (int i = 0; i < input.size(); i++) {
            inputs.add(text(input.get(i), "input[" + i + "]"));
        }
        return inputs;
    }

    private static String text(JsonNode value, String path) {
        if (!value.isString()) {
            throw invalid(path, "must be a string; token ids are not taken, because they belong to another tokenizer");
        }
        // The tokenizer's library refuses what has no visible character.
        if (value.stringValue().trim().isEmpty()) {
            throw invalid(path, "must not be blank");
        }
        return value.stringValue();
    }

    private static Hal0Exception invalid(String path, String problem) {
        return new Hal0Exception(ErrorCode.REQUEST_INVALID, "`" + path + "` " + problem + ".").withParam(path);
    }
}
