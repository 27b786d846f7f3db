package dev.hal0.slots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 30, unit = TimeUnit.SECONDS)
class GateTest {
    private static final Incarnation A = new Incarnation("a");
    private static final Incarnation B = new Incarnation("b");
    private static final Duration NO_WAIT = Duration.ZERO;
    private static final Duration LONG = Duration.ofSeconds(20);

    private final AtomicLong nanos = new AtomicLong();
    /** Patience is zero: whoever does not leave while being told is sealed out. */
    private final Gate gate = new Gate(nanos::get, NO_WAIT);

    @Test
    void newGate_isClosedAndProvesNothing() {
        assertThat(gate.tryEnter()).isInstanceOf(Gate.Entry.Closed.class);
        assertThat(gate.tryClose(A)).isEmpty();
        assertThat(gate.open(A, 1)).isFalse();
        assertThat(gate.isOpen()).isFalse();
        assertThat(gate.inside()).isZero();
        assertThat(gate.wasUsed()).isFalse();
    }

    @Test
    void preparedGate_isClosedUntilOpened() {
        gate.prepare(A);

        assertThat(gate.tryEnter()).isInstanceOf(Gate.Entry.Closed.class);
        assertThat(gate.open(A, 1)).isTrue();
        assertThat(enter().incarnation()).isEqualTo(A);
    }

    @Test
    void everyPermitTaken_saysFullAndALeaveMakesRoom() {
        open(A, 2);
        Lease first = enter();
        enter();

        assertThat(gate.tryEnter()).isInstanceOf(Gate.Entry.Full.class);
        assertThat(gate.inside()).isEqualTo(2);

        first.leave();

        assertThat(gate.inside()).isEqualTo(1);
        enter();
    }

    @Test
    void secondLeave_changesNothing() {
        open(A, 2);
        Lease lease = enter();
        enter();

        lease.leave();
        lease.leave();
        lease.close();

        assertThat(gate.inside()).isEqualTo(1);
    }

    @Test
    void someoneInside_noProof() {
        open(A, 1);
        Lease lease = enter();

        assertThat(gate.tryClose(A)).isEmpty();
        assertThat(gate.isOpen()).as("nothing changed").isTrue();

        lease.leave();

        assertThat(proof(gate.tryClose(A)).incarnation()).isEqualTo(A);
        assertThat(gate.tryEnter()).isInstanceOf(Gate.Entry.Closed.class);
    }

    @Test
    void sealedGate_givesTheProofAgainAndNeverOpens() {
        open(A, 1);
        proof(gate.tryClose(A));

        assertThat(gate.tryClose(A)).isPresent();
        assertThat(gate.open(A, 1)).isFalse();
        gate.suspend(A);
        assertThat(gate.tryClose(A)).isPresent();
        assertThat(gate.tryEnter()).isInstanceOf(Gate.Entry.Closed.class);
    }

    @Test
    void sealedGate_provesAgainToDrainAndRevoke() throws InterruptedException {
        open(A, 1);
        proof(gate.tryClose(A));

        assertThat(gate.drain(A, NO_WAIT)).isPresent();
        assertThat(proof(gate.revoke(A, RevokeCause.OPERATOR_FORCE)).cut()).isZero();
        assertThat(gate.abandon(A, RevokeCause.ENGINE_LOST)).isZero();
    }

    @Test
    void prepareBeforeSealed_isRefusedAndChangesNothing() {
        open(A, 1);
        enter();

        assertThatThrownBy(() -> gate.prepare(B)).isInstanceOf(IllegalStateException.class);

        gate.suspend(A);
        assertThatThrownBy(() -> gate.prepare(B)).isInstanceOf(IllegalStateException.class);
        assertThat(gate.open(A, 1)).as("still the first one's gate").isTrue();
        assertThat(gate.inside()).isEqualTo(1);
    }

    @Test
    void verbsOfAnotherIncarnation_changeNothing() throws InterruptedException {
        open(A, 1);
        proof(gate.tryClose(A));
        open(B, 1);
        Lease lease = enter();

        gate.suspend(A);
        assertThat(gate.open(A, 5)).isFalse();
        assertThat(gate.tryClose(A)).isEmpty();
        assertThat(gate.drain(A, NO_WAIT)).isEmpty();
        assertThat(gate.revoke(A, RevokeCause.OPERATOR_FORCE)).isEmpty();
        assertThat(gate.abandon(A, RevokeCause.ENGINE_LOST)).isZero();

        assertThat(gate.isOpen()).isTrue();
        assertThat(gate.permits()).isEqualTo(1);
        assertThat(gate.inside()).isEqualTo(1);
        lease.leave();
        assertThat(gate.tryClose(B)).isPresent();
    }

    @Test
    void lateLeaveOfAnOldGeneration_changesNothing() {
        open(A, 2);
        Lease old = enter();
        gate.abandon(A, RevokeCause.ENGINE_LOST);
        open(B, 2);
        enter();

        old.leave();

        assertThat(gate.inside()).isEqualTo(1);
        assertThat(gate.tryClose(B)).isEmpty();
    }

