package dev.hal0.slots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class AdmissionQueueTest {
    private static final Incarnation LIFE = new Incarnation("life");
    private static final Claim ANYONE = new Claim("anyone", Priority.INTERACTIVE);

    private final Gate gate = new Gate(() -> 0L, Duration.ZERO);
    private final AdmissionQueue queue = new AdmissionQueue(gate);

    @Test
    void freePermit_entersAtOnce() {
        open(1);

        assertThat(queue.enter(ANYONE)).isCompleted();
        assertThat(queue.length()).isZero();
    }

    @Test
    void everyLeave_grantsTheOldestWaiter() {
        open(1);
        Lease first = queue.enter(ANYONE).join();
        CompletableFuture<Lease> second = queue.enter(ANYONE);
        CompletableFuture<Lease> third = queue.enter(ANYONE);
        assertThat(queue.length()).isEqualTo(2);

        first.leave();

        assertThat(second).isCompleted();
        assertThat(third).isNotDone();
        second.join().leave();
        assertThat(third).isCompleted();
    }

    @Test
    void newcomer_doesNotOvertakeWaiters() {
        open(2);
        Lease inside = queue.enter(ANYONE).join();
        queue.enter(ANYONE).join();
        CompletableFuture<Lease> waiter = queue.enter(ANYONE);

        inside.leave();
        CompletableFuture<Lease> newcomer = queue.enter(ANYONE);

        assertThat(waiter).isCompleted();
        assertThat(newcomer).isNotDone();
    }

    @Test
    void fullLine_isRefusedAsBusy() {
        fillLine();

        assertThat(failure(queue.enter(ANYONE)).code()).isEqualTo(ErrorCode.SLOT_BUSY);
        assertThat(failure(queue.enter(ANYONE)).retryAfterSeconds()).isPresent();
        assertThat(queue.length()).isEqualTo(AdmissionQueue.CAPACITY);
    }

    @Test
    void fullLine_saysWhatItIsFullOf() {
        fillLine();

        Hal0Exception refused = failure(queue.enter(ANYONE));

        assertThat(refused.details())
                .containsEntry("waiting", AdmissionQueue.CAPACITY)
                .containsEntry("waiting_of_caller", AdmissionQueue.CAPACITY)
                .containsEntry("permits", 1);
    }

    @Test
    void fullLineOfOneCaller_givesItsNewestPlaceToAnother() {
        List<CompletableFuture<Lease>> line = fillLine();

        CompletableFuture<Lease> other = queue.enter(new Claim("other", Priority.INTERACTIVE));

        assertThat(other).isNotDone();
        assertThat(failure(line.getLast()).code()).isEqualTo(ErrorCode.SLOT_BUSY);
        assertThat(line.subList(0, line.size() - 1)).noneMatch(CompletableFuture::isDone);
        assertThat(queue.position(other)).isEqualTo(2);
        assertThat(queue.length()).isEqualTo(AdmissionQueue.CAPACITY);
    }

    @Test
    void retryAfter_isTheTimeThatTheLineTakesAtItsPace() {
        var now = new AtomicLong();
        var timed = new AdmissionQueue(gate, now::get);
        open(1);
        Lease inside = timed.enter(ANYONE).join();
        CompletableFuture<Lease> next = timed.enter(ANYONE);
        for (int i = 0; i < AdmissionQueue.CAPACITY - 1; i++) {
            timed.enter(ANYONE);
        }
        now.addAndGet(TimeUnit.MILLISECONDS.toNanos(500));
        inside.leave();
        assertThat(next).isCompleted();
        timed.enter(ANYONE);

        assertThat(failure(timed.enter(ANYONE)).retryAfterSeconds()).hasValue(32L);
    }

    @Test
    void cancelledPlace_isFreeAtOnce() {
        open(1);
        queue.enter(ANYONE).join();
        CompletableFuture<Lease> first = queue.enter(ANYONE);
        CompletableFuture<Lease> second = queue.enter(ANYONE);
        assertThat(queue.position(second)).isEqualTo(2);

        first.cancel(false);

        assertThat(queue.position(second)).isEqualTo(1);
        assertThat(queue.position(first)).isZero();
    }

    @Test
    void cancelledPlacesInAFullLine_areGivenToNewcomers() {
        List<CompletableFuture<Lease>> line = fillLine();
        line.forEach(turn -> turn.cancel(false));

        assertThat(queue.enter(ANYONE)).isNotDone();
    }

    @Test
    void cancelledWaiter_passesTheTurnOn() {
        open(1);
        Lease inside = queue.enter(ANYONE).join();
        CompletableFuture<Lease> impatient = queue.enter(ANYONE);
        CompletableFuture<Lease> patient = queue.enter(ANYONE);

        impatient.cancel(false);
        assertThat(queue.length()).isEqualTo(1);
        inside.leave();

        assertThat(patient).isCompleted();
    }

    @Test
    void closedGate_refusesNewcomersAsLoading() {
        gate.prepare(LIFE);

        assertThat(failure(queue.enter(ANYONE)).code()).isEqualTo(ErrorCode.SLOT_LOADING);
    }

    @Test
    void suspendedGate_failsThoseWhoWait() {
        List<CompletableFuture<Lease>> line = fillLine();

        gate.suspend(LIFE);

        assertThat(line).allSatisfy(turn -> assertThat(failure(turn).code()).isEqualTo(ErrorCode.SLOT_LOADING));
        assertThat(queue.length()).isZero();
    }

    @Test
    void revokedGate_failsThoseWhoWait() throws InterruptedException {
        List<CompletableFuture<Lease>> line = fillLine();

        gate.revoke(LIFE, RevokeCause.OPERATOR_FORCE);

        assertThat(line).allSatisfy(turn -> assertThat(failure(turn).code()).isEqualTo(ErrorCode.SLOT_LOADING));
    }

    @Test
    void abandonedGate_failsThoseWhoWait() {
        List<CompletableFuture<Lease>> line = fillLine();

        gate.abandon(LIFE, RevokeCause.ENGINE_LOST);

        assertThat(line).allSatisfy(turn -> assertThat(turn).isCompletedExceptionally());
    }

    @Test
    void morePermits_letWaitersIn() {
        open(1);
        queue.enter(ANYONE).join();
        CompletableFuture<Lease> waiter = queue.enter(ANYONE);

        gate.open(LIFE, 2);

        assertThat(waiter).isCompleted();
    }

    @Test
    void grantedWaiterThatLeavesAtOnce_emptiesAWholeLine() {
        open(1);
        Lease inside = queue.enter(ANYONE).join();
        var served = new AtomicInteger();
        for (int i = 0; i < AdmissionQueue.CAPACITY; i++) {
            var unused = queue.enter(ANYONE).thenAccept(lease -> {
                served.incrementAndGet();
                lease.leave();
            });
        }

        inside.leave();

        assertThat(served).hasValue(AdmissionQueue.CAPACITY);
        assertThat(gate.inside()).isZero();
    }

    /** 0 enters, 1 leaves, 2 cancels: after every step a free permit and a waiter never coexist, and order holds. */
    @Property(tries = 500)
    void anySequence_keepsOrderAndLosesNoTurn(
            @ForAll @Size(max = 60) List<@IntRange(max = 2) Integer> steps,
            @ForAll @IntRange(min = 1, max = 3) int permits) {
        var ownGate = new Gate(() -> 0L, Duration.ZERO);
        var line = new AdmissionQueue(ownGate);
        ownGate.prepare(LIFE);
        ownGate.open(LIFE, permits);
        var order = new ArrayList<Integer>();
        var inside = new ArrayList<Lease>();
        var turns = new ArrayList<CompletableFuture<Lease>>();
        var random = new Random(steps.hashCode());
        for (int step : steps) {
            if (step == 0) {
                int number = turns.size();
                CompletableFuture<Lease> turn = line.enter(ANYONE);
                turns.add(turn);
                var unused = turn.thenAccept(lease -> {
                    order.add(number);
                    inside.add(lease);
                });
            } else if (step == 1 && !inside.isEmpty()) {
                inside.remove(random.nextInt(inside.size())).leave();
            } else if (step == 2 && !turns.isEmpty()) {
                turns.get(random.nextInt(turns.size())).cancel(false);
            }
            assertThat(ownGate.inside()).isEqualTo(inside.size());
            assertThat(line.length() > 0 && ownGate.inside() < permits).isFalse();
            assertThat(order).isSorted();
        }
    }

    @Test
    @Timeout(value = 60, unit = TimeUnit.SECONDS)
    void manyThreads_everyoneHasATurnAndNeverMoreThanThePermits() throws Exception {
        open(2);
        int threads = 16;
        int rounds = 2_000;
        var barrier = new CyclicBarrier(threads);
        var inside = new AtomicInteger();
        var most = new AtomicInteger();
        try (var pool = Executors.newFixedThreadPool(threads)) {
            var work = new ArrayList<Future<Integer>>();
            for (int t = 0; t < threads; t++) {
                var random = new Random(t);
                work.add(pool.submit(() -> {
                    barrier.await();
                    int served = 0;
                    for (int i = 0; i < rounds; i++) {
                        CompletableFuture<Lease> turn = queue.enter(ANYONE);
                        if (random.nextInt(8) == 0 && turn.cancel(false)) {
                            continue;
                        }
                        Lease lease = turn.get();
                        most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                        served++;
                        inside.decrementAndGet();
                        lease.leave();
                    }
                    return served;
                }));
            }
            int served = 0;
            for (Future<Integer> one : work) {
                served += one.get();
            }
            assertThat(served).isGreaterThan(threads * rounds / 2);
        }
        assertThat(most.get()).isBetween(1, 2);
        assertThat(gate.inside()).isZero();
        assertThat(queue.length()).isZero();
    }

    private void open(int permits) {
        gate.prepare(LIFE);
        gate.open(LIFE, permits);
    }

    private List<CompletableFuture<Lease>> fillLine() {
        open(1);
        queue.enter(ANYONE).join();
        var line = new ArrayList<CompletableFuture<Lease>>();
        for (int i = 0; i < AdmissionQueue.CAPACITY; i++) {
            line.add(queue.enter(ANYONE));
        }
        assertThat(line).noneMatch(CompletableFuture::isDone);
        return line;
    }

    private static Hal0Exception failure(CompletableFuture<Lease> turn) {
        Throwable thrown = catchThrowable(turn::join);
        assertThat(thrown).isInstanceOf(CompletionException.class);
        return Failures.of(thrown);
    }
}
