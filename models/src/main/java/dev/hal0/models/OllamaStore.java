package dev.hal0.models;

import dev.hal0.kernel.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * A store of Ollama: {@code manifests/HOST/NAMESPACE/NAME/TAG} are JSON files whose layers name the files
 * {@code blobs/sha256-…}. Digests come out of a file, so only hexadecimal ones become a path.
 */
final class OllamaStore {
    private static final int LARGEST_MANIFEST = 1 << 20;
    private static final String MODEL = "application/vnd.ollama.image.model";
    private static final String PROJECTOR = "application/vnd.ollama.image.projector";
    private static final Pattern DIGEST = Pattern.compile("sha256[:-]([0-9a-f]{64})");
    /** The namespace of names without one. */
    private static final String COMMON = "library";

    private final Disk disk;
    private final ScanBudget budget;
    private final Consumer<Sighting> found;
    private final Consumer<SkippedPath> skipped;

    OllamaStore(Disk disk, ScanBudget budget, Consumer<Sighting> found, Consumer<SkippedPath> skipped) {
        this.disk = disk;
        this.budget = budget;
        this.found = found;
        this.skipped = skipped;
    }

    static boolean isOne(List<Path> entries) {
        return entries.stream().anyMatch(entry -> ScanNames.of(entry).equals("manifests"))
                && entries.stream().anyMatch(entry -> ScanNames.of(entry).equals("blobs"));
    }

    /** @return false when the time was up before all manifests were read */
    boolean read(Path store) {
        return read(store, store.resolve("manifests"), 0);
    }

    private boolean read(Path store, Path folder, int depth) {
        try {
            for (Path entry : disk.entries(folder)) {
                if (budget.isSpent()) {
                    return false;
                }
                if (ScanNames.of(entry).startsWith(".")) {
                    continue;
                }
                boolean isFolder = disk.attributes(entry).isDirectory();
                if (isFolder && depth < 3) {
                    if (!read(store, entry, depth + 1)) {
                        return false;
                    }
                } else if (!isFolder && depth == 3) {
                    readManifest(store, entry);
                }
            }
        } catch (IOException failure) {
            skipped.accept(new SkippedPath(folder, Disk.described(failure)));
        }
        return true;
    }

    private void readManifest(Path store, Path manifest) {
        try {
            var attributes = disk.attributes(manifest);
            if (!attributes.isRegularFile() || attributes.size() > LARGEST_MANIFEST) {
                skipped.accept(new SkippedPath(manifest, "is no manifest of Ollama"));
                return;
            }
            JsonNode layers = Json.LENIENT.readTree(Files.readString(manifest)).path("layers");
            Optional<String> model = digest(layers, MODEL);
            if (model.isEmpty()) {
                skipped.accept(new SkippedPath(manifest, "names no model file"));
                return;
            }
            Optional<Sighting> projector = digest(layers, PROJECTOR)
                    .flatMap(digest -> blob(store, digest, manifest, "mmproj-", Optional.empty()));
            blob(store, model.get(), manifest, "", projector).ifPresent(found);
        } catch (IOException failure) {
            skipped.accept(new SkippedPath(manifest, Disk.described(failure)));
        } catch (JacksonException broken) {
            skipped.accept(new SkippedPath(manifest, "is not JSON: " + broken.getOriginalMessage()));
        }
    }

    private Optional<Sighting> blob(
            Path store, String digest, Path manifest, String prefix, Optional<Sighting> projector) {
        Path blob = store.resolve("blobs").resolve("sha256-" + digest);
        try {
            var attributes = disk.attributes(blob);
            if (attributes.isRegularFile()) {
                return Optional.of(new Sighting(
                        blob,
                        disk.real(blob),
                        ScanWalk.key(attributes, blob),
                        attributes.size(),
                        prefix + name(manifest) + ".gguf",
                        ModelSource.of(ModelSource.Kind.OLLAMA),
                        Optional.of(digest),
                        projector));
            }
            skipped.accept(new SkippedPath(manifest, "its blob " + blob + " is not a regular file"));
        } catch (NoSuchFileException absent) {
            skipped.accept(new SkippedPath(manifest, "its blob " + blob + " is not there"));
        } catch (IOException failure) {
            skipped.accept(new SkippedPath(manifest, "its blob " + blob + ": " + Disk.described(failure)));
        }
        return Optional.empty();
    }

    /** {@code name-tag}, with the namespace before it where it is not the common one. */
    private static String name(Path manifest) {
        int count = manifest.getNameCount();
        String namespace = manifest.getName(count - 3).toString();
        return (namespace.equals(COMMON) ? "" : namespace + "-") + manifest.getName(count - 2) + "-"
                + manifest.getName(count - 1);
    }

    private static Optional<String> digest(JsonNode layers, String mediaType) {
        for (JsonNode layer : layers) {
            if (layer.path("mediaType").asString("").equals(mediaType)) {
                var digest = DIGEST.matcher(layer.path("digest").asString(""));
                if (digest.matches()) {
                    return Optional.of(digest.group(1));
                }
            }
        }
        return Optional.empty();
    }
}
