package dev.hal0.models;

import dev.hal0.models.CapabilityGuess.Confidence;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where a model came from and what else belongs to it.
 *
 * @param license an SPDX id or a short name; {@code unknown} when nobody said
 * @param hfRepo {@code org/name} on the Hugging Face hub
 * @param hfFilename the file's path inside that repository
 * @param revision the commit of that repository
 * @param files all files of a model that has several; empty for a model in one file
 * @param state what was last recorded; empty for entries that never said
 * @param mmproj the vision projector that is loaded beside the model, absolute
 * @param defaults settings a slot starts from, such as {@code context_size}: plain values, unchecked
 * @param source how the entry came to be: {@code scan}, {@code add-from-path}, {@code pull}; empty when unknown
 * @param confidence how certain the capability is; empty for entries that never said
 */
public record ModelDetails(
        String license,
        Optional<String> hfRepo,
        Optional<String> hfFilename,
        Optional<String> revision,
        List<ModelPart> files,
        Optional<ModelState> state,
        Optional<Path> mmproj,
        Map<String, Object> defaults,
        String source,
        Optional<Confidence> confidence) {
    static final String NO_LICENSE = "unknown";

    public static final ModelDetails NONE = new ModelDetails(
            NO_LICENSE,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            List.of(),
            Optional.empty(),
            Optional.empty(),
            Map.of(),
            "",
            Optional.empty());

    public ModelDetails {
        files = List.copyOf(files);
        defaults = Map.copyOf(defaults);
    }
}
