package dev.hal0.gateway;

import dev.hal0.slots.SlotType;
import java.util.List;

/**
 * An inference route, as data: what is mounted, what is described and what a model must be able to do.
 *
 * @param type the kind of slot that serves it
 */
public record GatewayRoute(String path, SlotType type, String summary) {
    public static final List<GatewayRoute> ALL = List.of(
            new GatewayRoute("/v1/chat/completions", SlotType.LLM, "Chat; streamed with `stream: true`."),
            new GatewayRoute("/v1/completions", SlotType.LLM, "Plain completion; streamed with `stream: true`."),
            new GatewayRoute("/v1/embeddings", SlotType.EMBEDDING, "Embedding vectors."));
}
