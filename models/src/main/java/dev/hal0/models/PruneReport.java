package dev.hal0.models;

import java.nio.file.Path;
import java.util.List;

/**
 * @param gone entries whose file is gone for certain: removed, or in a dry run those that would be
 * @param kept entries whose file was not seen and that stay all the same, with the reason
 * @param applied false in a dry run
 */
public record PruneReport(List<Row> gone, List<Row> kept, boolean applied) {
    /** @param reason one clause for people */
    public record Row(String id, Path path, String reason) {}

    public PruneReport {
        gone = List.copyOf(gone);
        kept = List.copyOf(kept);
    }
}
