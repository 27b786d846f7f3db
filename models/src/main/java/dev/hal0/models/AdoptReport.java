package dev.hal0.models;

import java.util.List;

/**
 * @param added in the order of the rows
 * @param skipped rows that were not registered, with the reason
 */
public record AdoptReport(List<RegisteredModel> added, List<SkippedPath> skipped) {
    public AdoptReport {
        added = List.copyOf(added);
        skipped = List.copyOf(skipped);
    }
}
