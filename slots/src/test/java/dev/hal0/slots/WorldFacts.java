package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import dev.hal0.testing.Fact;
import dev.hal0.testing.InvariantChecker;
import dev.hal0.testing.Violation;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Tells {@link InvariantChecker} what happens in a {@link SchedulerWorld}: the same facts that a journal tells it of a box. */
final class WorldFacts {
    /** Simulated drains last as long as the dice like. */
    private static final Duration NO_BOUND = Duration.ofDays(365);

    /** What a load may wait beyond the limit until the next tick sees it. */
    private static final Duration SLACK = Duration.ofSeconds(120);

    private record Promise(String launch, long bytes) {}

    private final InvariantChecker checker = new InvariantChecker(NO_BOUND);
    private final Supplier<Instant> now;
    private final Map<SlotName, Residency> residencies = new HashMap<>();
    private final Map<SlotName, Promise> promises = new HashMap<>();
    private final Map<SlotName, Instant> waiting = new HashMap<>();
    private final Set<SlotName> owned = new HashSet<>();
    private final Map<Lease, String> requests = new IdentityHashMap<>();
    private final Map<Incarnation, Workload> launched = new LinkedHashMap<>();
    private Duration longestWait = Duration.ZERO;
    private int counter;

    WorldFacts(Supplier<Instant> now) {
        this.now = now;
    }

    void define(Map<SlotName, Residency> slots, ResidencyLimits limits) {
        residencies.putAll(slots);
        longestWait = limits.longestWait();
        slots.forEach((slot, residency) -> tell(new Fact.Defined(
                now.get(), slot.value(), Fact.Lane.valueOf(residency.lane().name()))));
        limits.budgetBytes().forEach((pool, bytes) -> tell(new Fact.Budget(now.get(), pool, bytes)));
    }

    void begun(OperationId operation, String kind) {
        tell(new Fact.OperationBegun(now.get(), operation.value(), "any", kind));
    }

    void ended(OperationId operation) {
        tell(new Fact.OperationEnded(now.get(), operation.value(), "ended"));
    }

    void entered(SlotName slot, Lease lease) {
        String request = "request-" + counter++;
        requests.put(lease, request);
        tell(new Fact.Entered(
                now.get(), request, slot.value(), lease.incarnation().value()));
    }

    void left(Collection<Lease> leases) {
        for (Lease lease : leases) {
            String request = requests.remove(lease);
            if (request != null) {
                tell(new Fact.Left(now.get(), request));
            }
        }
    }

    void revoked(SlotName slot, Incarnation life, RevokeCause cause, int cut) {
        tell(new Fact.Revoked(now.get(), slot.value(), life.value(), cause.label(), cut));
    }

    void launched(Workload workload) {
        launched.put(workload.incarnation(), workload);
        tell(new Fact.Launched(
                now.get(),
                workload.slot().value(),
                workload.nonce(),
                workload.incarnation().value()));
    }

    void launchFailed(Launch launch) {
        tell(new Fact.LaunchFailed(now.get(), launch.plan().slot().value(), launch.nonce()));
    }

    void stopped(Workload workload) {
        launched.remove(workload.incarnation());
        tell(new Fact.Stopped(
                now.get(), workload.slot().value(), workload.incarnation().value()));
    }

    /** It is dead and that is known, or nobody will ever hear of it. */
    void exited(SlotName slot, Incarnation life) {
        launched.remove(life);
        tell(new Fact.Exited(now.get(), slot.value(), life.value()));
    }

    void restarted(Set<Incarnation> alive) {
        for (Workload workload : List.copyOf(launched.values())) {
            if (!alive.contains(workload.incarnation())) {
                exited(workload.slot(), workload.incarnation());
            }
        }
        promises.clear();
        waiting.clear();
        owned.clear();
        requests.clear();
        tell(new Fact.ControlPlaneStarted(now.get()));
    }

