package dev.hal0.server;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import dev.hal0.kernel.SlotName;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.exc.UnrecognizedPropertyException;

/**
 * A request as handlers see it; immutable.
 *
 * @param headers by lower-case name
 */
record ApiRequest(
        Map<String, String> path,
        Map<String, String> query,
        Map<String, String> headers,
        byte[] body,
        String requestId) {

    SlotName slot() {
        return new SlotName(parameter("name"));
    }

    String parameter(String name) {
        String value = path.get(name);
        if (value == null) {
            throw new IllegalStateException("the route has no parameter " + name);
        }
        return value;
    }

    boolean flag(String name) {
        String value = query.getOrDefault(name, "false");
        return switch (value) {
            case "true", "1", "" -> true;
            case "false", "0" -> false;
            default -> throw invalid("query." + name, "is '" + value + "'; it can be true or false");
        };
    }

    int number(String name, int otherwise, int least, int most) {
        String value = query.get(name);
        if (value == null) {
            return otherwise;
        }
        try {
            int number = Integer.parseInt(value);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException notANumber) {
            // told below, with the range
        }
        throw invalid("query." + name, "is '" + value + "'; it can be " + least + " to " + most);
    }

    Optional<String> header(String name) {
        return Optional.ofNullable(headers.get(name));
    }

    /** Binds the body; an empty one is an empty object. Unknown keys are refused with their path. */
    <T> T body(Class<T> type) {
        try {
            return Json.STRICT.readValue(
                    body.length == 0 ? "{}".getBytes(java.nio.charset.StandardCharsets.UTF_8) : body, type);
        } catch (JacksonException failure) {
            throw translate(failure);
        }
    }

    /** The body as a tree that must be an object. */
    JsonNode object() {
        JsonNode node = body(JsonNode.class);
        if (!node.isObject()) {
            throw new Hal0Exception(ErrorCode.REQUEST_NOT_AN_OBJECT, "The body must be a JSON object.");
        }
        return node;
    }

    private static Hal0Exception translate(JacksonException failure) {
        return switch (failure) {
            case UnrecognizedPropertyException unknown -> {
                Collection<Object> known = unknown.getKnownPropertyIds();
                yield new Hal0Exception(
                                ErrorCode.REQUEST_UNKNOWN_FIELDS,
                                "Unknown key `" + pathOf(unknown) + "`; there are " + known + ".")
                        .withParam(pathOf(unknown))
                        .withDetail("known_keys", java.util.List.copyOf(known));
            }
            case StreamReadException malformed -> {
                var at = malformed.getLocation();
                yield new Hal0Exception(
                        ErrorCode.REQUEST_INVALID_JSON,
                        "The body is not JSON"
                                + (at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr())
                                + ": " + malformed.getOriginalMessage());
            }
            case DatabindException mismatch -> {
                Throwable cause = mismatch.getCause();
                if (cause instanceof Hal0Exception known) {
                    yield known;
                }
                yield invalid(pathOf(mismatch), mismatch.getOriginalMessage());
            }
            default ->
                new Hal0Exception(
                        ErrorCode.REQUEST_INVALID_JSON, "The body is not JSON: " + failure.getOriginalMessage());
        };
    }

    private static String pathOf(DatabindException failure) {
        var path = new StringBuilder();
        failure.getPath().forEach(step -> {
            String name = step.getPropertyName();
            if (name == null) {
                path.append('[').append(step.getIndex()).append(']');
            } else {
                path.append(path.isEmpty() ? "" : ".").append(name);
            }
        });
        return path.isEmpty() ? "body" : path.toString();
    }

    static Hal0Exception invalid(String path, @Nullable String problem) {
        return new Hal0Exception(ErrorCode.REQUEST_INVALID, "`" + path + "`: " + problem + ".").withParam(path);
    }
}
