package dev.hal0.models;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.TomlDocument;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Brings the registry of an older version to today's fields. Keys it does not know stay as they are. */
final class RegistryMigration {
    /** Old name, inside {@code metadata} where it says so, and new name of a value that only moves. */
    private static final Map<List<String>, String> MOVES = moves();

    private static Map<List<String>, String> moves() {
        var moves = new LinkedHashMap<List<String>, String>();
        moves.put(List.of("quant"), "quantization");
        moves.put(List.of("metadata", "sha256"), "sha256");
        moves.put(List.of("metadata", "context_length"), "context_length");
        moves.put(List.of("metadata", "source"), "source");
        return moves;
    }

    private final FileExaminer examiner;
    private final List<String> notes = new ArrayList<>();
    private final Map<String, String> faults = new TreeMap<>();
    private final Map<FileState.Kind, List<String>> states = new TreeMap<>();

    RegistryMigration(FileExaminer examiner) {
        this.examiner = examiner;
    }

    /** What was changed, one clause each, for people. */
    List<String> notes() {
        return notes;
    }

    /** Entries that cannot be used, by id, with what is wrong. */
    Map<String, String> faults() {
        return faults;
    }

    List<String> idsIn(FileState.Kind state) {
        return states.getOrDefault(state, List.of());
    }

    /** @throws Hal0Exception {@code config.invalid} when {@code models} is no table and no list */
    TomlDocument migrated(TomlDocument original) {
        var tables = RegistryListForm.of(original);
        faults.putAll(tables.faults());
        if (!tables.document().equals(original)) {
            notes.add("the list [[models]] became a table per model");
        }
        TomlDocument document = ModelRegistry.withSchema(tables.document());
        for (String id : document.keys(List.of(RegistryEntries.MODELS))) {
            try {
                document = entry(document, id);
            } catch (Hal0Exception fault) {
                faults.put(id, fault.message());
            }
        }
        return document;
    }

    private TomlDocument entry(TomlDocument original, String id) {
        List<String> table = List.of(RegistryEntries.MODELS, id);
        TomlDocument document = withLabels(original, table, id);
        for (var move : MOVES.entrySet()) {
            document = moved(document, table, move.getKey(), move.getValue(), id);
        }
        document = withCapability(document, table, id);
        RegisteredModel model = RegistryEntries.entry(document, id);
        FileState.Kind state = ModelFiles.state(model).kind();
        states.computeIfAbsent(state, ignored -> new ArrayList<>()).add(id);
        var at = new RegistryFields(document, table);
        return switch (state) {
            case MISSING -> document.with(at.field("state"), ModelState.MISSING.label());
            case PRESENT -> {
                TomlDocument ready = model.details()
                                .state()
                                .filter(ModelState.MISSING::equals)
                                .isPresent()
                        ? document.with(at.field("state"), ModelState.READY.label())
                        : document;
                // What tells an unmounted volume from a deleted file later on.
                yield model.volume()
                        .or(() -> model.path().flatMap(ModelFiles::volume))
                        .map(volume -> ready.with(at.field("volume"), volume))
                        .orElse(ready);
            }
            case UNAVAILABLE, CHANGED -> document;
        };
    }

    /** The two old sets of words become one; capabilities keep the words that are capabilities. */
    private TomlDocument withLabels(TomlDocument document, List<String> table, String id) {
        var at = new RegistryFields(document, table);
        var labels = new TreeSet<String>();
        Set<ModelCapability> capabilities = RegistryEntries.capabilities(at, labels);
        labels.addAll(RegisteredModel.labelsOf(capabilities));
        List<String> words = capabilities.stream().map(ModelCapability::label).toList();
        TomlDocument changed = document;
        if (!labels.equals(new TreeSet<>(at.strings("labels")))) {
            changed = changed.with(at.field("labels"), List.copyOf(labels));
            notes.add(id + ": capabilities and tags became the labels " + String.join(", ", labels));
        }
        if (!words.isEmpty()) {
            changed = changed.with(at.field("capabilities"), words);
        }
        return changed.without(at.field("tags"));
    }

    private TomlDocument moved(TomlDocument document, List<String> table, List<String> from, String to, String id) {
        var source = new ArrayList<>(table);
        source.addAll(from);
        var at = new RegistryFields(document, table);
        if (!document.contains(source)) {
            return document;
        }
        Object value = from.size() == 1
                ? at.word(from.getFirst()).orElse("")
                : at.table(from.getFirst()).getOrDefault(from.getLast(), "");
        if (value.equals("")) {
            return document.without(source);
        }
        if (document.contains(at.field(to))) {
            if (!value.equals(new RegistryFields(document, List.of(table.getFirst()))
                    .table(id)
                    .get(to))) {
                notes.add(id + ": " + String.join(".", from) + " stays beside another " + to);
                return document;
            }
            return document.without(source);
        }
        notes.add(id + ": " + String.join(".", from) + " became " + to);
        return document.with(at.field(to), value).without(source);
    }

    /** An old entry may have none; its file, where it is there, tells. */
    private TomlDocument withCapability(TomlDocument document, List<String> table, String id) {
        var at = new RegistryFields(document, table);
        var labels = new TreeSet<String>();
        var path = at.path("path");
        if (path.isEmpty() || !RegistryEntries.capabilities(at, labels).isEmpty()) {
            return document;
        }
        try {
            var found = examiner.examine(path.get(), examiner.header(path.get(), ScanNames.of(path.get())));
            labels.add(found.capability().label());
            notes.add(id + ": named no capability; by its file it is "
                    + found.capability().label());
            return document.with(
                            at.field("capabilities"), List.of(found.capability().label()))
                    .with(at.field("labels"), List.copyOf(labels));
        } catch (Hal0Exception unknown) {
            return document;
        }
    }
}
