package dev.hal0.models;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.NearMatch;
import dev.hal0.kernel.TomlDocument;
import dev.hal0.kernel.TomlFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The models of this box: {@code registry.toml}, one table {@code [models."<id>"]} per file, and the entries that are part
 * of hal0.
 *
 * <p>People edit the file. So comments, order and unknown keys survive every write; a file that does not parse is never
 * written and never mistaken for an empty one; and one entry with a fault is left out of the list, named in
 * {@link #faults()} and in the log, and does not take the others with it. A hand edit is seen by the next call.
 *
 * <p>The model files themselves are only read. Thread-safe; two processes may share a registry.
 */
public final class ModelRegistry implements ModelCatalog {
    private static final Logger log = LoggerFactory.getLogger(ModelRegistry.class);
    private static final long SCHEMA_VERSION = 1;
    private static final String MODELS = "models";
    private static final int NAMES_IN_MESSAGE = 20;

    /** What one text of the file means. */
    private record View(
            TomlDocument document, TreeMap<String, RegisteredModel> models, TreeMap<String, String> faults) {}

    private final TomlFile file;
    private final GgufReader reader;
    private final InstantSource clock;
    private volatile @Nullable View last;

    public ModelRegistry(TomlFile file, GgufReader reader, InstantSource clock) {
        this.file = file;
        this.reader = reader;
        this.clock = clock;
    }

    @Override
    public List<RegisteredModel> list() {
        return List.copyOf(view().models().values());
    }

    /** An entry that is part of hal0 is found even while the file cannot be read. */
    @Override
    public Optional<RegisteredModel> find(String id) {
        return BuiltInModels.find(id)
                .or(() -> Optional.ofNullable(view().models().get(id)));
    }

    @Override
    public RegisteredModel require(String id) {
        return find(id).orElseThrow(() -> {
            View view = view();
            return view.faults().containsKey(id)
                    ? unavailable(view.faults().get(id), null)
                    : notFound(id, view.models().keySet());
        });
    }

    /**
     * Entries that are in the file and not in the list: what is wrong with each, with its line.
     *
     * @throws Hal0Exception as {@link #list()}
     */
    public Map<String, String> faults() {
        return Map.copyOf(view().faults());
    }

    /**
     * Registers a model file, which stays where it is.
     *
     * @param modelFile stored as given, made absolute: a link is followed to look at the file, and kept
     * @throws Hal0Exception {@code model.file_invalid} when the file is no complete model that the engine can load,
     *     {@code model.already_exists} when the id or the very file is registered, {@code model.read_only} for the id of an
     *     entry that is part of hal0, {@code request.invalid} for an id that is none
     */
    public RegisteredModel add(Path modelFile, AddOptions options) {
        Path path = modelFile.toAbsolutePath().normalize();
        String id = options.id().map(ModelId::require).orElseGet(() -> ModelId.ofFile(path));
        requireWritable(id);
        RegisteredModel model = examined(path, id, options.name());
        if (!options.overwrite()) {
            requireUnregistered(path, id);
        }
        update(document -> {
            requireKnownSchema(document);
            boolean exists = document.contains(List.of(MODELS, id));
            if (exists && !options.overwrite()) {
                throw alreadyExists(id, "Model '" + id + "' is already registered");
            }
            return exists ? rewritten(document, model) : withSchema(document).with(List.of(MODELS, id), stored(model));
        });
        log.info("registered model {}: {}", id, path);
        return require(id);
    }

    /**
     * Takes an entry out of the registry. Its file is left alone.
     *
     * @throws Hal0Exception {@code model.not_found}, {@code model.read_only}
     */
    public RemovedModel remove(String id) {
        requireWritable(id);
        var removed = new ArrayList<RemovedModel>(1);
        update(document -> {
            requireKnownSchema(document);
            View view = read(document);
            RegisteredModel model = view.models().get(id);
            if (model == null) {
                throw view.faults().containsKey(id)
                        ? unavailable(view.faults().get(id), null)
                        : notFound(id, view.models().keySet());
            }
            removed.clear();
            removed.add(new RemovedModel(model, values(document, id)));
            return document.without(List.of(MODELS, id));
        });
        log.info("unregistered model {}", id);
        return removed.getFirst();
    }

    /**
     * Undoes {@link #remove}.
     *
     * @throws Hal0Exception {@code model.already_exists} when the id was taken meanwhile
     */
    public RegisteredModel restore(RemovedModel removed) {
        String id = removed.model().id();
        update(document -> {
            requireKnownSchema(document);
            if (document.contains(List.of(MODELS, id))) {
                throw alreadyExists(id, "Model '" + id + "' is registered again");
            }
            return withSchema(document).with(List.of(MODELS, id), removed.stored());
        });
        return require(id);
    }

    /** What is seen of a model's file now. May wait for as long as a hanging network mount does. */
    public FileState fileState(RegisteredModel model) {
        return ModelFiles.state(model);
    }

    private RegisteredModel examined(Path path, String id, Optional<String> name) {
        GgufHeader header = reader.read(path);
        if (header.version() == 1) {
            throw GgufReader.refuse(
                    path.toString(), "version", "has version 1 of the GGUF format, which llama.cpp no longer loads");
        }
        var capability = header.capability()
                .capability()
                .orElseThrow(() -> GgufReader.refuse(
                        path.toString(),
                        "not_a_model",
                        "cannot be served: " + header.capability().reason()));
        if (header.tensorCount() == 0 && header.shardCount() == 1) {
            throw GgufReader.refuse(path.toString(), "not_a_model", "has no tensors: it is only a vocabulary");
        }
        long size = ModelFiles.completeSize(path, header, reader);
        String display = name.orElse(header.name().isEmpty() ? ModelId.stem(path) : header.name());
        log.debug("{}: {} because {}", path, capability, header.capability().reason());
        return new RegisteredModel(
                id,
                display,
                Optional.of(path),
                size,
                header.architecture(),
                header.quantization(),
                header.contextLength(),
                header.chatTemplate().isPresent(),
                Set.of(capability),
                List.of("llama.cpp"),
                clock.instant().truncatedTo(ChronoUnit.SECONDS),
                false,
                RegisteredModel.labelsOf(Set.of(capability)),
                Optional.empty(),
                ModelFiles.volume(path));
    }

    private void requireUnregistered(Path path, String id) {
        for (RegisteredModel other : view().models().values()) {
            if (!other.id().equals(id)
                    && other.path().isPresent()
                    && isSameFile(path, other.path().get())) {
                throw alreadyExists(
                        other.id(),
                        "This file is already registered as '" + other.id() + "' ("
                                + other.path().get() + ")");
            }
        }
    }

    private static boolean isSameFile(Path left, Path right) {
        try {
            return Files.isSameFile(left, right);
        } catch (IOException gone) {
            return false;
        }
    }

    private static void requireWritable(String id) {
        if (BuiltInModels.find(id).isPresent()) {
            throw new Hal0Exception(ErrorCode.MODEL_READ_ONLY, "Model '" + id + "' is part of hal0")
                    .withDetail("id", id);
        }
    }

    private static Hal0Exception alreadyExists(String id, String message) {
        return new Hal0Exception(ErrorCode.MODEL_ALREADY_EXISTS, message).withDetail("id", id);
    }

    private static Hal0Exception notFound(String id, Set<String> known) {
        var names = known.stream().limit(NAMES_IN_MESSAGE).toList();
        return new Hal0Exception(
                        ErrorCode.MODEL_NOT_FOUND,
                        "No model '" + id + "'" + NearMatch.hint(id, known) + "; registered: "
                                + String.join(", ", names)
                                + (known.size() > names.size()
                                        ? " and " + (known.size() - names.size()) + " more"
                                        : ""))
                .withDetail("id", id)
                .withDetail("known", names);
    }

    private Hal0Exception unavailable(@Nullable String message, @Nullable Hal0Exception cause) {
        String text = String.valueOf(message);
        var failure = cause == null
                ? new Hal0Exception(ErrorCode.MODEL_REGISTRY_UNAVAILABLE, text)
                : new Hal0Exception(ErrorCode.MODEL_REGISTRY_UNAVAILABLE, text, cause);
        if (cause != null && cause.details().get("errors") instanceof List<?> errors) {
            failure = failure.withDetail("errors", errors);
        }
        return failure.withDetail("path", file.path().toString());
    }

    private View view() {
        TomlDocument document;
        try {
            document =
                    file.read().orElseGet(() -> TomlDocument.empty(file.path().toString()));
        } catch (Hal0Exception unreadable) {
            throw unavailable(unreadable.message(), unreadable);
        }
        View known = last;
        if (known != null && known.document().equals(document)) {
            return known;
        }
        View fresh;
        try {
            requireKnownSchema(document);
            fresh = read(document);
        } catch (Hal0Exception wrong) {
            throw wrong.code() == ErrorCode.CONFIG_INVALID ? unavailable(wrong.message(), wrong) : wrong;
        }
        // Only when the text changed, so a fault is logged once and not once per request.
        fresh.faults().forEach((id, fault) -> log.warn("model {} is left out: {}", id, fault));
        last = fresh;
        return fresh;
    }

    private void update(UnaryOperator<TomlDocument> change) {
        try {
            file.update(change);
        } catch (Hal0Exception failure) {
            throw failure.code() == ErrorCode.CONFIG_INVALID ? unavailable(failure.message(), failure) : failure;
        }
    }

    /** A newer hal0 may mean other things by the same keys: neither read nor written. */
    private static void requireKnownSchema(TomlDocument document) {
        var path = List.of("schema_version");
        long version = document.integer(path).orElse(SCHEMA_VERSION);
        if (version > SCHEMA_VERSION) {
            throw document.fault(
                    path, "version " + version + " was written by a newer hal0; this one knows " + SCHEMA_VERSION);
        }
    }

    private static TomlDocument withSchema(TomlDocument document) {
        return document.contains(List.of("schema_version"))
                ? document
                : document.with(List.of("schema_version"), SCHEMA_VERSION);
    }

    private static View read(TomlDocument document) {
        var models = new TreeMap<String, RegisteredModel>();
        var faults = new TreeMap<String, String>();
        BuiltInModels.all().forEach(model -> models.put(model.id(), model));
        for (String id : document.keys(List.of(MODELS))) {
            try {
                models.put(id, entry(document, id));
            } catch (Hal0Exception fault) {
                faults.put(id, fault.message());
            }
        }
        return new View(document, models, faults);
    }

    private static RegisteredModel entry(TomlDocument document, String id) {
        var at = new Fields(document, List.of(MODELS, id));
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
        var labels = new TreeSet<>(at.strings("labels"));
        var capabilities = new LinkedHashSet<ModelCapability>();
        for (String word : at.strings("capabilities")) {
            ModelCapability.of(word).ifPresentOrElse(capabilities::add, () -> labels.add(word));
        }
        if (capabilities.isEmpty()) {
            throw document.fault(
                    at.field("capabilities"),
                    "names none of " + String.join(", ", RegisteredModel.labelsOf(Set.of(ModelCapability.values()))));
        }
        labels.addAll(RegisteredModel.labelsOf(capabilities));
        List<String> engines = at.strings("engines");
        return new RegisteredModel(
                id,
                at.string("name").filter(name -> !name.isBlank()).orElse(id),
                Optional.of(path),
                at.count("size_bytes", Long.MAX_VALUE),
                at.string("architecture").orElse(""),
                at.string("quantization").orElse(""),
                (int) at.count("context_length", Integer.MAX_VALUE),
                document.bool(at.field("chat_template")).orElse(false),
                capabilities,
                engines.isEmpty() ? List.of("llama.cpp") : engines,
                at.instant("added_at"),
                false,
                labels,
                at.string("sha256"),
                at.path("volume"));
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
    private static TomlDocument rewritten(TomlDocument document, RegisteredModel model) {
        TomlDocument changed = document;
        Map<String, Object> fresh = stored(model);
        fresh.put("labels", List.copyOf(mergedLabels(document, model)));
        for (String key : List.of("sha256", "volume")) {
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

    private static Map<String, Object> stored(RegisteredModel model) {
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
        return fields;
    }

    private static Map<String, Object> values(TomlDocument document, String id) {
        var values = new LinkedHashMap<String, Object>();
        if (document.values().get(MODELS) instanceof Map<?, ?> models && models.get(id) instanceof Map<?, ?> table) {
            table.forEach((key, value) -> values.put(String.valueOf(key), value));
        }
        return values;
    }

    /** Typed access to one entry's table; every fault names its line. */
    private record Fields(TomlDocument document, List<String> table) {
        List<String> field(String key) {
            var path = new ArrayList<>(table);
            path.add(key);
            return path;
        }

        Optional<String> string(String key) {
            return document.string(field(key));
        }

        List<String> strings(String key) {
            return document.strings(field(key)).orElse(List.of());
        }

        Optional<Path> path(String key) {
            return string(key).map(text -> {
                try {
                    Path path = Path.of(text);
                    if (path.isAbsolute()) {
                        return path;
                    }
                } catch (InvalidPathException notEvenAPath) {
                    log.debug("{}", notEvenAPath.getMessage());
                }
                throw document.fault(field(key), "'" + text + "' is not an absolute path");
            });
        }

        long count(String key, long largest) {
            long value = document.integer(field(key)).orElse(0L);
            if (value < 0 || value > largest) {
                throw document.fault(field(key), value + " is not between 0 and " + largest);
            }
            return value;
        }

        Instant instant(String key) {
            Optional<String> text = string(key);
            try {
                return text.map(Instant::parse).orElse(Instant.EPOCH);
            } catch (DateTimeException wrong) {
                throw document.fault(
                        field(key), "'" + text.orElse("") + "' is not a time such as 2026-11-23T12:00:00Z");
            }
        }
    }
}
