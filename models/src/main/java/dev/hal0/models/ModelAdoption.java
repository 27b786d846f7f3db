package dev.hal0.models;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.TomlDocument;
import dev.hal0.models.CapabilityGuess.Confidence;
import dev.hal0.models.FileExaminer.Examined;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Registers files where they are, any number in one write of the registry. A row that cannot be registered is skipped with
 * its reason and does not stop the others. Thread-safe.
 */
public final class ModelAdoption {
    private final ModelRegistry registry;
    private final Disk disk;

    public ModelAdoption(ModelRegistry registry) {
        this.registry = registry;
        this.disk = Disk.SYSTEM;
    }

    /**
     * @throws Hal0Exception {@code model.registry_unavailable} when the registry does not parse: nothing is written then;
     *     {@code system.storage} when it cannot be written
     */
    public AdoptReport adopt(List<AdoptRow> rows) {
        var skipped = new ArrayList<SkippedPath>();
        var ready = new LinkedHashMap<RegisteredModel, Object>();
        // The slow part, before the lock is taken.
        for (AdoptRow row : rows) {
            try {
                RegisteredModel model = examined(row);
                ready.put(model, key(row.path()));
            } catch (Hal0Exception refusal) {
                skipped.add(new SkippedPath(row.path(), refusal.message()));
            } catch (IOException failure) {
                skipped.add(new SkippedPath(row.path(), Disk.described(failure)));
            }
        }
        var added = new ArrayList<RegisteredModel>();
        var late = new ArrayList<SkippedPath>();
        if (!ready.isEmpty()) {
            registry.update(document -> {
                added.clear();
                late.clear();
                return with(document, ready, added, late);
            });
        }
        skipped.addAll(late);
        return new AdoptReport(added, skipped);
    }

    private Object key(Path path) throws IOException {
        return ScanWalk.key(disk.attributes(path), disk.real(path));
    }

    private TomlDocument with(
            TomlDocument document,
            Map<RegisteredModel, Object> ready,
            List<RegisteredModel> added,
            List<SkippedPath> skipped) {
        Map<Object, String> files =
                new HashMap<>(new RegisteredFiles(ModelRegistry.modelsIn(document), disk).idsByKey());
        Set<String> ids = new HashSet<>(document.keys(List.of(RegistryEntries.MODELS)));
        var tables = new LinkedHashMap<String, Object>();
        for (var entry : ready.entrySet()) {
            RegisteredModel model = entry.getKey();
            Path path = model.path().orElseThrow();
            String same = files.get(entry.getValue());
            if (same != null) {
                skipped.add(new SkippedPath(path, "is already registered as '" + same + "'"));
            } else if (!ids.add(model.id())) {
                skipped.add(new SkippedPath(path, "the id '" + model.id() + "' is in use; choose another"));
            } else {
                files.put(entry.getValue(), model.id());
                added.add(model);
                tables.put(model.id(), RegistryEntries.stored(model));
            }
        }
        return tables.isEmpty() ? document : withTables(ModelRegistry.withSchema(document), tables);
    }

    /**
     * Each edit of a document parses all of it, and others wait for the lock meanwhile: so the tables are made apart and put
     * at the end. Where that does not mean the same, as after {@code models = {…}}, they are set one by one.
     */
    private static TomlDocument withTables(TomlDocument document, Map<String, Object> tables) {
        var end = TomlDocument.empty(document.source()).with(List.of(RegistryEntries.MODELS), tables);
        try {
            String gap = document.text().isEmpty() || document.text().endsWith("\n") ? "\n" : "\n\n";
            var joined = TomlDocument.parse(document.source(), document.text() + gap + end.text());
            var keys = new HashSet<>(document.keys(List.of(RegistryEntries.MODELS)));
            keys.addAll(tables.keySet());
            if (keys.equals(joined.keys(List.of(RegistryEntries.MODELS)))) {
                return joined;
            }
        } catch (Hal0Exception notAtTheEnd) {
            // Said above.
        }
        TomlDocument changed = document;
        for (var table : tables.entrySet()) {
            changed = changed.with(List.of(RegistryEntries.MODELS, table.getKey()), table.getValue());
        }
        return changed;
    }

