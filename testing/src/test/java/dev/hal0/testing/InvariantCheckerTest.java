package dev.hal0.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.testing.Fact.Basis;
import dev.hal0.testing.Fact.Lane;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A checker that cannot fail is worthless: every invariant has a history that breaks it, and one beside it that does not. */
class InvariantCheckerTest {
    private static final Duration MINUTE = Duration.ofMinutes(1);

    /** @param says what a person must be able to read */
    record Broken(Invariant invariant, String says, List<Fact> history) {
        @Override
        public String toString() {
            return invariant + ": " + says;
        }
    }

    private static Instant at(int second) {
        return Instant.EPOCH.plusSeconds(second);
    }

    static List<Broken> brokenHistories() {
        return List.of(
                new Broken(
                        Invariant.NOBODY_CUT,
                        "life-1 of slot chat was stopped with request-1, request-2 inside, and nobody revoked it",
                        List.of(
                                entered(1, "request-1", "life-1"),
                                entered(2, "request-2", "life-1"),
                                new Fact.StopRequested(at(3), "chat", "life-1"))),
                new Broken(
                        Invariant.NOBODY_CUT,
                        "was revoked for evicted, which may not revoke",
                        List.of(new Fact.Revoked(at(1), "chat", "life-1", "evicted", 1))),
                new Broken(
                        Invariant.NOBODY_CUT,
                        "life-2 of slot chat was stopped with request-1 inside",
                        List.of(
                                new Fact.Revoked(at(1), "chat", "life-1", "engine_hung", 1),
                                entered(2, "request-1", "life-2"),
                                new Fact.StopRequested(at(3), "chat", "life-2"))),
                new Broken(
                        Invariant.MEMORY_PROMISED_ONCE,
                        "slot coder was let in, and 120 of 100 bytes of ram are promised: ",
                        List.of(
                                new Fact.Budget(at(0), "ram", 100),
                                reserved(1, "chat", 60, Basis.ADMITTED),
                                reserved(2, "coder", 60, Basis.ADMITTED))),
                new Broken(
                        Invariant.NO_WAITER_LOST,
                        "request-1 still waits for slot chat at the end",
                        List.of(new Fact.Queued(at(1), "request-1", "chat", at(90)))),
                new Broken(
                        Invariant.NO_WAITER_LOST,
                        "request-1 waits for slot chat since 1970-01-01T00:00:01Z and should have had an answer by "
                                + "1970-01-01T00:00:05Z",
                        List.of(new Fact.Queued(at(1), "request-1", "chat", at(5)), new Fact.Settled(at(6)))),
                new Broken(
                        Invariant.NO_WAITER_LOST,
                        "request-1 was answered (200) and did not wait",
                        List.of(
                                new Fact.Queued(at(1), "request-1", "chat", at(5)),
                                new Fact.Answered(at(2), "request-1", "200"),
                                new Fact.Answered(at(3), "request-1", "200"))),
                new Broken(
                        Invariant.TRANSITIONS_OWNED,
                        "slot chat is starting since 1970-01-01T00:00:01Z and nothing is under way",
                        List.of(
                                new Fact.OwnerTook(at(0), "chat", "load"),
                                changed(1, "offline", "starting"),
                                new Fact.OwnerLeft(at(2), "chat", "load"),
                                new Fact.Settled(at(2)),
                                changed(3, "starting", "error"))),
                new Broken(
                        Invariant.TRANSITIONS_OWNED,
                        "slot chat is starting for ever, since 1970-01-01T00:00:01Z",
                        List.of(changed(1, "offline", "starting"), changed(62, "starting", "error"))),
                new Broken(
                        Invariant.TRANSITIONS_OWNED,
                        "slot chat is starting at the end",
                        List.of(changed(1, "offline", "starting"))),
                new Broken(
                        Invariant.LEGAL_EDGES,
                        "slot chat went offline -> ready (test), which is no edge",
                        List.of(changed(1, "offline", "ready"))),
                new Broken(
                        Invariant.LEGAL_EDGES,
                        "slot chat went ready -> offline (test) while it was error",
                        List.of(
                                changed(1, "offline", "starting"),
                                changed(2, "starting", "error"),
                                changed(3, "ready", "offline"))),
                new Broken(
                        Invariant.GPU_EXCLUSIVE,
                        "slot img (IMAGE) came onto the GPU beside slot chat (INFERENCE)",
                        List.of(
                                new Fact.Defined(at(0), "chat", Lane.INFERENCE),
                                new Fact.Defined(at(0), "img", Lane.IMAGE),
                                new Fact.LaunchAsked(at(1), "chat", "launch-1"),
                                new Fact.Launched(at(2), "chat", "launch-1", "life-1"),
                                new Fact.StopRequested(at(3), "chat", "life-1"),
                                new Fact.LaunchAsked(at(4), "img", "launch-2"))),
                new Broken(
                        Invariant.ONE_ANCHOR,
                        "slots npu and second are on the NPU together",
                        List.of(
                                new Fact.Defined(at(0), "npu", Lane.NPU),
                                new Fact.Defined(at(0), "second", Lane.NPU),
                                new Fact.LaunchAsked(at(1), "npu", "launch-1"),
                                new Fact.Launched(at(2), "second", "launch-2", "life-2"))),
                new Broken(
                        Invariant.OPERATIONS_END_ONCE,
                        "load op-1 of slot chat began at 1970-01-01T00:00:01Z and never ended",
                        List.of(begun(1))),
                new Broken(
                        Invariant.OPERATIONS_END_ONCE,
                        "op-1 ended twice, the second time failed",
                        List.of(begun(1), ended(2, "succeeded"), ended(3, "failed"))),
                new Broken(
                        Invariant.OPERATIONS_END_ONCE,
                        "op-1 ended (failed) and had not begun",
                        List.of(ended(3, "failed"))),
                new Broken(
                        Invariant.NO_LIFE_AFTER_STOP,
                        "request-1 entered life-1 of slot chat after its end",
                        List.of(new Fact.Stopped(at(1), "chat", "life-1"), entered(2, "request-1", "life-1"))),
                new Broken(
                        Invariant.NO_LIFE_AFTER_STOP,
                        "request-1 entered life-1 of slot chat while it was being stopped",
                        List.of(new Fact.StopRequested(at(1), "chat", "life-1"), entered(2, "request-1", "life-1"))),
                new Broken(
                        Invariant.NO_LIFE_AFTER_STOP,
                        "life-1 of slot chat was launched after its end",
                        List.of(
                                new Fact.Exited(at(1), "chat", "life-1"),
                                new Fact.Launched(at(2), "chat", "launch-2", "life-1"))),
                new Broken(
                        Invariant.NO_LIFE_AFTER_STOP,
                        "life-1 of slot chat was stopped again after its end",
                        List.of(
                                new Fact.Stopped(at(1), "chat", "life-1"),
                                new Fact.StopRequested(at(2), "chat", "life-1"))));
    }

