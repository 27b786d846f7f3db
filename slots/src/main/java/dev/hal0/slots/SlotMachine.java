package dev.hal0.slots;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Everything the scheduler knows of one slot.
 *
 * @param since when {@code state} was entered
 * @param desired whether the slot should be loaded; what the next control plane starts from
 * @param launch the current launch; present exactly while a workload may exist
 * @param operations who waits for the slot to become ready
 * @param stopping who waits for the slot to become offline
 * @param next the launch to start when the running stop has finished, or when there is room
 * @param failure why the last attempt failed; kept until the next one
 * @param failures failed attempts in a row
 * @param retryAt when a failed slot that should be loaded is tried again
 * @param learned what the last measured launch of the slot really held
 * @param swappedFrom the model that ran until the load under way took its place; it comes back if that load fails
 * @param closing how far the end of the running workload has come
 * @param closingCause why it is being ended; meaningless while {@code closing} is {@code NO}
 */
record SlotMachine(
        SlotName slot,
        SlotState state,
        Instant since,
        CauseCode cause,
        String message,
        boolean desired,
        Optional<Launch> launch,
        Set<OperationId> operations,
        Set<OperationId> stopping,
        Optional<NextLaunch> next,
        Optional<Hal0Exception> failure,
        int failures,
        Optional<Instant> retryAt,
        Optional<Learned> learned,
        Optional<String> swappedFrom,
        Closing closing,
        CauseCode closingCause) {

    /** Each step is asked for once; a later one overtakes an earlier one whose result is then stale. */
    enum Closing {
        NO,
        /** The gate is asked to close if nobody happens to be inside. */
        TRYING,
        /** The gate waits for those inside. */
        DRAINING,
        /** Those inside were told to leave. */
        REVOKING,
        /** Nobody is inside; the runtime is ending the workload. */
        STOPPING
    }

    /**
     * A load that waits for the stop of what runs now, or for room.
     *
     * @param since when it began to wait
     */
    record NextLaunch(LoadRequest request, Set<OperationId> operations, Instant since) {}

    /** @param bytes most that was ever measured of a launch of that plan */
    record Learned(String planHash, long bytes) {}

    static SlotMachine offline(SlotName slot, Instant now) {
        return new SlotMachine(
                slot,
                SlotState.OFFLINE,
                now,
                CauseCode.NEVER_LOADED,
                "",
                false,
                Optional.empty(),
                Set.of(),
                Set.of(),
                Optional.empty(),
                Optional.empty(),
                0,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Closing.NO,
                CauseCode.NEVER_LOADED);
    }

    boolean runs(Incarnation incarnation) {
        return launch.flatMap(Launch::incarnation).filter(incarnation::equals).isPresent();
    }

    boolean isClosing() {
        return closing != Closing.NO;
    }

    boolean isLaunching(String nonce) {
        return launch.filter(current -> current.nonce().equals(nonce)).isPresent();
    }

    /** Nothing of it runs, and a load waits: for room, since there is nothing else to wait for. */
    boolean waitsForRoom() {
        return launch.isEmpty() && next.isPresent();
    }

    /** A load is on its way, or waits for its turn. */
    boolean isUnderWay() {
        return next.isPresent() || (state.isTransitional() && state != SlotState.UNLOADING);
    }

    /** It is to be loaded, whether it is or not. */
    boolean isWanted() {
        return desired || next.isPresent();
    }

    /** When a failed slot that should be loaded is tried again by itself: each time later. */
    Optional<Instant> retryDue() {
        return desired && launch.isEmpty() && next.isEmpty() && failure.isPresent()
                ? Optional.of(retryAt.orElseGet(() -> since.plus(SlotTurn.pauseAfter(failures))))
                : Optional.empty();
    }

    /** What its workload holds or will hold, as well as it is known; zero without one, empty if unknown. */
    OptionalLong reserved() {
        return launch.isEmpty()
                ? OptionalLong.of(0)
                : need(launch.get().plan(), launch.get().needBytes());
    }

    /**
     * What a launch of the plan would hold: the larger of the estimate and what was measured, with room for what grows. What
     * was measured alone may be too little, because mapped weights count when they are first touched and a GPU's not at all.
     */
    OptionalLong need(LaunchPlan plan, OptionalLong estimate) {
        return learned.filter(known -> known.planHash().equals(plan.hash()))
                .map(known -> OptionalLong.of(Math.max(known.bytes() + known.bytes() / 20, estimate.orElse(0))))
                .orElse(estimate);
    }

    /** All operations that end when this slot's present business ends. */
    List<OperationId> everyoneWaiting() {
        var all = new HashSet<>(operations);
        all.addAll(stopping);
        return List.copyOf(all);
    }

    SlotMachine moved(SlotEdge edge, CauseCode why, String text, Instant now) {
        if (!edge.leaves(state)) {
            throw new IllegalStateException("no edge " + edge + " leaves " + state + " of slot " + slot);
        }
        Change change = new Change(this);
        change.state = edge.to();
        change.since = now;
        change.cause = why;
        change.message = text;
        return change.done();
    }

    /** As it was recorded, perhaps under a clock that ran ahead. */
    SlotMachine noLaterThan(Instant now) {
        Change change = new Change(this);
        change.since = since.isAfter(now) ? now : since;
        return change.done();
    }

    SlotMachine withMessage(String value) {
        Change change = new Change(this);
        change.message = value;
        return change.done();
    }

    SlotMachine withDesired(boolean value) {
        Change change = new Change(this);
        change.desired = value;
        return change.done();
    }

    SlotMachine withLaunch(Optional<Launch> value) {
        Change change = new Change(this);
        change.launch = value;
        return change.done();
    }

    SlotMachine withOperations(Set<OperationId> value) {
        Change change = new Change(this);
        change.operations = value;
        return change.done();
    }

    SlotMachine withStopping(Set<OperationId> value) {
        Change change = new Change(this);
        change.stopping = value;
        return change.done();
    }

    SlotMachine withNext(Optional<NextLaunch> value) {
        Change change = new Change(this);
        change.next = value;
        return change.done();
    }

    SlotMachine withFailure(Hal0Exception why) {
        Change change = new Change(this);
        change.failure = Optional.of(why);
        change.failures = failures + 1;
        return change.done();
    }

    SlotMachine withoutFailure() {
        Change change = new Change(this);
        change.failure = Optional.empty();
        change.failures = 0;
        change.retryAt = Optional.empty();
        return change.done();
    }

    /** It works again; how often it failed before is kept until it has worked for a while. */
    SlotMachine recovered() {
        Change change = new Change(this);
        change.failure = Optional.empty();
        change.retryAt = Optional.empty();
        return change.done();
    }

    SlotMachine withFailures(int value) {
        Change change = new Change(this);
        change.failures = value;
        return change.done();
    }

    SlotMachine withRetryAt(Instant value) {
        Change change = new Change(this);
        change.retryAt = Optional.of(value);
        return change.done();
    }

    SlotMachine withLearned(Learned value) {
        Change change = new Change(this);
        change.learned = Optional.of(value);
        return change.done();
    }

    SlotMachine withSwappedFrom(Optional<String> model) {
        Change change = new Change(this);
        change.swappedFrom = model;
        return change.done();
    }

    SlotMachine withClosing(Closing value) {
        Change change = new Change(this);
        change.closing = value;
        return change.done();
    }

    SlotMachine withClosing(Closing value, CauseCode why) {
        Change change = new Change(this);
        change.closing = value;
        change.closingCause = why;
        return change.done();
    }

    /** A copy in the making. */
    private static final class Change {
        private final SlotName slot;
        private SlotState state;
        private Instant since;
        private CauseCode cause;
        private String message;
        private boolean desired;
        private Optional<Launch> launch;
        private Set<OperationId> operations;
        private Set<OperationId> stopping;
        private Optional<NextLaunch> next;
        private Optional<Hal0Exception> failure;
        private int failures;
        private Optional<Instant> retryAt;
        private Optional<Learned> learned;
        private Optional<String> swappedFrom;
        private Closing closing;
        private CauseCode closingCause;

        Change(SlotMachine from) {
            slot = from.slot;
            state = from.state;
            since = from.since;
            cause = from.cause;
            message = from.message;
            desired = from.desired;
            launch = from.launch;
            operations = from.operations;
            stopping = from.stopping;
            next = from.next;
            failure = from.failure;
            failures = from.failures;
            retryAt = from.retryAt;
            learned = from.learned;
            swappedFrom = from.swappedFrom;
            closing = from.closing;
            closingCause = from.closingCause;
        }

        SlotMachine done() {
            return new SlotMachine(
                    slot,
                    state,
                    since,
                    cause,
                    message,
                    desired,
                    launch,
                    operations,
                    stopping,
                    next,
                    failure,
                    failures,
                    retryAt,
                    learned,
                    swappedFrom,
                    closing,
                    closingCause);
        }
    }
}
