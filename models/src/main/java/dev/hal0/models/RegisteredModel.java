package dev.hal0.models;

import java.nio.file.Path;
import java.time.Instant;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * One entry of the registry: what a slot can be bound to.
 *
 * @param id unique; what a person types and what {@code /v1/models} lists
 * @param name display name
 * @param path the model file, absolute; empty for a model that its engine carries itself
 * @param sizeBytes of the file, or of all files of a model in parts; 0 where there is none
 * @param architecture as the file states it ({@code llama}, {@code bert}); empty when unknown
 * @param quantization such as {@code Q4_K_M}; empty when unknown
 * @param contextLength the native window in tokens; 0 when unknown
 * @param chatTemplate whether the file carries one
 * @param capabilities what it can be asked for; never empty
 * @param engines families that can run it, in order of preference, such as {@code llama.cpp} or {@code starter}
 * @param addedAt when it was registered; the epoch when unknown
 * @param readOnly true for entries that are part of hal0 and are in no file
 * @param labels words that a model is found by, such as {@code embed} or {@code tool-calling}
 * @param sha256 of the file, in lower-case hexadecimal, where it is known
 * @param volume the mount point of the separate volume that the file lies on; empty on the system's own
 * @param details where it came from and what else belongs to it
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
        boolean readOnly,
        Set<String> labels,
        Optional<String> sha256,
        Optional<Path> volume,
        ModelDetails details) {

    public RegisteredModel {
        if (capabilities.isEmpty()) {
            throw new IllegalArgumentException("model " + id + " has no capability");
        }
        // Sorted, so that replies and files do not change from run to run.
        capabilities = Collections.unmodifiableSet(EnumSet.copyOf(capabilities));
        labels = Collections.unmodifiableSet(new TreeSet<>(labels));
        engines = List.copyOf(engines);
    }

    /** Without details. */
    public RegisteredModel(
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
            boolean readOnly,
            Set<String> labels,
            Optional<String> sha256,
            Optional<Path> volume) {
        this(
                id,
                name,
                path,
                sizeBytes,
                architecture,
                quantization,
                contextLength,
                chatTemplate,
                capabilities,
                engines,
                addedAt,
                readOnly,
                labels,
                sha256,
                volume,
                ModelDetails.NONE);
    }

    /** Without what only the registry knows: labels are those of the capabilities. */
    public RegisteredModel(
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
        this(
                id,
                name,
                path,
                sizeBytes,
                architecture,
                quantization,
                contextLength,
                chatTemplate,
                capabilities,
                engines,
                addedAt,
                readOnly,
                labelsOf(capabilities),
                Optional.empty(),
                Optional.empty());
    }

    public boolean can(ModelCapability capability) {
        return capabilities.contains(capability);
    }

    static Set<String> labelsOf(Set<ModelCapability> capabilities) {
        var labels = new TreeSet<String>();
        capabilities.forEach(capability -> labels.add(capability.label()));
        return labels;
    }
}
