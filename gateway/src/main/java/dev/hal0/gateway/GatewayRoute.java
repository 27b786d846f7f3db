package dev.hal0.gateway;

import dev.hal0.models.ModelCapability;
import dev.hal0.slots.SlotType;
import io.vertx.core.http.HttpMethod;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * One route below {@code /v1}, as data: what is mounted, what the OpenAPI description says, which methods a 405 names.
 *
 * @param path with parameters in braces; {@code {id}} may contain slashes
 * @param serves the type of slot that answers it; empty for a route that hal0 answers itself
 * @param streams whether {@code "stream": true} turns the answer into server-sent events
 */
public record GatewayRoute(HttpMethod method, String path, Optional<SlotType> serves, boolean streams, String summary) {
    static final GatewayRoute MODELS = own("/v1/models", "Slots and models, as OpenAI lists them.");
    static final GatewayRoute MODEL = own("/v1/models/{id}", "One slot or model; the id may contain slashes.");

    public static final List<GatewayRoute> ALL = List.of(
            inference("/v1/chat/completions", SlotType.LLM, true, "Chat; streamed with `stream: true`."),
            inference("/v1/completions", SlotType.LLM, true, "Plain completion; streamed with `stream: true`."),
            inference("/v1/embeddings", SlotType.EMBEDDING, false, "Embedding vectors."),
            inference(
                    "/v1/audio/transcriptions",
                    SlotType.TRANSCRIPTION,
                    false,
                    "Speech to text; multipart/form-data with `file` and `model`."),
            inference(
                    "/v1/audio/translations",
                    SlotType.TRANSCRIPTION,
                    false,
                    "Speech to English text; multipart/form-data with `file` and `model`."),
            MODELS,
            MODEL);

    /** Whether its body is a form with a file; otherwise it is JSON. */
    public boolean takesForm() {
        return serves.filter(type -> type == SlotType.TRANSCRIPTION).isPresent();
    }

    /** What a model must be able to do for this route. */
    public Optional<ModelCapability> capability() {
        return serves.map(SlotType::capability);
    }

    /** For the {@code Allow} header. */
    static String methodsOf(String path) {
        return ALL.stream()
                .filter(route -> route.path.equals(path))
                .map(route -> route.method.name())
                .distinct()
                .collect(Collectors.joining(", "));
    }

    private static GatewayRoute inference(String path, SlotType type, boolean streams, String summary) {
        return new GatewayRoute(HttpMethod.POST, path, Optional.of(type), streams, summary);
    }

    private static GatewayRoute own(String path, String summary) {
        return new GatewayRoute(HttpMethod.GET, path, Optional.empty(), false, summary);
    }
}
