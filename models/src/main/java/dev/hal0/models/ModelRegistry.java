package dev.hal0.models;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.NearMatch;
import dev.hal0.kernel.TomlDocument;
import dev.hal0.kernel.TomlFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
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
    private static final String MODELS = RegistryEntries.MODELS;
    private static final int NAMES_IN_MESSAGE = 20;

    /** What one text of the file means. */
    private record View(
            TomlDocument document, TreeMap<String, RegisteredModel> models, TreeMap<String, String> faults) {}

    private final TomlFile file;
    private final GgufReader reader;
    private final FileExaminer examiner;
    private final InstantSource clock;
    private volatile @Nullable View last;

    public ModelRegistry(TomlFile file, GgufReader reader, InstantSource clock) {
        this.file = file;
        this.reader = reader;
        this.examiner = new FileExaminer(reader);
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
            boolean exists = document.contains(List.of(MODELS, id));
            if (exists && !options.overwrite()) {
                throw alreadyExists(id, "Model '" + id + "' is already registered");
            }
            return exists
                    ? RegistryEntries.rewritten(document, model)
                    : withSchema(document).with(List.of(MODELS, id), RegistryEntries.stored(model));
        });
        log.info("registered model {}: {}", id, path);
        return require(id);
    }

    /**
     * Changes what a person may say of an entry; its other keys and its comments stay.
     *
     * @throws Hal0Exception {@code model.not_found}, {@code model.read_only}; {@code request.invalid} when the entry could
     *     not be read back
     */
    public RegisteredModel change(String id, ModelChanges changes) {
        requireWritable(id);
        update(document -> {
            View before = read(document);
            if (!before.models().containsKey(id)) {
                throw before.faults().containsKey(id)
                        ? unavailable(before.faults().get(id), null)
                        : notFound(id, before.models().keySet());
            }
            TomlDocument changed = document;
            if (changes.name().isPresent()) {
                changed =
                        changed.with(List.of(MODELS, id, "name"), changes.name().get());
            }
            if (changes.labels().isPresent()) {
                changed = changed.with(
                        List.of(MODELS, id, "labels"),
                        changes.labels().get().stream().sorted().toList());
            }
            if (changes.license().isPresent()) {
                changed = changed.with(
                        List.of(MODELS, id, "license"), changes.license().get());
            }
            if (changes.mmproj().isPresent()) {
                List<String> key = List.of(MODELS, id, "mmproj");
                String path = changes.mmproj().get().toString();
                changed = path.isEmpty() ? changed.without(key) : changed.with(key, path);
            }
            for (var one : changes.defaults().entrySet()) {
                changed = changed.with(List.of(MODELS, id, "defaults", one.getKey()), one.getValue());
            }
            View after = read(changed);
            if (after.faults().containsKey(id)) {
                throw new Hal0Exception(
                        ErrorCode.REQUEST_INVALID, after.faults().get(id));
            }
            return changed;
        });
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
            View view = read(document);
            RegisteredModel model = view.models().get(id);
            if (model == null) {
                throw view.faults().containsKey(id)
                        ? unavailable(view.faults().get(id), null)
                        : notFound(id, view.models().keySet());
            }
            removed.clear();
            removed.add(new RemovedModel(model, RegistryEntries.values(document, id)));
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
        var found = WhisperFile.isOne(path)
                ? examiner.examine(WhisperFile.read(path))
                : examiner.examine(path, reader.read(path));
        String display = name.orElse(found.name().isEmpty() ? ModelId.stem(path) : found.name());
        log.debug("{}: {} because {}", path, found.capability(), found.reason());
        return new RegisteredModel(
                id,
                display,
                Optional.of(path),
                found.sizeBytes(),
                found.architecture(),
                found.quantization(),
                found.contextLength(),
                found.chatTemplate(),
                Set.of(found.capability()),
                found.engines(),
                now(),
                false,
                RegisteredModel.labelsOf(Set.of(found.capability())),
                Optional.empty(),
                ModelFiles.volume(path));
    }

    Instant now() {
        return clock.instant().truncatedTo(ChronoUnit.SECONDS);
    }

    FileExaminer examiner() {
        return examiner;
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

    static void requireWritable(String id) {
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

    /** One write; the given document has a table per model. Nothing is written when {@code change} throws. */
    void update(UnaryOperator<TomlDocument> change) {
        try {
            file.update(document -> {
                requireKnownSchema(document);
                var tables = RegistryListForm.of(document);
                if (!tables.faults().isEmpty()) {
                    // Their place is not kept by the new form, so a write would lose them.
                    throw unavailable(String.join("\n", tables.faults().values()), null);
                }
                TomlDocument changed = change.apply(tables.document());
                return changed.equals(tables.document()) ? document : changed;
            });
        } catch (Hal0Exception failure) {
            throw failure.code() == ErrorCode.CONFIG_INVALID ? unavailable(failure.message(), failure) : failure;
        }
    }

    /** A newer hal0 may mean other things by the same keys: neither read nor written. */
    static void requireKnownSchema(TomlDocument document) {
        var path = List.of("schema_version");
        long version = document.integer(path).orElse(SCHEMA_VERSION);
        if (version > SCHEMA_VERSION) {
            throw document.fault(
                    path, "version " + version + " was written by a newer hal0; this one knows " + SCHEMA_VERSION);
        }
    }

    static TomlDocument withSchema(TomlDocument document) {
        return document.contains(List.of("schema_version"))
                ? document
                : document.with(List.of("schema_version"), SCHEMA_VERSION);
    }

    /** The entries without a fault of a document that has a table per model, and those that are part of hal0. */
    static List<RegisteredModel> modelsIn(TomlDocument document) {
        return List.copyOf(read(document).models().values());
    }

    private static View read(TomlDocument document) {
        var models = new TreeMap<String, RegisteredModel>();
        var faults = new TreeMap<String, String>();
        BuiltInModels.all().forEach(model -> models.put(model.id(), model));
        var tables = RegistryListForm.of(document);
        faults.putAll(tables.faults());
        for (String id : tables.document().keys(List.of(MODELS))) {
            try {
                models.put(id, RegistryEntries.entry(tables.document(), id));
            } catch (Hal0Exception fault) {
                faults.put(id, fault.message());
            }
        }
        return new View(document, models, faults);
    }
}
