package dev.hal0.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** The messages so far, and how the next answer is had. An answer that was stopped or failed leaves no trace in them. */
final class Conversation {
    /** Figures are the engine's own; absent ones are negative. */
    record Answer(String text, long promptTokens, long answerTokens, double tokensPerSecond) {
        /** Empty where the engine says nothing. */
        String summary() {
            var parts = new ArrayList<String>();
            if (promptTokens >= 0 && answerTokens >= 0) {
                parts.add(promptTokens + " + " + answerTokens + " tokens");
            }
            if (tokensPerSecond >= 0) {
                parts.add(Console.oneDecimal(tokensPerSecond) + " tok/s");
            }
            return String.join(", ", parts);
        }
    }

    /** Of an answer that comes in one piece: loading the model and every word of it, as long as the gateway allows. */
    private static final Duration WHOLE_ANSWER = Duration.ofSeconds(3900);

    private final Api api;
    private final String model;
    private final Optional<String> system;
    private final Optional<Integer> maxTokens;
    private final List<Map<String, Object>> messages = new ArrayList<>();
    private volatile Api.@Nullable EventStream running;

    Conversation(Api api, String model, Optional<String> system, Optional<Integer> maxTokens) {
        this.api = api;
        this.model = model;
        this.system = system;
        this.maxTokens = maxTokens;
        forget();
    }

    void forget() {
        messages.clear();
        system.ifPresent(text -> messages.add(message("system", text)));
    }

    /** The answer as one document, for programs. */
    JsonNode whole(String text) {
        messages.add(message("user", text));
        return api.post("/v1/chat/completions", body(false), WHOLE_ANSWER);
    }

    /**
     * Streams an answer.
     *
     * @param words gets the answer's text as it comes
     * @param thoughts gets what a reasoning model thinks aloud
     */
    Answer say(String text, Consumer<String> words, Consumer<String> thoughts) {
        messages.add(message("user", text));
        var collected = new Collected();
        boolean whole = false;
        try (Api.EventStream stream = api.stream("POST", "/v1/chat/completions", body(true))) {
            running = stream;
            stream.forEach(event -> collected.take(event, words, thoughts));
            if (stream.isStopped()) {
                throw stopped();
            }
            if (!collected.done) {
                throw new CliFailure(
                        ExitCode.FAILED, "cli.stream_broken", "The answer ended before it was complete.", "Try again.");
            }
            whole = true;
        } finally {
            running = null;
            if (!whole) {
                messages.removeLast();
            }
        }
        messages.add(message("assistant", collected.text.toString()));
        return new Answer(collected.text.toString(), collected.prompt, collected.answer, collected.speed);
    }

    static CliFailure stopped() {
        return new CliFailure(ExitCode.FAILED, "cli.stopped", "Stopped before the answer was complete.", "");
    }

    /** Stops the running answer by closing its connection, which is what stops the engine. From any thread. */
    void stop() {
        Api.EventStream stream = running;
        if (stream != null) {
            stream.close();
        }
        api.abort();
    }

    private static final class Collected {
        private final StringBuilder text = new StringBuilder();
        private boolean done;
        private long prompt = -1;
        private long answer = -1;
        private double speed = -1;

        void take(Api.StreamEvent event, Consumer<String> words, Consumer<String> thoughts) {
            if (event.data().equals("[DONE]")) {
                done = true;
                return;
            }
            JsonNode chunk = event.json();
            if (chunk.path("error").isObject()) {
                throw Api.failureOf(chunk.path("error"));
            }
            JsonNode delta = chunk.path("choices").path(0).path("delta");
            String thought = delta.path("reasoning_content").asString("");
            if (!thought.isEmpty()) {
                thoughts.accept(thought);
            }
            String word = delta.path("content").asString("");
            if (!word.isEmpty()) {
                text.append(word);
                words.accept(word);
            }
            JsonNode usage = chunk.path("usage");
            if (usage.isObject()) {
                prompt = usage.path("prompt_tokens").asLong(-1);
                answer = usage.path("completion_tokens").asLong(-1);
            }
            speed = chunk.path("timings").path("predicted_per_second").asDouble(speed);
        }
    }

    private Map<String, Object> body(boolean stream) {
        var body = new LinkedHashMap<String, Object>();
        body.put("model", model);
        body.put("messages", messages);
        body.put("stream", stream);
        if (stream) {
            body.put("stream_options", Map.of("include_usage", true));
        }
        maxTokens.ifPresent(tokens -> body.put("max_tokens", tokens));
        return body;
    }

    private static Map<String, Object> message(String role, String text) {
        return Map.of("role", role, "content", text);
    }
}
