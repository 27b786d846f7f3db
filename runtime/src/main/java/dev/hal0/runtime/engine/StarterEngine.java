package dev.hal0.runtime.engine;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.models.RegisteredModel;
import dev.hal0.slots.CancelRule;
import dev.hal0.slots.Endpoint;
import dev.hal0.slots.Engine;
import dev.hal0.slots.Health;
import dev.hal0.slots.LaunchPlan;
import dev.hal0.slots.SlotDefinition;
import dev.hal0.slots.SlotType;
import dev.hal0.slots.profile.Profile;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** hal0's own small engine: embeddings from the JVM with the model that ships in a jar, in a process of its own. */
public final class StarterEngine implements Engine {
    public static final String FAMILY = "starter";

    private static final long NEED_BYTES = 280L << 20;

    @Override
    public String family() {
        return FAMILY;
    }

    /** Measured at 250 MB after some thousand inputs. */
    @Override
    public OptionalLong needBytes(LaunchPlan plan, RegisteredModel model) {
        return OptionalLong.of(NEED_BYTES);
    }

    @Override
    public LaunchPlan plan(SlotDefinition definition, Profile profile, RegisteredModel model, Path keyFile) {
        if (definition.type() != SlotType.EMBEDDING) {
            throw new Hal0Exception(
                            ErrorCode.SLOT_CONFIG_ERROR,
                            "The starter engine serves embeddings only, not type "
                                    + definition.type().label() + ".")
                    .withParam("type");
        }
        if (!definition.extraArguments().isBlank()) {
            throw new Hal0Exception(ErrorCode.SLOT_CONFIG_ERROR, "The starter engine takes no extra arguments.")
                    .withParam("server.extra_args");
        }
        return new LaunchPlan(
                definition.name(),
                FAMILY,
                FAMILY,
                List.of(
                        "--host",
                        "127.0.0.1",
                        "--port",
                        Integer.toString(definition.port()),
                        "--alias",
                        model.id(),
                        "--api-key-file",
                        keyFile.toString(),
                        "--parallel",
                        Integer.toString(definition.parallel())),
                definition.environment(),
                List.of(),
                keyFile,
                model.id(),
                "127.0.0.1",
                definition.port(),
                definition.parallel(),
                Map.of("model_alias", model.id()));
    }

    @Override
    public Health health(Endpoint endpoint) {
        return HttpHealth.ask(endpoint);
    }

    @Override
    public List<String> verify(LaunchPlan plan, Endpoint endpoint) {
        try {
            EngineHttp.Reply reply = EngineHttp.get(endpoint, "/props", Duration.ofSeconds(5));
            String alias = reply.body()
                    .map(props -> props.path("model_alias").asString(""))
                    .orElse("");
            return alias.equals(plan.modelId())
                    ? List.of()
                    : List.of("model_alias is '" + alias + "' and should be '" + plan.modelId() + "'");
        } catch (IOException silent) {
            return List.of("it does not answer /props");
        }
    }

    @Override
    public OptionalInt busy(Endpoint endpoint) {
        return OptionalInt.empty();
    }

    @Override
    public Optional<String> path(String gatewayPath) {
        return gatewayPath.equals("/v1/embeddings") ? Optional.of(gatewayPath) : Optional.empty();
    }

    @Override
    public CancelRule cancelRule() {
        return CancelRule.ON_DISCONNECT;
    }

    @Override
    public Map<String, Object> describe(Endpoint endpoint) {
        return Map.of("model", "all-MiniLM-L6-v2");
    }
}
