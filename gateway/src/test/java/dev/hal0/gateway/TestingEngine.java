package dev.hal0.gateway;

import dev.hal0.models.RegisteredModel;
import dev.hal0.slots.CancelRule;
import dev.hal0.slots.Endpoint;
import dev.hal0.slots.Engine;
import dev.hal0.slots.Health;
import dev.hal0.slots.LaunchPlan;
import dev.hal0.slots.SlotDefinition;
import dev.hal0.slots.profile.Profile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** A family that speaks the gateway's own paths, but for one. */
record TestingEngine(CancelRule cancelRule, boolean includesUsage) implements Engine {
    static final String UNKNOWN_PATH = "/v1/completions";

    @Override
    public String family() {
        return "testing";
    }

    @Override
    public Optional<String> path(String gatewayPath) {
        return gatewayPath.equals(UNKNOWN_PATH) ? Optional.empty() : Optional.of("/engine" + gatewayPath);
    }

    @Override
    public boolean includesUsage(String gatewayPath) {
        return includesUsage;
    }

    @Override
    public LaunchPlan plan(SlotDefinition definition, Profile profile, RegisteredModel model, Path keyFile) {
        throw new UnsupportedOperationException("the gateway plans nothing");
    }

    @Override
    public Health health(Endpoint endpoint) {
        throw new UnsupportedOperationException("the gateway asks no engine how it is");
    }

    @Override
    public List<String> verify(LaunchPlan plan, Endpoint endpoint) {
        throw new UnsupportedOperationException("the gateway verifies nothing");
    }

    @Override
    public OptionalInt busy(Endpoint endpoint) {
        throw new UnsupportedOperationException("the gateway asks no engine how it is");
    }

    @Override
    public Map<String, Object> describe(Endpoint endpoint) {
        throw new UnsupportedOperationException("the gateway asks no engine how it is");
    }
}
