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

/** For a ready route where nobody asks its engine anything. */
final class NoEngine implements Engine {
    @Override
    public String family() {
        return "none";
    }

    @Override
    public LaunchPlan plan(SlotDefinition definition, Profile profile, RegisteredModel model, Path keyFile) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Health health(Endpoint endpoint) {
        return new Health.Unreachable("none");
    }

    @Override
    public List<String> verify(LaunchPlan plan, Endpoint endpoint) {
        return List.of();
    }

    @Override
    public OptionalInt busy(Endpoint endpoint) {
        return OptionalInt.empty();
    }

    @Override
    public Optional<String> path(String gatewayPath) {
        return Optional.empty();
    }

    @Override
    public CancelRule cancelRule() {
        return CancelRule.ON_DISCONNECT;
    }

    @Override
    public Map<String, Object> describe(Endpoint endpoint) {
        return Map.of();
    }
}
