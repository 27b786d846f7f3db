package dev.hal0.models;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One entry of the registry: what a slot can be bound to.
 *
 * @param id unique; what a person types and what {@code /v1/models} lists
 * @param name display name
 * @param path the model file, absolute; empty for a model that its engine carries itself
 * @param sizeBytes of the file; 0 where there is none
 * @param architecture as the file states it ({@code llama}, {@code bert}); empty when unknown
 * @param quantization such as {@code Q4_K_M}; empty when unknown
 * @param contextLength the native window in tokens; 0 when unknown
 * @param chatTemplate whether the file carries one
 * @param capabilities what it can be asked for; never empty
 * @param engines families that can run it, in order of preference, such as {@code llama.cpp} or {@code starter}
 * @param readOnly true for entries that are part of hal0 and are in no file
 */
public record RegisteredModel(
        String id,
        String name,
        Optional<Path> path,
        long sizeBytes,
        String architecture,
        String quantization,
        int contextLength,
        boolean chatTemplate,
        Set<ModelCapability> capabilities,
        List<String> engines,
        Instant addedAt,
        boolean readOnly) {

    public boolean can(ModelCapability capability) {
        return capabilities.contains(capability);
    }
}