    /** A step's outcome, before its effects take place. */
    void applied(Scheduler.Step step, Set<String> forced) {
        for (SlotEffect effect : step.effects()) {
            switch (effect) {
                case SlotEffect.Publish(SlotMachine machine, SlotState from, Optional<SlotEdge> edge)
                when edge.isPresent() ->
                    tell(new Fact.StateChanged(
                            now.get(),
                            machine.slot().value(),
                            from.label(),
                            machine.state().label(),
                            machine.cause().label()));
                case SlotEffect.Start(Launch launch) ->
                    tell(new Fact.LaunchAsked(now.get(), launch.plan().slot().value(), launch.nonce()));
                case SlotEffect.Stop(Workload workload, ClosedGate proof) ->
                    tell(new Fact.StopRequested(
                            now.get(),
                            workload.slot().value(),
                            workload.incarnation().value()));
                case SlotEffect.Erase(SlotName slot) -> tell(new Fact.Forgotten(now.get(), slot.value()));
                default -> {}
            }
        }
        promises(step.state(), forced);
    }

    private void promises(SchedulerState state, Set<String> forced) {
        for (SlotName slot : List.copyOf(promises.keySet())) {
            String before = java.util.Objects.requireNonNull(promises.get(slot)).launch();
            if (state.machine(slot)
                    .flatMap(SlotMachine::launch)
                    .filter(launch -> launch.nonce().equals(before))
                    .isEmpty()) {
                promises.remove(slot);
                tell(new Fact.Released(now.get(), slot.value()));
            }
        }
        var admitted = new ArrayList<Fact.Reserved>();
        for (SlotName slot : residencies.keySet()) {
            @Nullable Promise before = promises.get(slot);
            Optional<SlotMachine> machine =
                    state.machine(slot).filter(any -> any.launch().isPresent());
            if (machine.isEmpty()) {
                continue;
            }
            Launch launch = machine.get().launch().orElseThrow();
            var promise = new Promise(launch.nonce(), machine.get().reserved().orElse(0));
            if (promise.equals(before)) {
                continue;
            }
            promises.put(slot, promise);
            boolean begins = launch.incarnation().isEmpty() && before == null;
            if (begins) {
                admitted.add(reserved(
                        slot, promise, forced.contains(launch.nonce()) ? Fact.Basis.FORCED : Fact.Basis.ADMITTED));
            } else {
                tell(reserved(slot, promise, Fact.Basis.OBSERVED));
            }
        }
        // What is forced in the same step may have come after what had to fit.
        admitted.sort(java.util.Comparator.comparing(Fact.Reserved::basis));
        admitted.forEach(this::tell);
    }

    private Fact.Reserved reserved(SlotName slot, Promise promise, Fact.Basis basis) {
        Residency residency = java.util.Objects.requireNonNull(residencies.get(slot));
        return new Fact.Reserved(now.get(), slot.value(), residency.pool(), promise.bytes(), basis);
    }

    /** Everything that one event led to is done. */
    void settled(SchedulerState state, Set<SlotName> outstanding) {
        for (SlotName slot : residencies.keySet()) {
            if (outstanding.contains(slot) && owned.add(slot)) {
                tell(new Fact.OwnerTook(now.get(), slot.value(), "task"));
            } else if (!outstanding.contains(slot) && owned.remove(slot)) {
                tell(new Fact.OwnerLeft(now.get(), slot.value(), "task"));
            }
            @Nullable
            Instant since = state.machine(slot)
                    .filter(SlotMachine::waitsForRoom)
                    .flatMap(SlotMachine::next)
                    .map(SlotMachine.NextLaunch::since)
                    .orElse(null);
            @Nullable Instant before = waiting.get(slot);
            if (before != null && !before.equals(since)) {
                waiting.remove(slot);
                tell(new Fact.Answered(now.get(), "load of " + slot, "no longer"));
            }
            if (since != null && waiting.put(slot, since) == null) {
                tell(new Fact.Queued(
                        now.get(),
                        "load of " + slot,
                        slot.value(),
                        since.plus(longestWait).plus(SLACK)));
            }
        }
        tell(new Fact.Settled(now.get()));
        requireSound(checker.violations());
    }

    void finished() {
        requireSound(checker.finish());
    }

    private void tell(Fact fact) {
        checker.accept(fact);
    }

    private static void requireSound(List<Violation> violations) {
        if (!violations.isEmpty()) {
            throw new AssertionError("the history is broken: " + violations);
        }
    }
}
