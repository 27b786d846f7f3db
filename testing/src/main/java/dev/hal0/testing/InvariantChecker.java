package dev.hal0.testing;

import static dev.hal0.testing.Invariant.GPU_EXCLUSIVE;
import static dev.hal0.testing.Invariant.LEGAL_EDGES;
import static dev.hal0.testing.Invariant.MEMORY_PROMISED_ONCE;
import static dev.hal0.testing.Invariant.NOBODY_CUT;
import static dev.hal0.testing.Invariant.NO_LIFE_AFTER_STOP;
import static dev.hal0.testing.Invariant.NO_WAITER_LOST;
import static dev.hal0.testing.Invariant.ONE_ANCHOR;
import static dev.hal0.testing.Invariant.OPERATIONS_END_ONCE;
import static dev.hal0.testing.Invariant.TRANSITIONS_OWNED;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads a history and says where it breaks an {@link Invariant}. It is told facts and draws its own conclusions: it shares no
 * code with what it judges, so that both would have to be wrong in the same way.
 *
 * <p>What the end of a control plane cuts short is no violation: its operations and waiters end with it. Not thread-safe.
 */
public final class InvariantChecker {
    private static final Set<String> REVOKE_CAUSES =
            Set.of("operator_force", "image_mode_forced", "engine_lost", "engine_hung");

    private static final Set<String> TRANSITIONAL = Set.of("pulling", "starting", "warming", "unloading");

    /** Where a slot may go from each state. */
    private static final Map<String, Set<String>> EDGES = Map.of(
            "offline", Set.of("pulling", "starting", "warming"),
            "pulling", Set.of("starting", "unloading", "error"),
            "starting", Set.of("warming", "unloading", "error"),
            "warming", Set.of("ready", "starting", "unloading", "offline", "error"),
            "ready", Set.of("warming", "unloading", "offline", "error"),
            "unloading", Set.of("offline", "error"),
            "error", Set.of("offline", "pulling", "starting", "warming", "unloading"));

    private record Standing(String state, Instant since) {}

    private record Inside(String slot, String incarnation) {}

    private record Promise(String pool, long bytes) {}

    private final Duration longestTransition;
    private final List<Violation> violations = new ArrayList<>();
    private final Map<String, Fact.Lane> lanes = new HashMap<>();
    private final Map<String, Long> budgets = new HashMap<>();
    private final Map<String, Promise> promises = new HashMap<>();
    private final Map<String, Inside> inside = new LinkedHashMap<>();
    private final Set<String> revoked = new HashSet<>();
    private final Set<String> stopping = new HashSet<>();
    private final Set<String> stopped = new HashSet<>();
    private final Set<String> over = new HashSet<>();
    /** Launch to slot, from the moment it may exist until it is gone. */
    private final Map<String, String> onDevices = new LinkedHashMap<>();

    private final Map<String, String> launches = new HashMap<>();
    private final Map<String, Standing> standing = new LinkedHashMap<>();
    private final Map<String, Set<String>> owners = new HashMap<>();
    private final Map<String, Fact.Queued> waiting = new LinkedHashMap<>();
    private final Map<String, Fact.OperationBegun> open = new LinkedHashMap<>();
    private final Set<String> interrupted = new HashSet<>();
    private final Set<String> ended = new HashSet<>();
    private Instant now = Instant.MIN;

    /** @param longestTransition after which a slot that is between two states is taken for stuck */
    public InvariantChecker(Duration longestTransition) {
        this.longestTransition = longestTransition;
    }

    /**
     * A whole history that has come to rest.
     *
     * @return what was broken, in the order in which it was
     */
    public static List<Violation> check(Iterable<? extends Fact> history, Duration longestTransition) {
        var checker = new InvariantChecker(longestTransition);
        history.forEach(checker::accept);
        return checker.finish();
    }

    /** What was broken until now. */
    public List<Violation> violations() {
        return List.copyOf(violations);
    }

    /** Nothing more comes: nobody may still be waiting, and nothing may be under way. */
    public List<Violation> finish() {
        waiting.values()
                .forEach(waiter -> broken(
                        NO_WAITER_LOST, waiter.waiter() + " still waits for slot " + waiter.slot() + " at the end"));
        open.values()
                .forEach(begun -> broken(
                        OPERATIONS_END_ONCE,
                        begun.kind() + " " + begun.operation() + " of slot " + begun.slot() + " began at " + begun.at()
                                + " and never ended"));
        standing.forEach((slot, at) -> {
            if (TRANSITIONAL.contains(at.state())) {
                broken(TRANSITIONS_OWNED, "slot " + slot + " is " + at.state() + " at the end");
            }
        });
        return violations();
    }

