package dev.hal0.models;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.TomlDocument;
import dev.hal0.models.CapabilityGuess.Confidence;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Between one table of {@code registry.toml} and one {@link RegisteredModel}, in both directions. */
final class RegistryEntries {
    static final String MODELS = "models";
    static final List<String> LLAMA_CPP = List.of("llama.cpp");

    /** Backends of older files that are ways to build llama.cpp; other words there name a runner. */
    private static final Set<String> LLAMA_BUILDS = Set.of("vulkan", "rocm", "cuda", "cpu", "llama.cpp");

    /** What is only true of the file that an entry had before. */
    private static final List<String> OF_THE_FILE =
            List.of("revision", "files", "mmproj", "hf_repo", "hf_filename", "state", "source", "confidence");

    private RegistryEntries() {}

    /** @throws Hal0Exception {@code config.invalid} naming the line */
    static RegisteredModel entry(TomlDocument document, String id) {
        var at = new RegistryFields(document, List.of(MODELS, id));
        if (BuiltInModels.find(id).isPresent()) {
            throw document.fault(at.table(), "this id belongs to a model that is part of hal0");
        }
        if (!ModelId.isValid(id)) {
            throw document.fault(at.table(), "not a model id: " + ModelId.GRAMMAR_IN_WORDS);
        }
        Path path = at.path("path")
                .orElseThrow(() -> document.fault(
                        at.table(),
                        looksSplit(document, id)
                                ? "has no path; an id with a dot must stand in quotes: [models.\"" + id + ".…\"]"
                                : "has no path"));
        var labels = new TreeSet<String>();
        Set<ModelCapability> capabilities = capabilities(at, labels);
        if (capabilities.isEmpty()) {
            throw at.fault(
                    "capabilities",
                    "names none of " + String.join(", ", RegisteredModel.labelsOf(Set.of(ModelCapability.values()))));
        }
        labels.addAll(RegisteredModel.labelsOf(capabilities));
        RegistryFields metadata = at.below("metadata");
        long context = at.count("context_length", Integer.MAX_VALUE);
        return new RegisteredModel(
                id,
                at.word("name").orElse(id),
                Optional.of(path),
                at.count("size_bytes", Long.MAX_VALUE),
                at.string("architecture").orElse(""),
                at.word("quantization").or(() -> at.word("quant")).orElse(""),
                (int) (context > 0 ? context : metadata.count("context_length", Integer.MAX_VALUE)),
                document.bool(at.field("chat_template")).orElse(false),
                capabilities,
                engines(at),
                at.instant("added_at"),
                false,
                labels,
                at.word("sha256").or(() -> metadata.word("sha256")),
                at.path("volume"),
                details(at, metadata));
    }

    /**
     * One set of words, whichever of three fields they stand in: older files put the same word into either of two.
     *
     * @param labels receives all words that are no capability
     */
    static Set<ModelCapability> capabilities(RegistryFields at, Set<String> labels) {
        var capabilities = new LinkedHashSet<ModelCapability>();
        for (String word : at.strings("capabilities")) {
            ModelCapability.of(word).ifPresentOrElse(capabilities::add, () -> labels.add(word));
        }
        var words = new LinkedHashSet<>(at.strings("labels"));
        words.addAll(at.strings("tags"));
        labels.addAll(words);
        if (capabilities.isEmpty()) {
            words.forEach(word -> ModelCapability.of(word).ifPresent(capabilities::add));
        }
        return capabilities;
    }

    static List<String> engines(RegistryFields at) {
        List<String> engines = at.strings("engines");
        if (engines.isEmpty()) {
            engines = at.strings("backends").stream()
                    .map(word -> LLAMA_BUILDS.contains(word) ? "llama.cpp" : word)
                    .distinct()
                    .toList();
        }
        return engines.isEmpty() ? LLAMA_CPP : engines;
    }

    private static ModelDetails details(RegistryFields at, RegistryFields metadata) {
        return new ModelDetails(
                at.word("license").orElse(ModelDetails.NO_LICENSE),
                at.word("hf_repo"),
                at.word("hf_filename"),
                at.word("revision"),
                at.parts("files"),
                at.oneOf("state", ModelState::of),
                at.path("mmproj"),
                at.table("defaults"),
                at.word("source").or(() -> metadata.word("source")).orElse(""),
                at.oneOf(
                        "confidence",
                        word -> Arrays.stream(Confidence.values())
                                .filter(known -> known.label().equals(word))
                                .findFirst()));
    }

