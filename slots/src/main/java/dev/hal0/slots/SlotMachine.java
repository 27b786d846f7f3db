package dev.hal0.slots;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Everything the scheduler knows of one slot.
 *
 * @param since when {@code state} was entered
 * @param desired whether the slot should be loaded; what the next control plane starts from
 * @param launch the current launch; present exactly while a workload may exist
 * @param operations who waits for the slot to become ready
 * @param stopping who waits for the slot to become offline
 * @param next the launch to start when the running stop has finished
 * @param failure why the last attempt failed; kept until the next one
 * @param failures failed attempts in a row
 * @param closing how far the end of the running workload has come
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
        Closing closing) {

    /** Each step is asked for once; a later one overtakes an earlier one whose result is then stale. */
    enum Closing {
        NO,
        /** The gate waits for those inside. */
        DRAINING,
        /** Those inside were told to leave. */
        REVOKING,
        /** Nobody is inside; the runtime is ending the workload. */
        STOPPING
    }

    /** A load that waits for the stop of what runs now. */
    record NextLaunch(LoadRequest request, Set<OperationId> operations) {}

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
                Closing.NO);
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

    SlotMachine moved(SlotEdge edge, CauseCode why, String text, Instant now) {
        if (!edge.leaves(state)) {
            throw new IllegalStateException("no edge " + edge + " leaves " + state + " of slot " + slot);
        }
        return new SlotMachine(
                slot,
                edge.to(),
                now,
                why,
                text,
                desired,
                launch,
                operations,
                stopping,
                next,
                failure,
                failures,
                closing);
    }

    SlotMachine withMessage(String text) {
        return new SlotMachine(
                slot,
                state,
                since,
                cause,
                text,
                desired,
                launch,
                operations,
                stopping,
                next,
                failure,
                failures,
                closing);
    }

    SlotMachine withDesired(boolean value) {
        return new SlotMachine(
                slot,
                state,
                since,
                cause,
                message,
                value,
                launch,
                operations,
                stopping,
                next,
                failure,
                failures,
                closing);
    }

    SlotMachine withLaunch(Optional<Launch> value) {
        return new SlotMachine(
                slot,
                state,
                since,
                cause,
                message,
                desired,
                value,
                operations,
                stopping,
                next,
                failure,
                failures,
                closing);
    }

    SlotMachine withOperations(Set<OperationId> value) {
        return new SlotMachine(
                slot, state, since, cause, message, desired, launch, value, stopping, next, failure, failures, closing);
    }

    SlotMachine withStopping(Set<OperationId> value) {
        return new SlotMachine(
                slot,
                state,
                since,
                cause,
                message,
                desired,
                launch,
                operations,
                value,
                next,
                failure,
                failures,
                closing);
    }

    SlotMachine withNext(Optional<NextLaunch> value) {
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
                value,
                failure,
                failures,
                closing);
    }

    SlotMachine withFailure(Hal0Exception why) {
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
                Optional.of(why),
                failures + 1,
                closing);
    }

    SlotMachine withoutFailure() {
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
                Optional.empty(),
                0,
                closing);
    }

    SlotMachine withClosing(Closing value) {
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
                value);
    }

    /** All operations that end when this slot's present business ends. */
    List<OperationId> everyoneWaiting() {
        return java.util.stream.Stream.of(operations, stopping)
                .flatMap(Set::stream)
                .toList();
    }
}