    public void accept(Fact fact) {
        now = fact.at();
        switch (fact) {
            case Fact.ControlPlaneStarted started -> restarted();
            case Fact.Defined(var at, var slot, var lane) -> lanes.put(slot, lane);
            case Fact.Budget(var at, var pool, var bytes) -> budgets.put(pool, bytes);
            case Fact.Settled settled -> settled();
            case Fact.Entered entered -> entered(entered);
            case Fact.Left(var at, var request) -> inside.remove(request);
            case Fact.Revoked told -> revoked(told);
            case Fact.Queued waiter -> waiting.put(waiter.waiter(), waiter);
            case Fact.Answered(var at, var waiter, var outcome) -> answered(waiter, outcome);
            case Fact.LaunchAsked(var at, var slot, var launch) -> occupies(slot, launch);
            case Fact.Launched(var at, var slot, var launch, var incarnation) -> launched(slot, launch, incarnation);
            case Fact.LaunchFailed(var at, var slot, var launch) -> onDevices.remove(launch);
            case Fact.StopRequested(var at, var slot, var incarnation) -> stopRequested(slot, incarnation);
            case Fact.Stopped(var at, var slot, var incarnation) -> {
                stopped.add(incarnation);
                gone(incarnation);
            }
            case Fact.Exited(var at, var slot, var incarnation) -> gone(incarnation);
            case Fact.StateChanged changed -> changed(changed);
            case Fact.Forgotten(var at, var slot) -> standing.remove(slot);
            case Fact.OwnerTook(var at, var slot, var owner) ->
                owners.computeIfAbsent(slot, ignored -> new HashSet<>()).add(owner);
            case Fact.OwnerLeft(var at, var slot, var owner) ->
                owners.getOrDefault(slot, new HashSet<>()).remove(owner);
            case Fact.Reserved reserved -> reserved(reserved);
            case Fact.Released(var at, var slot) -> promises.remove(slot);
            case Fact.OperationBegun begun -> begun(begun);
            case Fact.OperationEnded(var at, var operation, var outcome) -> ended(operation, outcome);
        }
    }

    private void restarted() {
        inside.clear();
        waiting.clear();
        owners.clear();
        promises.clear();
        // The next control plane may find alive what the last one was stopping.
        stopping.clear();
        // What it finds of each slot is where that slot's history goes on.
        standing.clear();
        interrupted.addAll(open.keySet());
        open.clear();
    }

    private void settled() {
        standing.forEach((slot, at) -> {
            if (TRANSITIONAL.contains(at.state())
                    && owners.getOrDefault(slot, Set.of()).isEmpty()) {
                broken(
                        TRANSITIONS_OWNED,
                        "slot " + slot + " is " + at.state() + " since " + at.since() + " and nothing is under way");
            }
            expireTransition(slot, at);
        });
        waiting.values().stream()
                .filter(waiter -> now.isAfter(waiter.until()))
                .toList()
                .forEach(waiter -> {
                    waiting.remove(waiter.waiter());
                    late(waiter);
                });
    }

    private void late(Fact.Queued waiter) {
        broken(
                NO_WAITER_LOST,
                waiter.waiter() + " waits for slot " + waiter.slot() + " since " + waiter.at()
                        + " and should have had an answer by " + waiter.until());
    }

    private void entered(Fact.Entered entered) {
        String incarnation = entered.incarnation();
        if (over.contains(incarnation)) {
            broken(
                    NO_LIFE_AFTER_STOP,
                    entered.request() + " entered " + incarnation + " of slot " + entered.slot() + " after its end");
        } else if (stopping.contains(incarnation)) {
            broken(
                    NO_LIFE_AFTER_STOP,
                    entered.request() + " entered " + incarnation + " of slot " + entered.slot()
                            + " while it was being stopped");
        }
        inside.put(entered.request(), new Inside(entered.slot(), incarnation));
    }

    private void revoked(Fact.Revoked told) {
        if (!REVOKE_CAUSES.contains(told.cause())) {
            broken(
                    NOBODY_CUT,
                    told.incarnation() + " of slot " + told.slot() + " was revoked for " + told.cause()
                            + ", which may not revoke");
        }
        revoked.add(told.incarnation());
    }

    private void answered(String waiter, String outcome) {
        Fact.@Nullable Queued queued = waiting.remove(waiter);
        if (queued == null) {
            broken(NO_WAITER_LOST, waiter + " was answered (" + outcome + ") and did not wait");
        } else if (now.isAfter(queued.until())) {
            late(queued);
        }
    }

