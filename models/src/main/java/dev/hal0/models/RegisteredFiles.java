package dev.hal0.models;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The files of a registry by what they really are, so that a second name of one is known as such. */
final class RegisteredFiles {
    private final Map<Object, String> idsByKey = new HashMap<>();
    private final List<String> ids;

    /** An entry whose file cannot be looked at stands for no file. */
    RegisteredFiles(Collection<RegisteredModel> models, Disk disk) {
        ids = models.stream().map(RegisteredModel::id).toList();
        for (RegisteredModel model : models) {
            model.path().flatMap(path -> key(path, disk)).ifPresent(key -> idsByKey.putIfAbsent(key, model.id()));
        }
    }

    /** The same for two names of one file, hard links included; empty when it cannot be looked at. */
    static Optional<Object> key(Path path, Disk disk) {
        try {
            return Optional.of(ScanWalk.key(disk.attributes(path), disk.real(path)));
        } catch (IOException gone) {
            return Optional.empty();
        }
    }

    Map<Object, String> idsByKey() {
        return idsByKey;
    }

    List<String> ids() {
        return ids;
    }
}
