package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Whether a load may begin, and who has to go first. Pure, and the only place that knows what fits: a memory promise is made
 * here or not at all.
 *
 * <ul>
 *   <li>What is loaded or being loaded counts with what it was measured to hold, or is estimated to. What is on its way out
 *       still counts: memory is free when its holder is gone.
 *   <li>A need that nobody knows is loaded alone, so that it can be measured; it is never refused for being unknown.
 *   <li>A slot gives way if it is ready, not pinned and of no higher priority: the least recently used first, those of the
 *       type that is full before others, the quiet before those in use. No more go than are needed.
 *   <li>Somebody inside is never cut. A slot in use is closed to new requests only after the load has been patient, and only
 *       if it had its share of time; then the load waits until those inside have left.
 *   <li>A load that would not fit even after everybody had gone is refused at once, one that found no room in time later.
 * </ul>
 */
final class RoomPlanner {
    sealed interface Decision {
        RoomEvidence evidence();

        record Admit(RoomEvidence evidence) implements Decision {}

        /** @param drain whether they are in use: closed to new requests until those inside have left */
        record MakeRoom(List<SlotName> victims, boolean drain, RoomEvidence evidence) implements Decision {}

        record Wait(RoomEvidence evidence) implements Decision {}

        /** It does not fit into this machine as it is configured. */
        record Refuse(RoomEvidence evidence) implements Decision {}
    }

    /** The load that wants in. */
    record Wanted(SlotName slot, Residency residency, OptionalLong need, boolean mayEvict, Instant since) {}

    /** One that holds memory. */
    private record Resident(SlotMachine machine, Residency residency, boolean quiet, Instant lastUsed) {
        long bytes() {
            return machine.reserved().orElse(0);
        }

        boolean isLeaving() {
            return machine.state() == SlotState.UNLOADING || machine.isClosing();
        }

        boolean isLoading() {
            return machine.state().isTransitional() && machine.state() != SlotState.UNLOADING;
        }
    }

    private final Wanted wanted;
    private final Observation world;
    private final Instant now;
    private final List<Resident> residents;
    private final Optional<Long> budget;
    private final Optional<Long> free;

    private RoomPlanner(Wanted wanted, SchedulerState state, Observation world, Instant now) {
        this.wanted = wanted;
        this.world = world;
        this.now = now;
        String pool = wanted.residency().pool();
        this.budget = Optional.ofNullable(world.limits().budgetBytes().get(pool));
        this.free = Optional.ofNullable(world.freeBytes().get(pool));
        var found = new ArrayList<Resident>();
        for (SlotMachine machine : state.machines().values()) {
            Optional<Observation.Use> use = world.of(machine.slot());
            if (machine.launch().isPresent()
                    && !machine.slot().equals(wanted.slot())
                    && use.isPresent()
                    && concerns(use.get().residency())) {
                found.add(new Resident(
                        machine,
                        use.get().residency(),
                        use.get().isQuiet(),
                        use.get().lastUsed().orElse(machine.since())));
            }
        }
        found.sort(Comparator.comparing((Resident one) ->
                        one.residency().type() != wanted.residency().type())
                .thenComparing(one -> one.residency().priority())
                .thenComparing(Resident::lastUsed)
                .thenComparing(one -> one.machine().slot()));
        this.residents = found;
    }

    static Decision decide(Wanted wanted, SchedulerState state, Observation world, Instant now) {
        return new RoomPlanner(wanted, state, world, now).decide();
    }

    private boolean concerns(Residency other) {
        return other.pool().equals(wanted.residency().pool())
                || other.type() == wanted.residency().type()
                || wanted.residency().lane().excludes(other.lane());
    }

    private boolean sharesMemory(Resident resident) {
        return resident.residency().pool().equals(wanted.residency().pool());
    }

    private Decision decide() {
        Optional<Resident> unmeasured = residents.stream()
                .filter(resident -> resident.isLoading() && sharesMemory(resident))
                .filter(resident ->
                        wanted.need().isEmpty() || resident.machine().reserved().isEmpty())
                .findFirst();
        if (unmeasured.isPresent() && (budget.isPresent() || free.isPresent())) {
            return new Decision.Wait(evidence("waits until "
                    + unmeasured.get().machine().slot() + " is loaded, because nobody knows how much "
                    + (wanted.need().isEmpty() ? "this one" : "that one") + " needs"));
        }
        if (fits(residents)) {
            return new Decision.Admit(evidence("there is room"));
        }
        List<Resident> staying =
                residents.stream().filter(resident -> !resident.isLeaving()).toList();
        if (fits(staying)) {
            return new Decision.Wait(evidence("waits for "
                    + names(residents.stream().filter(Resident::isLeaving).toList()) + " to be gone"));
        }
        // What is being loaded can give way when it is ready; what is pinned never can.
        List<Resident> someday = staying.stream()
                .filter(resident -> reserved(resident).isEmpty())
                .toList();
        List<Resident> movable =
                someday.stream().filter(resident -> !resident.isLoading()).toList();
        Optional<List<Resident>> idle =
                choose(staying, movable.stream().filter(this::isIdle).toList());
        if (idle.isPresent()) {
            return wanted.mayEvict()
                    ? makeRoom(idle.get(), false)
                    : new Decision.Wait(evidence("waits for room without taking it from others"));
        }
        Optional<List<Resident>> all = choose(staying, someday);
        if (all.isEmpty()) {
            return new Decision.Refuse(evidence("does not fit beside what may not be unloaded"));
        }
        boolean patient = now.isBefore(wanted.since().plus(world.limits().patience()));
        List<Resident> drainable = movable.stream()
                .filter(resident -> isIdle(resident) || hadItsTime(resident))
                .toList();
        Optional<List<Resident>> due = patient || !wanted.mayEvict() ? Optional.empty() : choose(staying, drainable);
        return due.isPresent()
                ? makeRoom(due.get(), true)
                : new Decision.Wait(evidence("waits until " + names(all.get()) + " can give way"));
    }

