package dev.hal0.slots;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.models.RegisteredModel;
import dev.hal0.slots.profile.Profile;
import dev.hal0.slots.profile.ProfileClass;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** The engine families this build knows. Immutable. */
public final class EngineCatalog {
    private static final String NPU_FAMILY = "flm";
    private static final Map<SlotType, String> ONLY_FAMILY = Map.of(
            SlotType.TRANSCRIPTION, "whisper.cpp",
            SlotType.TTS, "kokoro",
            SlotType.IMAGE, "comfyui");

    private final Map<String, Engine> byFamily = new LinkedHashMap<>();

    private final Function<String, Optional<String>> missing;

    public EngineCatalog(List<Engine> engines) {
        this(engines, family -> Optional.empty());
    }

    /** @param missing what a person has to do before a family can be started, if anything; must not wait */
    public EngineCatalog(List<Engine> engines, Function<String, Optional<String>> missing) {
        this.missing = missing;
        engines.forEach(engine -> byFamily.put(engine.family(), engine));
    }

    /** @throws Hal0Exception {@code engine.unknown}; never another family instead */
    public Engine require(String family) {
        Engine engine = byFamily.get(family);
        if (engine == null) {
            throw new Hal0Exception(
                    ErrorCode.ENGINE_UNKNOWN, "No engine '" + family + "'; this build has " + byFamily.keySet() + ".");
        }
        return engine;
    }

    /** The first family of the model's list that this build has. */
    public Engine forModel(RegisteredModel model) {
        return model.engines().stream()
                .filter(byFamily::containsKey)
                .map(byFamily::get)
                .findFirst()
                .orElseThrow(() -> new Hal0Exception(
                        ErrorCode.ENGINE_UNKNOWN,
                        "Model " + model.id() + " needs one of the engines " + model.engines() + "; this build has "
                                + byFamily.keySet() + "."));
    }

    /**
     * The family that runs a slot with this model: the one that its profile was chosen for, the only one that knows its
     * device, else the model's own first. A family that this build lacks is an error, never another one.
     *
     * @param named whether the slot's file names the profile
     */
    Engine choose(SlotDefinition definition, Profile profile, boolean named, RegisteredModel model) {
        if (definition.device() == Device.NPU) {
            return require(NPU_FAMILY);
        }
        if (named
                && profile.deviceClass() != ProfileClass.ANY
                && !model.engines().contains(profile.engine())) {
            throw new Hal0Exception(
                            ErrorCode.SLOT_CONFIG_ERROR,
                            "Profile '" + profile.name() + "' is for " + profile.engine() + "; model " + model.id()
                                    + " runs on " + model.engines() + ".")
                    .withParam("profile");
        }
        return named && model.engines().contains(profile.engine()) ? require(profile.engine()) : forModel(model);
    }

    /** Why no slot of this kind runs on this box as it is; empty when one can. */
    Optional<Hal0Exception> obstacle(SlotDefinition definition) {
        Optional<String> family = definition.device() == Device.NPU
                ? Optional.of(NPU_FAMILY)
                : Optional.ofNullable(ONLY_FAMILY.get(definition.type()));
        if (family.isEmpty()) {
            return Optional.empty();
        }
        if (!byFamily.containsKey(family.get())) {
            return Optional.of(new Hal0Exception(
                    ErrorCode.ENGINE_UNKNOWN,
                    "No engine for " + definition.name() + ": this version of hal0 has none for "
                            + (definition.device() == Device.NPU
                                    ? "the NPU"
                                    : "type " + definition.type().label())
                            + " yet."));
        }
        return missing.apply(family.get())
                .map(remedy -> new Hal0Exception(
                        ErrorCode.ENGINE_NOT_INSTALLED, "No engine for " + definition.name() + ": " + remedy));
    }

    public List<Engine> list() {
        return List.copyOf(byFamily.values());
    }
}
