package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.InputStream;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.JsonRecyclerPools;

/**
 * The little of a body that the gateway must know. The rest is the engine's: it gets the original bytes, unknown fields
 * included. The whole body is scanned, so that malformed JSON is refused here, with its position; values that nobody here
 * needs are skipped without being made into objects.
 *
 * @param model as sent, trimmed; empty when absent, null or blank
 * @param usageRequest what would make a streaming engine end with its usage; empty when the body asks for that already, or
 *     cannot be changed
 */
record RequestHead(Optional<String> model, boolean stream, Optional<BodyEdit> usageRequest) {
    private static final String ASKING = "\"include_usage\":true";
    private static final String OPTIONS = "stream_options";

    /** Parsed on few threads, each of which keeps its own buffers: the default pool is a queue that they all share. */
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .recyclerPool(JsonRecyclerPools.threadLocalPool())
            .build();

    RequestHead(Optional<String> model, boolean stream) {
        this(model, stream, Optional.empty());
    }

    /** @throws Hal0Exception {@code request.invalid_json}, {@code request.not_an_object} or {@code request.invalid} */
    static RequestHead parse(byte[] body) {
        return parse(FACTORY.createParser(ObjectReadContext.empty(), body));
    }

    /**
     * Reads to the end and keeps nothing; the stream may block.
     *
     * @throws Hal0Exception as the other
     */
    static RequestHead parse(InputStream body) {
        return parse(FACTORY.createParser(ObjectReadContext.empty(), body));
    }

    private static RequestHead parse(JsonParser unread) {
        Optional<String> model = Optional.empty();
        boolean stream = false;
        BodyEdit usageRequest;
        try (JsonParser parser = unread) {
            JsonToken first = parser.nextToken();
            if (first == null) {
                throw new Hal0Exception(ErrorCode.REQUEST_INVALID_JSON, "The body is empty; send a JSON object.");
            }
            if (first != JsonToken.START_OBJECT) {
                throw new Hal0Exception(ErrorCode.REQUEST_NOT_AN_OBJECT, "The body must be a JSON object.");
            }
            // Bytes that the parser had to decode first have no offsets that could be trusted.
            long begin = parser.currentTokenLocation().getByteOffset();
            usageRequest = new BodyEdit(begin + 1, 0, "\"" + OPTIONS + "\":{" + ASKING + "},");
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = parser.currentName();
                JsonToken value = parser.nextToken();
                // Of a field given twice the last counts, null included, as it does in the engines.
                if ("model".equals(name)) {
                    model = text(parser, value).filter(id -> !id.isBlank());
                } else if ("stream".equals(name)) {
                    stream = flag(value);
                } else if (OPTIONS.equals(name)) {
                    usageRequest = usageRequest(parser, value);
                } else {
                    parser.skipChildren();
                }
            }
            if (begin < 0 || !stream) {
                usageRequest = null;
            }
            if (parser.nextToken() != null) {
                throw new Hal0Exception(
                        ErrorCode.REQUEST_INVALID_JSON, "Something follows the JSON object in the body.");
            }
        } catch (JacksonException malformed) {
            throw invalid(malformed);
        }
        return new RequestHead(model, stream, Optional.ofNullable(usageRequest));
    }

    /** What has to be changed in these options; null for nothing, or where the engine must say what it thinks of them. */
    private static @Nullable BodyEdit usageRequest(JsonParser parser, JsonToken value) {
        long at = parser.currentTokenLocation().getByteOffset();
        if (value == JsonToken.VALUE_NULL) {
            return new BodyEdit(at, "null".length(), "{" + ASKING + "}");
        }
        if (value != JsonToken.START_OBJECT) {
            parser.skipChildren();
            return null;
        }
        BodyEdit edit = null;
        boolean empty = true;
        boolean mentioned = false;
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            empty = false;
            boolean asked = "include_usage".equals(parser.currentName());
            JsonToken option = parser.nextToken();
            if (asked) {
                mentioned = true;
                long optionAt = parser.currentTokenLocation().getByteOffset();
                edit = switch (option) {
                    case VALUE_FALSE -> new BodyEdit(optionAt, "false".length(), "true");
                    case VALUE_NULL -> new BodyEdit(optionAt, "null".length(), "true");
                    default -> null;
                };
            }
            parser.skipChildren();
        }
        return mentioned ? edit : new BodyEdit(at + 1, 0, ASKING + (empty ? "" : ","));
    }

    private static Hal0Exception invalid(JacksonException malformed) {
        if (malformed instanceof StreamConstraintsException) {
            return new Hal0Exception(
                    ErrorCode.REQUEST_INVALID,
                    "The body is not a document that hal0 reads: " + malformed.getOriginalMessage());
        }
        TokenStreamLocation at = malformed.getLocation();
        if (at == null) {
            return new Hal0Exception(
                    ErrorCode.REQUEST_INVALID_JSON, "The body is not JSON: " + malformed.getOriginalMessage());
        }
        return new Hal0Exception(
                        ErrorCode.REQUEST_INVALID_JSON,
                        "The body is not JSON at line " + at.getLineNr() + ", column " + at.getColumnNr() + ": "
                                + malformed.getOriginalMessage())
                .withDetail("line", at.getLineNr())
                .withDetail("column", at.getColumnNr());
    }

    private static Optional<String> text(JsonParser parser, JsonToken value) {
        if (value == JsonToken.VALUE_NULL) {
            return Optional.empty();
        }
        if (value != JsonToken.VALUE_STRING) {
            throw new Hal0Exception(ErrorCode.REQUEST_INVALID, "`model` must be a string.").withParam("model");
        }
        return Optional.of(parser.getString().strip());
    }

    private static boolean flag(JsonToken value) {
        return switch (value) {
            case VALUE_TRUE -> true;
            case VALUE_FALSE, VALUE_NULL -> false;
            default ->
                throw new Hal0Exception(ErrorCode.REQUEST_INVALID, "`stream` must be true or false.")
                        .withParam("stream");
        };
    }
}
