package dev.hal0.slots;

import dev.hal0.models.RegisteredModel;
import dev.hal0.slots.profile.Profile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/** An engine that answers what it is told to. */
final class FakeEngine implements Engine {
    final AtomicReference<Health> health = new AtomicReference<>(new Health.Ready());
    /** By model: what the engine runs otherwise than asked. */
    final Map<String, List<String>> differences = new ConcurrentHashMap<>();

    private final OptionalLong need;

    FakeEngine() {
        this.need = OptionalLong.empty();
    }

    FakeEngine(long need) {
        this.need = OptionalLong.of(need);
    }

    @Override
    public OptionalLong needBytes(LaunchPlan plan, RegisteredModel model) {
        return need;
    }

    @Override
    public String family() {
        return "fake";
    }

    @Override
    public LaunchPlan plan(SlotDefinition definition, Profile profile, RegisteredModel model, Path keyFile) {
        return new LaunchPlan(
                definition.name(),
                "fake",
                "fake-server",
                List.of("--model", model.id()),
                definition.environment(),
                List.of(),
                keyFile,
                model.id(),
                "127.0.0.1",
                definition.port(),
                definition.parallel(),
                Map.of());
    }

    final AtomicBoolean counts = new AtomicBoolean();
    final AtomicReference<String> counters = new AtomicReference<>("");

    @Override
    public boolean countsProgress() {
        return counts.get();
    }

    @Override
    public Optional<String> progress(Endpoint endpoint) {
        return Optional.of(Objects.requireNonNull(counters.get())).filter(word -> !word.isEmpty());
    }

    @Override
    public Health health(Endpoint endpoint) {
        return Objects.requireNonNull(health.get());
    }

    @Override
    public List<String> verify(LaunchPlan plan, Endpoint endpoint) {
        return differences.getOrDefault(plan.modelId(), List.of());
    }

    @Override
    public OptionalInt busy(Endpoint endpoint) {
        return OptionalInt.empty();
    }

    @Override
    public Optional<String> path(String gatewayPath) {
        return Optional.of(gatewayPath);
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
