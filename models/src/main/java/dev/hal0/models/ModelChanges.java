package dev.hal0.models;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a person changes of an entry; what is absent stays. What the file says of itself is not theirs to change.
 *
 * @param labels replace the present ones
 * @param mmproj the projector to load beside the model, absolute; an empty path takes it away
 * @param defaults merged into the present ones, key by key
 */
public record ModelChanges(
        Optional<String> name,
        Optional<Set<String>> labels,
        Optional<String> license,
        Optional<Path> mmproj,
        Map<String, Object> defaults) {
    public ModelChanges {
        defaults = Map.copyOf(defaults);
    }
}
