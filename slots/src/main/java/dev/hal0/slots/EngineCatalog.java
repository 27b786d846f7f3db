package dev.hal0.slots;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.models.RegisteredModel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The engine families this build knows. Immutable. */
public final class EngineCatalog {
    private final Map<String, Engine> byFamily = new LinkedHashMap<>();

    public EngineCatalog(List<Engine> engines) {
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

    public List<Engine> list() {
        return List.copyOf(byFamily.values());
    }
}
