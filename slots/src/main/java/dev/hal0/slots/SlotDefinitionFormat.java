package dev.hal0.slots;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.kernel.TomlDocument;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;

/** Reads a slot's TOML strictly: an unknown key or a bad value is an error with the key's path, never a silent default. */
final class SlotDefinitionFormat {
    static final List<String> MODEL = List.of("model");
    static final List<String> SERVER = List.of("server");
    static final List<String> ENVIRONMENT = List.of("server", "env");

    private static final Set<String> ROOT_KEYS = Set.of(
            "name",
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
    private static final Set<String> MODEL_KEYS = Set.of("default", "context_size", "n_gpu_layers");
    private static final Set<String> SERVER_KEYS = Set.of("extra_args", "env");
    private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

    private SlotDefinitionFormat() {}

    /** @param expected the file's stem, which the name inside must equal */
    static SlotDefinition read(SlotName expected, TomlDocument document) {
        document.requireOnlyKeys(List.of(), ROOT_KEYS);
        document.requireOnlyKeys(MODEL, MODEL_KEYS);
        document.requireOnlyKeys(SERVER, SERVER_KEYS);
        var name = new SlotName(document.string(List.of("name")).orElse(expected.value()));
        if (!name.equals(expected)) {
            throw invalid("name", "is '" + name + "' but the file is " + expected + ".toml");
        }
        return new SlotDefinition(
                name,
                word(document, "type", SlotType.values(), SlotType::label, SlotType.LLM),
                word(document, "device", Device.values(), Device::label, Device.CPU),
                integer(document, List.of("port"), 1024, 65535).orElseThrow(() -> invalid("port", "is missing")),
                document.bool(List.of("enabled")).orElse(true),
                document.bool(List.of("default")).orElse(false),
                document.string(List.of("model", "default")).filter(id -> !id.isBlank()),
                integer(document, List.of("model", "context_size"), 128, 1 << 24),
                integer(document, List.of("model", "n_gpu_layers"), -1, 10_000).orElse(-1),
                integer(document, List.of("parallel"), 1, 64).orElse(1),
                extraArguments(document),
                environment(document),
                new Keeping(
                        document.bool(List.of("pinned")).orElse(false),
                        integer(document, List.of("priority"), -100, 100).orElse(0),
                        integer(document, List.of("unload_after_s"), 0, 31_536_000)));
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
        view.put("model", model);
        view.put("server", server);
        return view;
    }

    private static <E> E word(TomlDocument document, String key, E[] values, Function<E, String> label, E otherwise) {
        Optional<String> given = document.string(List.of(key));
        if (given.isEmpty()) {
            return otherwise;
        }
        return Arrays.stream(values)
                .filter(value -> label.apply(value).equals(given.get()))
                .findFirst()
                .orElseThrow(() -> invalid(
                        key,
                        "is '" + given.get() + "'; it can be "
                                + Arrays.stream(values).map(label).toList()));
    }

    private static OptionalInt integer(TomlDocument document, List<String> path, int least, int most) {
        Optional<Long> given = document.integer(path);
        if (given.isEmpty()) {
            return OptionalInt.empty();
        }
        if (given.get() < least || given.get() > most) {
            throw invalid(String.join(".", path), "is " + given.get() + "; it can be " + least + " to " + most);
        }
        return OptionalInt.of(Math.toIntExact(given.get()));
    }

    private static String extraArguments(TomlDocument document) {
        String text = document.string(List.of("server", "extra_args")).orElse("");
        if (text.chars().anyMatch(Character::isISOControl)) {
            throw invalid("server.extra_args", "must not contain control characters");
        }
        return text;
    }

    private static Map<String, String> environment(TomlDocument document) {
        var variables = new LinkedHashMap<String, String>();
        for (String name : document.keys(ENVIRONMENT)) {
            String value = document.string(List.of("server", "env", name)).orElse("");
            if (!VARIABLE.matcher(name).matches()) {
                throw invalid("server.env." + name, "is not a variable name");
            }
            if (value.chars().anyMatch(Character::isISOControl)) {
                throw invalid("server.env." + name, "must not contain control characters");
            }
            variables.put(name, value);
        }
        return variables;
    }

    static Hal0Exception invalid(String path, String problem) {
        return new Hal0Exception(ErrorCode.SLOT_CONFIG_ERROR, "`" + path + "` " + problem + ".").withParam(path);
    }
}
