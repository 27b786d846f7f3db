package dev.hal0.models;

import java.nio.file.Path;
import java.util.List;

/**
 * What a scan saw; nothing was changed.
 *
 * @param rows by path
 * @param skipped every file with a model's ending, and every folder, that is in no row, with the reason; by path
 * @param roots what was seen of each root: one that is not ok was not walked
 * @param complete false when the time was up before everything was seen
 * @param warnings for people; empty when complete
 */
public record ScanReport(
        List<ScanRow> rows, List<SkippedPath> skipped, List<Root> roots, boolean complete, List<String> warnings) {
    /** A folder that was asked for, and what was seen of it. */
    public record Root(Path path, StoreState state) {}

    public ScanReport {
        roots = List.copyOf(roots);
        rows = List.copyOf(rows);
        skipped = List.copyOf(skipped);
        warnings = List.copyOf(warnings);
    }
}
