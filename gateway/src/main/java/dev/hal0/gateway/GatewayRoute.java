package dev.hal0.gateway;

import dev.hal0.slots.SlotType;
import io.vertx.core.http.HttpMethod;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One inference route, as data: what is mounted, what the OpenAPI description and docs/routes.md say, which methods a 405 names.
 *
 * @param path with parameters in braces; {@code {id}} may contain slashes. What an engine is asked for by
 *     {@link dev.hal0.slots.Engine#path}
 * @param aliases other spellings that clients use
 * @param serves the types of slot that answer it, the one for requests without a {@code model} first; empty for a route that
 *     hal0 answers itself
 * @param streams whether {@code "stream": true} turns the answer into server-sent events
 */
public record GatewayRoute(
        HttpMethod method,
        String path,
        List<String> aliases,
        List<SlotType> serves,
        boolean streams,
        Dialect dialect,
        String summary) {

    static final GatewayRoute MODELS = own("/v1/models", "Slots and models, as OpenAI lists them.");
    static final GatewayRoute MODEL = own("/v1/models/{id}", "One slot or model; the id may contain slashes.");

    private static final List<SlotType> TEXT = List.of(SlotType.LLM, SlotType.EMBEDDING, SlotType.RERANKING);

    public static final List<GatewayRoute> ALL = List.of(
            streamed("/v1/chat/completions", "Chat; streamed with `stream: true`."),
            streamed("/v1/completions", "Plain completion; streamed with `stream: true`."),
            streamed("/v1/responses", "OpenAI's responses, without stored state.")
                    .in(Dialect.RESPONSES),
            streamed("/v1/messages", "Anthropic's messages.").in(Dialect.ANTHROPIC),
            plain("/v1/messages/count_tokens", List.of(SlotType.LLM), "How many tokens such a message has.")
                    .in(Dialect.ANTHROPIC),
            plain("/v1/embeddings", List.of(SlotType.EMBEDDING), "Embedding vectors."),
            plain("/v1/rerank", List.of(SlotType.RERANKING), "Documents in the order of their relevance to a query.")
                    .alsoAt("/v1/rerankings", "/v1/reranking", "/v2/rerank", "/rerank", "/reranking"),
            plain("/infill", List.of(SlotType.LLM), "What belongs between a prefix and a suffix of code.")
                    .alsoAt("/v1/infill"),
            plain("/tokenize", TEXT, "The tokens of a text.").alsoAt("/v1/tokenize"),
            plain("/detokenize", TEXT, "The text of tokens.").alsoAt("/v1/detokenize"),
            new GatewayRoute(
                    HttpMethod.GET,
                    "/props",
                    List.of(),
                    TEXT,
                    false,
                    Dialect.OPENAI,
                    "What the engine says of itself; `?model=NAME` says which."),
            plain(
                    "/v1/audio/transcriptions",
                    List.of(SlotType.TRANSCRIPTION),
                    "Speech to text; multipart/form-data with `file` and `model`."),
            plain(
                    "/v1/audio/translations",
                    List.of(SlotType.TRANSCRIPTION),
                    "Speech to English text; multipart/form-data with `file` and `model`."),
            MODELS,
            MODEL);

    public GatewayRoute {
        aliases = List.copyOf(aliases);
        serves = List.copyOf(serves);
    }

    /** Whether hal0 answers it from what it knows. */
    public boolean isOwn() {
        return serves.isEmpty();
    }

    /** Whether its body is a form with a file; otherwise it is JSON. */
    public boolean takesForm() {
        return serves.contains(SlotType.TRANSCRIPTION);
    }

    /** Whether it has a body at all. */
    public boolean takesBody() {
        return method == HttpMethod.POST;
    }

    Stream<String> spellings() {
        return Stream.concat(Stream.of(path), aliases.stream());
    }

    /** The inference route of a path in any spelling. */
    public static Optional<GatewayRoute> find(String path) {
        return ALL.stream()
                .filter(route -> !route.isOwn() && route.spellings().anyMatch(path::equals))
                .findFirst();
    }

    /** For the {@code Allow} header. */
    static String methodsOf(String path) {
        return ALL.stream()
                .filter(route -> route.spellings().anyMatch(path::equals))
                .map(route -> route.method.name())
                .distinct()
                .collect(Collectors.joining(", "));
    }

    private static GatewayRoute streamed(String path, String summary) {
        return new GatewayRoute(HttpMethod.POST, path, List.of(), List.of(SlotType.LLM), true, Dialect.OPENAI, summary);
    }

    private static GatewayRoute plain(String path, List<SlotType> types, String summary) {
        return new GatewayRoute(HttpMethod.POST, path, List.of(), types, false, Dialect.OPENAI, summary);
    }

    private static GatewayRoute own(String path, String summary) {
        return new GatewayRoute(HttpMethod.GET, path, List.of(), List.of(), false, Dialect.OPENAI, summary);
    }

    private GatewayRoute alsoAt(String... others) {
        var all = new ArrayList<>(aliases);
        all.addAll(List.of(others));
        return new GatewayRoute(method, path, all, serves, streams, dialect, summary);
    }

    private GatewayRoute in(Dialect other) {
        return new GatewayRoute(method, path, aliases, serves, streams, other, summary);
    }
}