    private void occupies(String slot, String launch) {
        Fact.Lane mine = lanes.getOrDefault(slot, Fact.Lane.SHARED);
        onDevices.forEach((other, owner) -> {
            Fact.Lane lane = lanes.getOrDefault(owner, Fact.Lane.SHARED);
            if (!other.equals(launch) && mine == Fact.Lane.NPU && lane == Fact.Lane.NPU) {
                broken(ONE_ANCHOR, "slots " + owner + " and " + slot + " are on the NPU together");
            }
            if (mine == Fact.Lane.IMAGE && lane == Fact.Lane.INFERENCE
                    || mine == Fact.Lane.INFERENCE && lane == Fact.Lane.IMAGE) {
                broken(
                        GPU_EXCLUSIVE,
                        "slot " + slot + " (" + mine + ") came onto the GPU beside slot " + owner + " (" + lane + ")");
            }
        });
        onDevices.put(launch, slot);
    }

    private void launched(String slot, String launch, String incarnation) {
        if (over.contains(incarnation)) {
            broken(NO_LIFE_AFTER_STOP, incarnation + " of slot " + slot + " was launched after its end");
        }
        if (!onDevices.containsKey(launch)) {
            occupies(slot, launch);
        }
        launches.put(incarnation, launch);
    }

    private void stopRequested(String slot, String incarnation) {
        // One that ended by itself while it was drained is stopped all the same.
        if (stopped.contains(incarnation)) {
            broken(NO_LIFE_AFTER_STOP, incarnation + " of slot " + slot + " was stopped again after its end");
        }
        List<String> people = peopleIn(incarnation);
        if (!people.isEmpty() && !revoked.contains(incarnation)) {
            broken(
                    NOBODY_CUT,
                    incarnation + " of slot " + slot + " was stopped with " + String.join(", ", people)
                            + " inside, and nobody revoked it");
        }
        stopping.add(incarnation);
    }

    private List<String> peopleIn(String incarnation) {
        var people = new ArrayList<String>();
        inside.forEach((request, where) -> {
            if (where.incarnation().equals(incarnation)) {
                people.add(request);
            }
        });
        return people;
    }

    private void gone(String incarnation) {
        over.add(incarnation);
        stopping.remove(incarnation);
        @Nullable String launch = launches.remove(incarnation);
        if (launch != null) {
            onDevices.remove(launch);
        }
        peopleIn(incarnation).forEach(inside::remove);
    }

    private void changed(Fact.StateChanged changed) {
        String slot = changed.slot();
        String step = changed.from() + " -> " + changed.to() + " (" + changed.cause() + ")";
        @Nullable Standing before = standing.get(slot);
        if (before != null) {
            expireTransition(slot, before);
            if (!before.state().equals(changed.from())) {
                broken(LEGAL_EDGES, "slot " + slot + " went " + step + " while it was " + before.state());
            }
        }
        if (!EDGES.getOrDefault(changed.from(), Set.of()).contains(changed.to())) {
            broken(LEGAL_EDGES, "slot " + slot + " went " + step + ", which is no edge");
        }
        standing.put(slot, new Standing(changed.to(), changed.at()));
    }

    private void expireTransition(String slot, Standing at) {
        if (TRANSITIONAL.contains(at.state()) && now.isAfter(at.since().plus(longestTransition))) {
            broken(TRANSITIONS_OWNED, "slot " + slot + " is " + at.state() + " for ever, since " + at.since());
            standing.put(slot, new Standing(at.state(), now));
        }
    }

    private void reserved(Fact.Reserved reserved) {
        promises.put(reserved.slot(), new Promise(reserved.pool(), reserved.bytes()));
        @Nullable Long budget = budgets.get(reserved.pool());
        if (reserved.basis() != Fact.Basis.ADMITTED || budget == null || reserved.bytes() == 0) {
            return;
        }
        long sum = 0;
        var holders = new LinkedHashSet<String>();
        for (Map.Entry<String, Promise> promise : promises.entrySet()) {
            if (promise.getValue().pool().equals(reserved.pool())) {
                sum += promise.getValue().bytes();
                holders.add(promise.getKey() + " " + promise.getValue().bytes());
            }
        }
        if (sum > budget) {
            broken(
                    MEMORY_PROMISED_ONCE,
                    "slot " + reserved.slot() + " was let in, and " + sum + " of " + budget + " bytes of "
                            + reserved.pool() + " are promised: " + String.join(", ", holders));
        }
    }

    private void begun(Fact.OperationBegun begun) {
        if (open.put(begun.operation(), begun) != null || ended.contains(begun.operation())) {
            broken(OPERATIONS_END_ONCE, begun.kind() + " " + begun.operation() + " began twice");
        }
    }

    private void ended(String operation, String outcome) {
        if (!ended.add(operation)) {
            broken(OPERATIONS_END_ONCE, operation + " ended twice, the second time " + outcome);
        } else if (open.remove(operation) == null && !interrupted.remove(operation)) {
            broken(OPERATIONS_END_ONCE, operation + " ended (" + outcome + ") and had not begun");
        }
    }

    private void broken(Invariant invariant, String what) {
        violations.add(new Violation(invariant, now, what));
    }
}
