package dev.hal0.gateway;

import dev.hal0.kernel.Json;
import io.vertx.core.buffer.Buffer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * Reads a stream of server-sent events for what it says about the engine's work. It is given whole events and gives them back
 * as they are, but for the one usage event that only hal0 asked for.
 *
 * <p>Until the first content is there, events are parsed, which are few; from then on their bytes are only searched, and only
 * an event with figures is looked at closely.
 *
 * <p>Confined to the request's event loop, but for {@link #pieces}.
 */
final class StreamMeter {
    /** An event that is larger than this before any content is not worth parsing on an event loop. */
    private static final int MOST_PARSED_BYTES = 64 << 10;

    private static final Needle NO_CHOICES = new Needle("\"choices\":[]");

    private final Runnable firstContent;
    private boolean hidesUsage;
    private boolean contentSeen;
    private volatile int pieces;
    private EngineFigures figures = EngineFigures.UNKNOWN;

    /** @param firstContent called once, when the first text, thought or tool call has come */
    StreamMeter(Runnable firstContent) {
        this.firstContent = firstContent;
    }

    /** The client did not ask for the usage event that will come. */
    void hideUsage() {
        hidesUsage = true;
    }

    /** Events with content so far, usually a token each; may be read from any thread. */
    int pieces() {
        return pieces;
    }

    EngineFigures figures() {
        return figures;
    }

    /** @return the same buffer, or a copy without the hidden event; null when nothing is left */
    @Nullable
    Buffer accept(Buffer events) {
        Buffer kept = null;
        int copied = 0;
        int counted = 0;
        int end;
        for (int begin = 0; begin < events.length(); begin = end) {
            end = endOfEvent(events, begin);
            if (FigureReader.speaksOfFigures(events, begin, end)) {
                figures = figures.then(FigureReader.read(events, begin, end));
                if (hidesUsage && isUsageOnly(events, begin, end)) {
                    kept = kept == null ? Buffer.buffer() : kept;
                    kept.appendBuffer(events, copied, begin - copied);
                    copied = end;
                }
                continue;
            }
            if (!contentSeen && hasContent(events, begin, end)) {
                contentSeen = true;
                firstContent.run();
            }
            counted += contentSeen ? 1 : 0;
        }
        if (counted > 0) {
            // One writer: the event loop.
            pieces = pieces + counted;
        }
        if (kept == null) {
            return events;
        }
        kept.appendBuffer(events, copied, events.length() - copied);
        return kept.length() == 0 ? null : kept;
    }

    private static boolean isUsageOnly(Buffer events, int begin, int end) {
        return NO_CHOICES.find(events, begin, end) >= 0 && FigureReader.USAGE.find(events, begin, end) >= 0;
    }

    /** Behind the empty line. */
    private static int endOfEvent(Buffer events, int begin) {
        boolean emptySoFar = true;
        for (int i = begin; i < events.length(); i++) {
            byte next = events.getByte(i);
            if (next == '\n') {
                if (emptySoFar && i > begin) {
                    return i + 1;
                }
                emptySoFar = true;
            } else if (next != '\r') {
                emptySoFar = false;
            }
        }
        return events.length();
    }

    private static boolean hasContent(Buffer events, int begin, int end) {
        if (end - begin > MOST_PARSED_BYTES) {
            return false;
        }
        String text = events.getString(begin, end);
        for (String line : text.split("\r?\n")) {
            if (line.startsWith("data:") && isContent(line.substring(5))) {
                return true;
            }
        }
        return false;
    }

    private static boolean isContent(String data) {
        if (!data.stripLeading().startsWith("{")) {
            return false;
        }
        try {
            return isContent(Json.LENIENT.readTree(data));
        } catch (JacksonException notJson) {
            return false;
        }
    }

    private static boolean isContent(JsonNode event) {
        for (JsonNode choice : event.path("choices")) {
            JsonNode delta = choice.path("delta");
            if (hasText(choice, "text")
                    || hasText(delta, "content")
                    || hasText(delta, "reasoning_content")
                    || hasText(delta, "reasoning")
                    || hasText(delta, "refusal")
                    || !delta.path("tool_calls").isEmpty()
                    || !delta.path("function_call").isEmpty()) {
                return true;
            }
        }
        String type = event.path("type").asString("");
        if (type.equals("content_block_delta")) {
            JsonNode delta = event.path("delta");
            return hasText(delta, "text") || hasText(delta, "thinking") || hasText(delta, "partial_json");
        }
        return (type.endsWith(".delta") && hasText(event, "delta")) || hasText(event, "content");
    }

    private static boolean hasText(JsonNode object, String key) {
        JsonNode value = object.path(key);
        return value.isString() && !value.asString().isEmpty();
    }
}
