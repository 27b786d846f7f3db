package dev.hal0.models;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A file with a model's ending, before anyone looked into it.
 *
 * @param path the name it was found by
 * @param real the file behind it
 * @param key the same for two names of one file, hard links included
 * @param size in bytes
 * @param fileName what it is called by whoever put it there: a blob's own name says nothing
 * @param projector the one that its store names for it
 */
record Sighting(
        Path path,
        Path real,
        Object key,
        long size,
        String fileName,
        ModelSource source,
        Optional<String> sha256,
        Optional<Sighting> projector) {
    Path folder() {
        Path parent = path.getParent();
        return parent == null ? path : parent;
    }

    boolean isGguf() {
        return ScanNames.hasEnding(fileName, ".gguf");
    }
}
