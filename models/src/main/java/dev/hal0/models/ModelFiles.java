package dev.hal0.models;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.models.FileState.Kind;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The files of a model on disk: one, or the parts of a split one. Looks and never writes. */
final class ModelFiles {
    private static final Pattern SHARD =
            Pattern.compile("(.+-)(\\d{5})(-of-)(\\d{5})(\\.gguf)", Pattern.CASE_INSENSITIVE);

    private ModelFiles() {}

    /**
     * All parts, the given one first; just the given one where its name has no number.
     *
     * @param file any file of a model, whether it exists or not
     */
    static List<Path> parts(Path file) {
        Matcher name = SHARD.matcher(String.valueOf(file.getFileName()));
        if (!name.matches() || Integer.parseInt(name.group(2)) != 1) {
            return List.of(file);
        }
        int count = Integer.parseInt(name.group(4));
        var parts = new ArrayList<Path>();
        for (int part = 1; part <= count; part++) {
            parts.add(file.resolveSibling(name.group(1)
                    + String.format(Locale.ROOT, "%05d", part)
                    + name.group(3)
                    + name.group(4)
                    + name.group(5)));
        }
        return parts;
    }

    /**
     * The total size of a model whose first file has this header.
     *
     * @throws Hal0Exception {@code model.file_invalid} when this is not the first part, or another one is missing or broken
     */
    static long completeSize(Path file, GgufHeader header, GgufReader reader) {
        if (header.shardCount() == 1) {
            return header.fileSize();
        }
        if (header.shard() != 0) {
            throw GgufReader.refuse(
                    file.toString(),
                    "not_a_model",
                    "is part " + (header.shard() + 1) + " of " + header.shardCount() + "; name the first part");
        }
        List<Path> parts = parts(file);
        if (parts.size() != header.shardCount()) {
            throw GgufReader.refuse(
                    file.toString(),
                    "not_a_model",
                    "is the first of " + header.shardCount()
                            + " parts, and the engine finds the others only by names that end in -00001-of-"
                            + String.format(Locale.ROOT, "%05d", header.shardCount()) + ".gguf");
        }
        long total = header.fileSize();
        for (Path part : parts.subList(1, parts.size())) {
            total += reader.read(part).fileSize();
        }
        return total;
    }

    static FileState state(RegisteredModel model) {
        if (model.path().isEmpty()) {
            return FileState.PRESENT;
        }
        Path file = model.path().get();
        long size = 0;
        for (Path part : parts(file)) {
            try {
                var attributes = Files.readAttributes(part, BasicFileAttributes.class);
                if (!attributes.isRegularFile()) {
                    return new FileState(Kind.CHANGED, part + " is not a file any more");
                }
                if (!Files.isReadable(part)) {
                    return new FileState(Kind.UNAVAILABLE, "hal0 may not read " + part);
                }
                size += attributes.size();
                if (size == model.sizeBytes()) {
                    // Also a model in one file whose name looks like a part's.
                    return FileState.PRESENT;
                }
            } catch (NoSuchFileException absent) {
                return absent(part, model.volume());
            } catch (AccessDeniedException denied) {
                return new FileState(Kind.UNAVAILABLE, "hal0 may not look at " + part);
            } catch (IOException failure) {
                // A stale network mount answers with an error, not with "absent".
                return new FileState(
                        Kind.UNAVAILABLE,
                        part + ": " + failure.getClass().getSimpleName() + ": " + failure.getMessage());
            }
        }
        return model.sizeBytes() == 0
                ? FileState.PRESENT
                : new FileState(
                        Kind.CHANGED, file + " has " + size + " bytes; " + model.sizeBytes() + " were registered");
    }

    private static FileState absent(Path part, Optional<Path> volume) {
        if (volume.isPresent() && !isMountPoint(volume.get())) {
            return new FileState(
                    Kind.UNAVAILABLE, "nothing is mounted at " + volume.get() + ", where " + part + " lies");
        }
        return new FileState(Kind.MISSING, "there is no file " + part);
    }

    /** The mount point above a file's real place; empty when that is the root, or cannot be told. */
    static Optional<Path> volume(Path file) {
        try {
            Path place = file.toRealPath().getParent();
            while (place != null && !isMountPoint(place)) {
                place = place.getParent();
            }
            return Optional.ofNullable(place).filter(found -> found.getParent() != null);
        } catch (IOException unknown) {
            return Optional.empty();
        }
    }

    static boolean isMountPoint(Path folder) {
        Path parent = folder.getParent();
        try {
            return parent == null || !device(folder).equals(device(parent));
        } catch (IOException | UnsupportedOperationException gone) {
            return false;
        }
    }

    private static Object device(Path folder) throws IOException {
        return Files.getAttribute(folder, "unix:dev");
    }
}
