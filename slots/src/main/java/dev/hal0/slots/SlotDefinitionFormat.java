package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import dev.hal0.kernel.TomlDocument;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Reads a slot's TOML strictly: an unknown key or a bad value is an error with the key's path, never a silent default. */
final class SlotDefinitionFormat {
    static final List<String> MODEL = List.of("model");
    static final List<String> SERVER = List.of("server");
    static final List<String> ENVIRONMENT = List.of("server", "env");

    private static final Set<String> OWN_KEYS = Set.of(
            "name",
            "backend",
            "type",
            "device",
            "port",
            "enabled",
            "default",
            "parallel",
            "pinned",
            "priority",
            "unload_after_s",
            "model",
            "server");
    private static final Set<String> ROOT_KEYS = Stream.concat(OWN_KEYS.stream(), SlotOptionsFormat.ROOT_KEYS.stream())
            .collect(Collectors.toUnmodifiableSet());
    private static final Set<String> MODEL_KEYS =
            Set.of("default", "context_size", "ctx_size", "n_gpu_layers", "rope_freq_base", "extra");
    private static final Set<String> SERVER_KEYS = Set.of("extra_args", "env");
    private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

    private SlotDefinitionFormat() {}

    /** @param expected the file's stem, which the name inside must equal */
    static SlotDefinition read(SlotName expected, TomlDocument document) {
        var fields = SlotFields.of(document);
        fields.requireOnlyKeys(List.of(), ROOT_KEYS);
        fields.requireOnlyKeys(MODEL, MODEL_KEYS);
        fields.requireOnlyKeys(SERVER, SERVER_KEYS);
        String name = fields.string("name").orElse(expected.value());
        if (!name.equals(expected.value())) {
            throw fields.invalid("name", "is '" + name + "' but the file is " + expected + ".toml");
        }
        SlotOptions options = SlotOptionsFormat.read(fields);
        return new SlotDefinition(
                expected,
                fields.word("type", SlotType.values(), SlotType::label, SlotType.LLM),
                device(fields),
                fields.integer(1024, 65535, "port").orElseThrow(() -> SlotFields.fault("port", "is missing")),
                fields.bool(true, "enabled"),
                fields.bool(false, "default"),
                fields.string("model", "default").filter(id -> !id.isBlank()),
                contextSize(fields),
                fields.integer(-1, 10_000, "model", "n_gpu_layers").orElse(-1),
                fields.integer(1, 64, "parallel").orElse(1),
                fields.text("server", "extra_args").orElse(""),
                environment(fields),
                new Keeping(
                        fields.bool(false, "pinned"),
                        fields.integer(-100, 100, "priority").orElse(0),
                        fields.integer(0, 31_536_000, "unload_after_s")),
                options);
    }

    private static Device device(SlotFields fields) {
        Optional<String> backend = fields.text("backend");
        if (fields.has("device") || backend.isEmpty()) {
            return fields.word("device", Device.values(), Device::label, Device.CPU);
        }
        return Device.named(backend.get())
                .orElseThrow(() -> fields.invalid("backend", "is '" + backend.get() + "'; use `device` instead"));
    }

    private static OptionalInt contextSize(SlotFields fields) {
        OptionalInt tokens = fields.integer(128, 1 << 24, "model", "context_size");
        return tokens.isPresent() ? tokens : fields.integer(128, 1 << 24, "model", "ctx_size");
    }

    /** A new slot's file. Only what differs from a default is written, so that a later default reaches old files. */
    static TomlDocument write(SlotDefinition definition) {
        var text = new StringBuilder("# Slot " + definition.name() + ": see docs/slots.md for every key.\n");
        TomlDocument document = TomlDocument.parse(definition.name() + ".toml", text.toString())
                .with(List.of("name"), definition.name().value())
                .with(List.of("type"), definition.type().label())
                .with(List.of("device"), definition.device().label())
                .with(List.of("port"), (long) definition.port());
        if (definition.isDefault()) {
            document = document.with(List.of("default"), true);
        }
        if (definition.parallel() != 1) {
            document = document.with(List.of("parallel"), (long) definition.parallel());
        }
        if (definition.options().profile().isPresent()) {
            document = document.with(
                    List.of("profile"), definition.options().profile().get());
        }
        if (definition.options().servedBy().isPresent()) {
            document = document.with(
                    List.of("served_by"), definition.options().servedBy().get());
        }
        if (definition.modelId().isPresent()) {
            document = document.with(
                    List.of("model", "default"), definition.modelId().get());
        }
        if (definition.contextSize().isPresent()) {
            document = document.with(List.of("model", "context_size"), (long)
                    definition.contextSize().getAsInt());
        }
        return document;
    }

    /** The definition as the API shows it: every key with its effective value. */
    static Map<String, Object> view(SlotDefinition definition) {
        var model = new LinkedHashMap<String, Object>();
        model.put("default", definition.modelId().orElse(""));
        model.put(
                "context_size",
                definition.contextSize().isPresent() ? definition.contextSize().getAsInt() : null);
        model.put("n_gpu_layers", definition.gpuLayers());
        model.put("extra", definition.options().modelExtra());
        var server = new LinkedHashMap<String, Object>();
        server.put("extra_args", definition.extraArguments());
        server.put("env", definition.environment());
        var view = new LinkedHashMap<String, Object>();
        view.put("name", definition.name().value());
        view.put("type", definition.type().label());
        view.put("device", definition.device().label());
        view.put("port", definition.port());
        view.put("enabled", definition.enabled());
        view.put("default", definition.isDefault());
        view.put("parallel", definition.parallel());
        view.put("pinned", definition.keeping().pinned());
        view.put("priority", definition.keeping().priority());
        view.put(
                "unload_after_s",
                definition.keeping().unloadAfterSeconds().isPresent()
                        ? definition.keeping().unloadAfterSeconds().getAsInt()
                        : null);
        SlotOptionsFormat.view(definition.options(), view);
        view.put("model", model);
        view.put("server", server);
        return view;
    }

    private static Map<String, String> environment(SlotFields fields) {
        var variables = new LinkedHashMap<String, String>();
        for (String name : fields.flat().keys(ENVIRONMENT)) {
            String value = fields.string("server", "env", name).orElse("");
            if (!VARIABLE.matcher(name).matches()) {
                throw fields.invalid("server.env." + name, "is not a variable name");
            }
            if (value.chars().anyMatch(Character::isISOControl)) {
                throw fields.invalid("server.env." + name, "must not contain control characters");
            }
            variables.put(name, value);
        }
        return variables;
    }
}