    @Test
    void sameIncarnationPreparedAgain_oldLeaseStillCountsForNothing() {
        open(A, 2);
        Lease old = enter();
        gate.abandon(A, RevokeCause.ENGINE_LOST);
        open(A, 2);
        enter();

        old.leave();

        assertThat(gate.inside()).isEqualTo(1);
    }

    @Test
    void suspendedGate_keepsThoseInsideAndReopens() {
        open(A, 2);
        Lease lease = enter();

        gate.suspend(A);

        assertThat(gate.tryEnter()).isInstanceOf(Gate.Entry.Closed.class);
        assertThat(gate.inside()).isEqualTo(1);
        assertThat(gate.open(A, 1)).isTrue();
        assertThat(gate.tryEnter()).as("one is inside already").isInstanceOf(Gate.Entry.Full.class);
        lease.leave();
        enter();
    }

    @Test
    void fewerPermitsThanInside_isFullUntilEnoughLeft() {
        open(A, 3);
        List<Lease> leases = List.of(enter(), enter(), enter());

        gate.open(A, 1);

        leases.get(0).leave();
        leases.get(1).leave();
        assertThat(gate.tryEnter()).isInstanceOf(Gate.Entry.Full.class);
        leases.get(2).leave();
        enter();
    }

    @Test
    void permitsOutOfBounds_areRefused() {
        gate.prepare(A);

        assertThatThrownBy(() -> gate.open(A, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> gate.open(A, -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> gate.open(A, Gate.MAX_PERMITS + 1)).isInstanceOf(IllegalArgumentException.class);
        assertThat(gate.isOpen()).isFalse();
    }

    @Test
    void everyPossiblePermit_canBeTakenAndGivenBack() {
        open(A, Gate.MAX_PERMITS);
        var leases = new ArrayList<Lease>();
        for (int i = 0; i < Gate.MAX_PERMITS; i++) {
            leases.add(enter());
        }

        assertThat(gate.tryEnter()).isInstanceOf(Gate.Entry.Full.class);
        assertThat(gate.inside()).isEqualTo(Gate.MAX_PERMITS);
        assertThat(gate.permits()).isEqualTo(Gate.MAX_PERMITS);
        assertThat(gate.isOpen()).isTrue();

        leases.forEach(Lease::leave);
        assertThat(gate.tryClose(A)).isPresent();
    }

    @Test
    void drainOfAnEmptyGate_provesAtOnce() throws InterruptedException {
        open(A, 1);

        assertThat(proof(gate.drain(A, NO_WAIT)).cut()).isZero();
    }

    @Test
    void drainDeadline_reopensWithTheSamePermits() throws InterruptedException {
        open(A, 2);
        enter();

        assertThat(gate.drain(A, NO_WAIT)).isEmpty();

        assertThat(gate.isOpen()).isTrue();
        assertThat(gate.permits()).isEqualTo(2);
        enter();
    }

    @Test
    void drainDeadlineOfASuspendedGate_leavesItSuspended() throws InterruptedException {
        open(A, 1);
        enter();
        gate.suspend(A);

        assertThat(gate.drain(A, NO_WAIT)).isEmpty();

        assertThat(gate.isOpen()).isFalse();
    }

    @Test
    void drainInterrupted_reopens() throws Exception {
        open(A, 1);
        enter();
        Thread.currentThread().interrupt();

        assertThatThrownBy(() -> gate.drain(A, LONG)).isInstanceOf(InterruptedException.class);

        assertThat(gate.isOpen()).isTrue();
    }

    @Test
    void lastOneLeavesDuringADrain_wakesItWithTheProof() throws Exception {
        open(A, 2);
        Lease one = enter();
        Lease other = enter();
        var suspended = new CountDownLatch(1);
        gate.onChange(() -> {
            if (!gate.isOpen()) {
                suspended.countDown();
            }
        });
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Optional<ClosedGate>> drain = tasks.submit(() -> gate.drain(A, LONG));
            suspended.await();
            assertThat(gate.tryEnter()).isInstanceOf(Gate.Entry.Closed.class);

            one.leave();
            other.leave();

            assertThat(proof(drain.get()).cut()).isZero();
        }
    }

    @Test
    void revoke_tellsEveryoneInsideAndCountsThem() throws InterruptedException {
        open(A, 3);
        var told = new ArrayList<RevokeCause>();
        for (int i = 0; i < 3; i++) {
            Lease lease = enter();
            lease.onRevoke(cause -> {
                told.add(cause);
                lease.leave();
            });
        }

        ClosedGate proof = proof(gate.revoke(A, RevokeCause.ENGINE_HUNG));

        assertThat(told).hasSize(3).containsOnly(RevokeCause.ENGINE_HUNG);
        assertThat(proof.cut()).isEqualTo(3);
    }

    @Test
    void whoIgnoresARevoke_isSealedOut() throws InterruptedException {
        open(A, 1);
        Lease deaf = enter();

        ClosedGate proof = proof(gate.revoke(A, RevokeCause.OPERATOR_FORCE));

        assertThat(proof.cut()).isEqualTo(1);
        assertThat(gate.inside()).isZero();
        gate.prepare(B);
        deaf.leave();
        assertThat(gate.open(B, 1)).isTrue();
        enter();
    }

    @Test
    void revokeListenerThatThrows_doesNotKeepItFromTheOthers() throws InterruptedException {
        open(A, 3);
        var told = new AtomicInteger();
        for (int i = 0; i < 3; i++) {
            enter().onRevoke(cause -> {
                told.incrementAndGet();
                throw new IllegalStateException("the event loop is closed");
            });
        }

        assertThat(proof(gate.revoke(A, RevokeCause.OPERATOR_FORCE)).cut()).isEqualTo(3);

        assertThat(told).hasValue(3);
    }

    @Test
    void whoLeftBeforeARevoke_isNotTold() throws InterruptedException {
        open(A, 1);
        Lease lease = enter();
        lease.onRevoke(cause -> {
            throw new AssertionError("left already");
        });
        lease.leave();

        assertThat(proof(gate.revoke(A, RevokeCause.OPERATOR_FORCE)).cut()).isZero();
    }

    @Test
    void listenerRegisteredAfterTheRevoke_isToldAtOnceAndOnce() {
        open(A, 1);
        Lease lease = enter();
        gate.abandon(A, RevokeCause.ENGINE_LOST);
        var told = new ArrayList<RevokeCause>();

        lease.onRevoke(told::add);
        lease.onRevoke(told::add);

        assertThat(told).containsExactly(RevokeCause.ENGINE_LOST);
    }

    @Test
    void drainThatExpiresDuringARevoke_doesNotLetAnyoneIn() throws Exception {
        var patient = new Gate(nanos::get, LONG);
        patient.prepare(A);
        patient.open(A, 2);
        Lease lease = ((Gate.Entry.Entered) patient.tryEnter()).lease();
        var told = new CountDownLatch(1);
        lease.onRevoke(cause -> told.countDown());
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Optional<ClosedGate>> drain = tasks.submit(() -> patient.drain(A, Duration.ofMillis(200)));
            Future<Optional<ClosedGate>> revoke = tasks.submit(() -> patient.revoke(A, RevokeCause.OPERATOR_FORCE));
            told.await();

            assertThat(drain.get()).isEmpty();

            assertThat(patient.tryEnter()).isInstanceOf(Gate.Entry.Closed.class);
            assertThat(patient.open(A, 2)).isFalse();
            lease.leave();
            assertThat(revoke.get()).isPresent();
        }
    }

