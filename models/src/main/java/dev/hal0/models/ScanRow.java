package dev.hal0.models;

import dev.hal0.models.CapabilityGuess.Confidence;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A model that a scan found, and what it would be registered as. Texts and numbers of the file are empty and 0 where it
 * does not say.
 *
 * @param path the name it was found by, absolute: what would be registered
 * @param resolvedPath the real file behind it
 * @param sizeBytes of all its parts
 * @param parts number of its files, projector not counted
 * @param suggestedId unused in the registry and in this scan; for a registered file its present id
 * @param suggestedLabels words a slot would find it by; a person may change them before adopting
 * @param capability what it would be served as
 * @param confidence how certain that is, stored with the entry
 * @param reason one clause: what decided the capability
 * @param mmproj the projector that goes with it
 * @param mmprojReason one clause: why this one, or why none although there are some; empty where there are none
 * @param sha256 of the file, where its store names it by that
 * @param rawHints what else its header and place say, plain values by name
 * @param alreadyRegistered the id under which the very file is in the registry
 */
public record ScanRow(
        Path path,
        Path resolvedPath,
        long sizeBytes,
        int parts,
        String suggestedId,
        String suggestedName,
        Set<String> suggestedLabels,
        String architecture,
        String quantization,
        int contextLength,
        ModelCapability capability,
        Confidence confidence,
        String reason,
        ModelSource source,
        Optional<Path> mmproj,
        String mmprojReason,
        Optional<String> sha256,
        Map<String, Object> rawHints,
        Optional<String> alreadyRegistered) {
    public ScanRow {
        suggestedLabels = Collections.unmodifiableSet(new TreeSet<>(suggestedLabels));
        rawHints = Collections.unmodifiableMap(new TreeMap<>(rawHints));
    }
}