    private RegisteredModel examined(AdoptRow row) throws IOException {
        Path path = row.path().toAbsolutePath().normalize();
        String id = row.id().map(ModelId::require).orElseGet(() -> SuggestedIds.plain(ScanNames.of(path)));
        ModelRegistry.requireWritable(id);
        Examined found = examined(path);
        ModelCapability capability = row.capability().orElse(found.capability());
        var labels = new TreeSet<>(row.labels()
                .orElseGet(() -> found.labels(capability, row.mmproj().isPresent())));
        labels.add(capability.label());
        // A person who says what it is for knows better than its name.
        Confidence confidence = capability == found.capability() ? found.confidence() : Confidence.HIGH;
        Optional<Path> projector =
                row.mmproj().map(file -> file.toAbsolutePath().normalize());
        if (projector.isPresent()) {
            requireProjector(projector.get());
        }
        return new RegisteredModel(
                id,
                row.name()
                        .filter(name -> !name.isBlank())
                        .orElse(found.name().isEmpty() ? ModelId.stem(path) : found.name()),
                Optional.of(path),
                found.sizeBytes(),
                found.architecture(),
                found.quantization(),
                found.contextLength(),
                found.chatTemplate(),
                Set.of(capability),
                found.engines(),
                registry.now(),
                false,
                labels,
                row.sha256(),
                ModelFiles.volume(path),
                new ModelDetails(
                        ModelDetails.NO_LICENSE,
                        row.source().hfRepo(),
                        row.source().hfFilename(),
                        row.source().revision(),
                        files(path, projector),
                        Optional.of(ModelState.READY),
                        projector,
                        Map.of(),
                        "scan",
                        Optional.of(confidence)));
    }

    private Examined examined(Path path) throws IOException {
        var attributes = disk.attributes(path);
        // Asked before it is opened: opening a pipe would wait for its writer.
        if (!attributes.isRegularFile()) {
            throw GgufReader.refuse(path.toString(), "unreadable", "is not a regular file");
        }
        String name = ScanNames.of(path);
        if (ScanNames.isModelName(name, ScanNames.ENDINGS) && !ScanNames.hasEnding(name, ".gguf")) {
            return registry.examiner()
                    .byName(path, name, attributes.size())
                    .orElseThrow(() -> GgufReader.refuse(
                            path.toString(), "not_gguf", "is no GGUF file, and its name does not say what it is for"));
        }
        FileExaminer examiner = registry.examiner();
        return examiner.examine(path, examiner.header(path, name));
    }

    private void requireProjector(Path file) throws IOException {
        FileExaminer examiner = registry.examiner();
        if (!disk.attributes(file).isRegularFile()
                || examiner.projector(examiner.header(file, ScanNames.of(file))).isEmpty()) {
            throw GgufReader.refuse(file.toString(), "not_a_model", "is not a projector (mmproj)");
        }
    }

    /** Of a model in one file, its path says it all. */
    private List<ModelPart> files(Path path, Optional<Path> projector) throws IOException {
        List<Path> parts = ModelFiles.parts(path);
        var files = new ArrayList<ModelPart>();
        if (parts.size() == 1 && projector.isEmpty()) {
            return files;
        }
        for (Path part : parts) {
            files.add(part(path, part, parts.size() > 1 ? "shard" : "model"));
        }
        if (projector.isPresent()) {
            files.add(part(path, projector.get(), "mmproj"));
        }
        return files;
    }

    private ModelPart part(Path first, Path file, String role) throws IOException {
        Path folder = first.getParent();
        String rel = folder == null ? file.toString() : folder.relativize(file).toString();
        return new ModelPart(rel, disk.attributes(file).size(), PlaceRules.digestOf(file, disk.real(file)), role);
    }
}