    static Stream<List<Fact>> soundHistories() {
        return Stream.of(
                // Stopped when the last one has left, or those inside were told.
                List.of(
                        entered(1, "request-1", "life-1"),
                        new Fact.Left(at(2), "request-1"),
                        new Fact.StopRequested(at(3), "chat", "life-1")),
                List.of(
                        entered(1, "request-1", "life-1"),
                        new Fact.Revoked(at(2), "chat", "life-1", "operator_force", 1),
                        new Fact.StopRequested(at(3), "chat", "life-1")),
                // Memory comes back; what somebody forces, and what an engine really holds, may be too much.
                List.of(
                        new Fact.Budget(at(0), "ram", 100),
                        reserved(1, "chat", 60, Basis.ADMITTED),
                        new Fact.Released(at(2), "chat"),
                        reserved(3, "coder", 60, Basis.ADMITTED),
                        reserved(4, "chat", 60, Basis.FORCED),
                        reserved(5, "coder", 90, Basis.OBSERVED),
                        new Fact.Reserved(at(6), "embed", "vram", 500, Basis.ADMITTED)),
                // One after the other on the GPU and on the NPU.
                List.of(
                        new Fact.Defined(at(0), "chat", Lane.INFERENCE),
                        new Fact.Defined(at(0), "img", Lane.IMAGE),
                        new Fact.Launched(at(1), "chat", "launch-1", "life-1"),
                        new Fact.Stopped(at(2), "chat", "life-1"),
                        new Fact.LaunchAsked(at(3), "img", "launch-2"),
                        new Fact.LaunchFailed(at(4), "img", "launch-2"),
                        new Fact.LaunchAsked(at(5), "chat", "launch-3")),
                // A stop that failed is repeated, also by the next control plane, which may use what it finds alive.
                List.of(
                        new Fact.StopRequested(at(1), "chat", "life-1"),
                        new Fact.StopRequested(at(2), "chat", "life-1"),
                        new Fact.ControlPlaneStarted(at(3)),
                        entered(4, "request-1", "life-1")),
                // One that ended by itself while it was drained is stopped all the same.
                List.of(
                        new Fact.Exited(at(1), "chat", "life-1"),
                        new Fact.StopRequested(at(2), "chat", "life-1"),
                        new Fact.Stopped(at(3), "chat", "life-1")),
                // What the last control plane was doing ends with it.
                List.of(
                        begun(1),
                        new Fact.Queued(at(1), "request-1", "chat", at(5)),
                        changed(2, "offline", "starting"),
                        new Fact.ControlPlaneStarted(at(8)),
                        changed(9, "offline", "warming"),
                        changed(10, "warming", "ready"),
                        ended(11, "failed")));
    }

    private static Fact entered(int second, String request, String incarnation) {
        return new Fact.Entered(at(second), request, "chat", incarnation);
    }

    private static Fact changed(int second, String from, String to) {
        return new Fact.StateChanged(at(second), "chat", from, to, "test");
    }

    private static Fact reserved(int second, String slot, long bytes, Basis basis) {
        return new Fact.Reserved(at(second), slot, "ram", bytes, basis);
    }

    private static Fact begun(int second) {
        return new Fact.OperationBegun(at(second), "op-1", "chat", "load");
    }

    private static Fact ended(int second, String outcome) {
        return new Fact.OperationEnded(at(second), "op-1", outcome);
    }

    @ParameterizedTest
    @MethodSource("brokenHistories")
    void brokenHistory_isNamedOnceAndReadably(Broken broken) {
        List<Violation> violations = InvariantChecker.check(broken.history(), MINUTE);
        assertThat(violations).hasSize(1);
        assertThat(violations.getFirst().invariant()).isEqualTo(broken.invariant());
        assertThat(violations.getFirst().toString()).contains(broken.says());
    }

    @ParameterizedTest
    @MethodSource("soundHistories")
    void soundHistory_breaksNothing(List<Fact> history) {
        assertThat(InvariantChecker.check(history, MINUTE)).isEmpty();
    }

    @Test
    void everyInvariant_hasAHistoryThatBreaksIt() {
        Set<Invariant> shown = EnumSet.noneOf(Invariant.class);
        brokenHistories().forEach(broken -> shown.add(broken.invariant()));
        assertThat(shown).containsExactly(Invariant.values());
    }
}