    private Decision makeRoom(List<Resident> victims, boolean drain) {
        return new Decision.MakeRoom(
                victims.stream().map(resident -> resident.machine().slot()).toList(),
                drain,
                evidence("takes the place of " + names(victims)));
    }

    /** Whether the load fits beside these, by every limit that is known. */
    private boolean fits(List<Resident> others) {
        if (others.stream()
                .anyMatch(other ->
                        wanted.residency().lane().excludes(other.residency().lane()))) {
            return false;
        }
        Integer cap = world.limits().residentPerType().get(wanted.residency().type());
        if (cap != null
                && others.stream()
                                .filter(other -> other.residency().type()
                                        == wanted.residency().type())
                                .count()
                        >= cap) {
            return false;
        }
        if (wanted.need().isEmpty()) {
            return true;
        }
        long need = wanted.need().getAsLong();
        long held = others.stream()
                .filter(this::sharesMemory)
                .mapToLong(Resident::bytes)
                .sum();
        if (budget.isPresent() && held + need > budget.get()) {
            return false;
        }
        return free.isEmpty() || need <= freeWith(others);
    }

    /** What is free now, less what loads under way will still take, plus what those that are not among them give back. */
    private long freeWith(List<Resident> others) {
        long bytes = free.orElseThrow();
        for (Resident resident : residents) {
            if (!sharesMemory(resident)) {
                continue;
            }
            if (!others.contains(resident)) {
                bytes += resident.isLoading() ? 0 : resident.bytes();
            } else if (resident.isLoading()) {
                bytes -= resident.bytes();
            }
        }
        return bytes;
    }

    /** The fewest of the candidates, in their order, without which the load fits; empty if it does not even without all. */
    private Optional<List<Resident>> choose(List<Resident> staying, List<Resident> candidates) {
        var left = new ArrayList<>(staying);
        var chosen = new ArrayList<Resident>();
        for (Resident candidate : candidates) {
            if (fits(left)) {
                break;
            }
            left.remove(candidate);
            chosen.add(candidate);
        }
        if (!fits(left)) {
            return Optional.empty();
        }
        // A large one further down the list may have made the small ones before it unnecessary.
        for (Resident candidate : List.copyOf(chosen)) {
            left.add(candidate);
            if (fits(left)) {
                chosen.remove(candidate);
            } else {
                left.remove(candidate);
            }
        }
        return Optional.of(chosen);
    }

    /** Why it never gives way to this load; empty if it does, now or later. */
    private Optional<String> reserved(Resident resident) {
        if (resident.residency().pinned()) {
            return Optional.of("is pinned");
        }
        if (resident.residency().priority() > wanted.residency().priority()) {
            return Optional.of("has a higher priority");
        }
        return Optional.empty();
    }

    private boolean isIdle(Resident resident) {
        return resident.quiet() && (hadItsTime(resident) || !wasUsedSinceReady(resident));
    }

    private static boolean wasUsedSinceReady(Resident resident) {
        return resident.lastUsed().isAfter(resident.machine().since());
    }

    private boolean hadItsTime(Resident resident) {
        return !now.isBefore(resident.machine().since().plus(world.limits().leastResidency()));
    }

    private RoomEvidence evidence(String reason) {
        var verdicts = new ArrayList<RoomEvidence.Verdict>();
        for (Resident resident : residents) {
            OptionalLong holds = resident.machine().reserved();
            String kept = reserved(resident).orElseGet(() -> verdict(resident));
            verdicts.add(new RoomEvidence.Verdict(
                    resident.machine().slot(), holds.isPresent() ? holds.getAsLong() : null, kept));
        }
        return new RoomEvidence(
                reason,
                wanted.need().isPresent() ? wanted.need().getAsLong() : null,
                budget.orElse(null),
                free.orElse(null),
                verdicts);
    }

    private String verdict(Resident resident) {
        if (resident.isLeaving()) {
            return "is on its way out";
        }
        if (resident.isLoading()) {
            return "is being loaded";
        }
        if (!resident.quiet()) {
            return "is in use";
        }
        return isIdle(resident) ? "can give way" : "became ready only now";
    }

    private static String names(List<Resident> residents) {
        return String.join(
                ", ",
                residents.stream()
                        .map(resident -> resident.machine().slot().value())
                        .toList());
    }
}