    @Test
    void abandon_sealsAtOnce() {
        open(A, 1);
        enter();

        assertThat(gate.abandon(A, RevokeCause.ENGINE_LOST)).isEqualTo(1);

        assertThat(gate.inside()).isZero();
        gate.prepare(B);
    }

    @Test
    void abandonDuringADrain_givesTheDrainItsProof() throws Exception {
        open(A, 1);
        enter();
        var suspended = new CountDownLatch(1);
        gate.onChange(() -> {
            if (!gate.isOpen()) {
                suspended.countDown();
            }
        });
        try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Optional<ClosedGate>> drain = tasks.submit(() -> gate.drain(A, LONG));
            suspended.await();

            gate.abandon(A, RevokeCause.ENGINE_LOST);

            assertThat(drain.get()).isPresent();
        }
    }

    @Test
    void quietTime_countsFromTheLastLeaveAndIsZeroInside() {
        open(A, 1);
        nanos.addAndGet(Duration.ofSeconds(7).toNanos());
        assertThat(gate.quietFor()).isEqualTo(Duration.ofSeconds(7));

        Lease lease = enter();
        assertThat(gate.quietFor()).isZero();
        nanos.addAndGet(Duration.ofSeconds(5).toNanos());
        lease.leave();
        assertThat(gate.wasUsed()).isTrue();

        nanos.addAndGet(Duration.ofSeconds(3).toNanos());
        assertThat(gate.quietFor()).isEqualTo(Duration.ofSeconds(3));
    }

    @Test
    void manyLives_neverMix() {
        for (int life = 0; life < 100_000; life++) {
            var incarnation = new Incarnation("life-" + life);
            open(incarnation, 1);
            Lease lease = enter();
            assertThat(gate.tryClose(incarnation)).isEmpty();
            lease.leave();
            assertThat(gate.tryClose(incarnation)).isPresent();
        }
    }

    private void open(Incarnation incarnation, int permits) {
        gate.prepare(incarnation);
        assertThat(gate.open(incarnation, permits)).isTrue();
    }

    private Lease enter() {
        Gate.Entry entry = gate.tryEnter();
        assertThat(entry).isInstanceOf(Gate.Entry.Entered.class);
        return ((Gate.Entry.Entered) entry).lease();
    }

    private static ClosedGate proof(Optional<ClosedGate> proof) {
        assertThat(proof).isPresent();
        return proof.orElseThrow();
    }
}
