package dev.hal0.models;

import java.util.Map;

/**
 * An entry that was taken out of the registry, for {@link ModelRegistry#restore}.
 *
 * @param stored everything its table held, also keys this version does not know; comments are not kept
 */
public record RemovedModel(RegisteredModel model, Map<String, Object> stored) {
    public RemovedModel {
        stored = Map.copyOf(stored);
    }
}
