package dev.hal0.models;

import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * A file to register, as a scan suggested it or a person changed it. What the file itself says is read again when it is
 * adopted: nothing here is believed about its content.
 *
 * @param path absolute; the first part of a model in parts
 * @param id empty to derive it from the file's name
 * @param name empty to take it from the file's header, else from its name
 * @param labels empty for those of its capability
 * @param capability empty to take what the file looks like
 * @param mmproj the projector to load beside it; must be one
 * @param sha256 of the file, where its store names it by that
 */
public record AdoptRow(
        Path path,
        Optional<String> id,
        Optional<String> name,
        Optional<Set<String>> labels,
        Optional<ModelCapability> capability,
        Optional<Path> mmproj,
        ModelSource source,
        Optional<String> sha256) {

    /** Everything as the file says. */
    public static AdoptRow of(Path path) {
        return new AdoptRow(
                path,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                PlaceRules.of(path),
                Optional.empty());
    }

    /** Everything as a scan suggests. */
    public static AdoptRow of(ScanRow row) {
        return new AdoptRow(
                row.path(),
                Optional.of(row.suggestedId()),
                Optional.of(row.suggestedName()),
                Optional.of(row.suggestedLabels()),
                Optional.of(row.capability()),
                row.mmproj(),
                row.source(),
                row.sha256());
    }

    public AdoptRow withId(String chosen) {
        return new AdoptRow(path, Optional.of(chosen), name, labels, capability, mmproj, source, sha256);
    }

    public AdoptRow withName(String chosen) {
        return new AdoptRow(path, id, Optional.of(chosen), labels, capability, mmproj, source, sha256);
    }

    public AdoptRow withLabels(Set<String> chosen) {
        return new AdoptRow(path, id, name, Optional.of(chosen), capability, mmproj, source, sha256);
    }

    public AdoptRow withCapability(ModelCapability chosen) {
        return new AdoptRow(path, id, name, labels, Optional.of(chosen), mmproj, source, sha256);
    }

    /** @param chosen empty to load none */
    public AdoptRow withMmproj(Optional<Path> chosen) {
        return new AdoptRow(path, id, name, labels, capability, chosen, source, sha256);
    }
}
