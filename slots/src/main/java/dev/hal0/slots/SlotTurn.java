package dev.hal0.slots;

import dev.hal0.kernel.Hal0Exception;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** One slot during one step: its machine as it changes, and what is to be done. Lives as long as the step. */
final class SlotTurn {
    /** First pause after a failed attempt; doubles with each further one to {@link #LONGEST_PAUSE}. */
    static final Duration FIRST_PAUSE = Duration.ofSeconds(2);

    /** A slot that was ready for this long has left its earlier failures behind. */
    static final Duration STABLE = Duration.ofSeconds(60);

    static final Duration LONGEST_PAUSE = Duration.ofSeconds(300);

    final Instant now;
    private final List<SlotEffect> effects;
    SlotMachine machine;

    /** Whether the slot is to be known no more. */
    boolean forgotten;

    /** @param effects are added to */
    SlotTurn(SlotMachine machine, Instant now, List<SlotEffect> effects) {
        this.machine = machine;
        this.now = now;
        this.effects = effects;
    }

    void effect(SlotEffect effect) {
        effects.add(effect);
    }

    /** @param between done when the new state is durable and before anybody is told of it */
    void move(SlotEdge edge, CauseCode cause, String message, SlotEffect... between) {
        SlotState from = machine.state();
        machine = machine.moved(edge, cause, message, now);
        effect(new SlotEffect.Persist(machine));
        effects.addAll(List.of(between));
        effect(new SlotEffect.Publish(machine, from, Optional.of(edge)));
    }

    /** What works for a while and fails is not in a row with what failed before. */
    void failedWhileReady(Hal0Exception why) {
        if (!now.isBefore(machine.since().plus(STABLE))) {
            machine = machine.withFailures(0);
        }
        machine = machine.withFailure(why);
    }

    /**
     * The load that took another model's place has failed: that model comes back, and whoever waited for the load hears so.
     *
     * @return why it failed, with what follows from it
     */
    Hal0Exception undoSwap(Hal0Exception why) {
        Optional<String> before = machine.swappedFrom();
        if (before.isEmpty()) {
            return why;
        }
        machine = machine.withSwappedFrom(Optional.empty()).withDesired(true);
        effect(new SlotEffect.Reload(machine.slot(), CauseCode.SWAP_UNDONE));
        return why.withMessage(why.message() + " Slot " + machine.slot() + " goes back to model " + before.get() + ".")
                .withDetail("restoring", before.get());
    }

    void cancelNext(String why) {
        machine.next().ifPresent(next -> effect(new SlotEffect.Cancel(next.operations(), why)));
        machine = machine.withNext(Optional.empty());
    }

    static Duration pauseAfter(int failures) {
        long doubled = FIRST_PAUSE.toMillis() << Math.clamp(failures - 1, 0, 8);
        return Duration.ofMillis(Math.min(doubled, LONGEST_PAUSE.toMillis()));
    }

    static Set<OperationId> with(Set<OperationId> set, OperationId one) {
        return union(set, Set.of(one));
    }

    static Set<OperationId> union(Set<OperationId> one, Set<OperationId> other) {
        var all = new HashSet<>(one);
        all.addAll(other);
        return Set.copyOf(all);
    }
}
