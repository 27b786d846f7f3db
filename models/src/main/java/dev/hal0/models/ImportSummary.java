package dev.hal0.models;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an import did; every entry of the archive is in one of the lists or in {@code faults}.
 *
 * @param member what the registry is called in the archive
 * @param destination the registry that was written
 * @param backup the registry that was there before; empty when there was none
 * @param present ids whose file is there
 * @param missing ids whose file is not there, marked so
 * @param unavailable ids of which nobody can tell now, for example because a volume is not mounted
 * @param changed ids whose file is there with another size
 * @param faults entries that are in the file and cannot be used, by id, and elements of an older list that had no id and are
 *     left out, by their place
 * @param notes what was changed in the entries, one clause each
 */
public record ImportSummary(
        String member,
        Path destination,
        Optional<Path> backup,
        List<String> present,
        List<String> missing,
        List<String> unavailable,
        List<String> changed,
        Map<String, String> faults,
        List<String> notes) {
    /** What to do next, for people. */
    public static final String NEXT_STEP =
            "Next: pick a bundle, or create slots with `hal0 slot create NAME --model ID`.";

    public ImportSummary {
        present = List.copyOf(present);
        missing = List.copyOf(missing);
        unavailable = List.copyOf(unavailable);
        changed = List.copyOf(changed);
        faults = Map.copyOf(faults);
        notes = List.copyOf(notes);
    }
}