    /** {@code [models.qwen3.5-9b]} without quotes is the table {@code 5-9b} in the table {@code qwen3}. */
    private static boolean looksSplit(TomlDocument document, String id) {
        return document.keys(List.of(MODELS, id)).stream().anyMatch(key -> {
            try {
                return document.contains(List.of(MODELS, id, key, "path"));
            } catch (Hal0Exception notATable) {
                return false;
            }
        });
    }

    /** Replaces what hal0 found out about a file and leaves everything else in the table alone. */
    static TomlDocument rewritten(TomlDocument document, RegisteredModel model) {
        TomlDocument changed = document;
        Map<String, Object> fresh = stored(model);
        fresh.put("labels", List.copyOf(mergedLabels(document, model)));
        var at = new RegistryFields(document, List.of(MODELS, model.id()));
        var outdated = new TreeSet<>(List.of("sha256", "volume", "state"));
        if (!at.string("path").equals(model.path().map(Path::toString))) {
            outdated.addAll(OF_THE_FILE);
        }
        for (String key : outdated) {
            if (!fresh.containsKey(key)) {
                changed = changed.without(List.of(MODELS, model.id(), key));
            }
        }
        for (var field : fresh.entrySet()) {
            changed = changed.with(List.of(MODELS, model.id(), field.getKey()), field.getValue());
        }
        return changed;
    }

    /** The words a person added stay; those that hal0 derived from the old file go. */
    private static Set<String> mergedLabels(TomlDocument document, RegisteredModel model) {
        var labels = new TreeSet<>(
                document.strings(List.of(MODELS, model.id(), "labels")).orElse(List.of()));
        labels.removeAll(RegisteredModel.labelsOf(Set.of(ModelCapability.values())));
        labels.addAll(model.labels());
        return labels;
    }

    static Map<String, Object> stored(RegisteredModel model) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("name", model.name());
        model.path().ifPresent(path -> fields.put("path", path));
        fields.put("size_bytes", model.sizeBytes());
        model.sha256().ifPresent(digest -> fields.put("sha256", digest));
        fields.put("architecture", model.architecture());
        fields.put("quantization", model.quantization());
        fields.put("context_length", model.contextLength());
        fields.put("chat_template", model.chatTemplate());
        fields.put(
                "capabilities",
                model.capabilities().stream().map(ModelCapability::label).toList());
        fields.put("engines", model.engines());
        fields.put("labels", List.copyOf(model.labels()));
        fields.put("added_at", model.addedAt().toString());
        model.volume().ifPresent(volume -> fields.put("volume", volume));
        ModelDetails details = model.details();
        if (!details.license().equals(ModelDetails.NO_LICENSE)) {
            fields.put("license", details.license());
        }
        details.hfRepo().ifPresent(repo -> fields.put("hf_repo", repo));
        details.hfFilename().ifPresent(name -> fields.put("hf_filename", name));
        details.revision().ifPresent(revision -> fields.put("revision", revision));
        details.state().ifPresent(state -> fields.put("state", state.label()));
        details.mmproj().ifPresent(projector -> fields.put("mmproj", projector));
        if (!details.source().isEmpty()) {
            fields.put("source", details.source());
        }
        details.confidence().ifPresent(confidence -> fields.put("confidence", confidence.label()));
        if (!details.files().isEmpty()) {
            fields.put(
                    "files",
                    details.files().stream().map(RegistryEntries::stored).toList());
        }
        if (!details.defaults().isEmpty()) {
            fields.put("defaults", details.defaults());
        }
        return fields;
    }

    private static Map<String, Object> stored(ModelPart part) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("rel", part.rel());
        fields.put("size", part.size());
        part.sha256().ifPresent(digest -> fields.put("sha256", digest));
        fields.put("role", part.role());
        return fields;
    }

    /** All that an entry's table holds, also keys this version does not know. */
    static Map<String, Object> values(TomlDocument document, String id) {
        var values = new LinkedHashMap<String, Object>();
        if (document.values().get(MODELS) instanceof Map<?, ?> models && models.get(id) instanceof Map<?, ?> table) {
            table.forEach((key, value) -> values.put(String.valueOf(key), value));
        }
        return values;
    }
}
