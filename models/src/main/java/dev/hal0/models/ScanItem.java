package dev.hal0.models;

import dev.hal0.models.FileExaminer.Examined;

/** A model of a scan, with what its file says. */
record ScanItem(ShardSets.Whole whole, Examined examined) {
    Sighting first() {
        return whole.first();
    }

    ScanItem with(Examined other) {
        return new ScanItem(whole, other);
    }
}
