package dev.hal0.slots;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;

/**
 * The bounded line in front of a {@link Gate}: excess requests wait here and not inside the engine, so that a client that
 * leaves while it waits costs the engine nothing. {@link WaitingLine} says who is next.
 *
 * <p>Thread-safe. A future is completed on the thread of whoever left or closed the gate: continuations must only hand over.
 * Cancelling a future gives up the place at once; a turn that was granted at the same moment is passed on, never lost.
 */
public final class AdmissionQueue {
    /** Bounds memory and waiting: at 64 places a caller of a one-permit engine is better served by an honest 503. */
    public static final int CAPACITY = 64;

    /** While nothing is known of the pace. */
    private static final Duration UNKNOWN_PACE_RETRY = Duration.ofSeconds(5);

    private static final Duration LONGEST_RETRY = Duration.ofMinutes(2);

    private final Gate gate;
    private final LongSupplier nanoTime;
    private final WaitingLine<CompletableFuture<Lease>> line = new WaitingLine<>(CAPACITY);
    private long lastTurn;
    /** Smoothed time between two turns while somebody waited; 0 while unknown. */
    private long pace;

    public AdmissionQueue(Gate gate) {
        this(gate, System::nanoTime);
    }

    /** For tests that own the time. */
    AdmissionQueue(Gate gate, LongSupplier nanoTime) {
        this.gate = gate;
        this.nanoTime = nanoTime;
        gate.onChange(this::grant);
    }

    /**
     * Enters, or waits for a turn.
     *
     * @return completes with a lease; fails with {@code slot.busy} when the line is full, or becomes so and this claim holds
     *     more of it than another, and with {@code slot.loading} when the gate is or becomes closed (the caller decides
     *     whether to wait for the slot to be ready again)
     */
    public CompletableFuture<Lease> enter(Claim claim) {
        var turn = new CompletableFuture<Lease>();
        CompletableFuture<Lease> displaced;
        synchronized (line) {
            displaced = line.makeRoom(claim).orElse(null);
            if (!line.add(turn, claim)) {
                return CompletableFuture.failedFuture(busy(claim));
            }
            if (line.size() == 1) {
                lastTurn = nanoTime.getAsLong();
            }
        }
        if (displaced != null) {
            displaced.completeExceptionally(displaced());
        }
        grant();
        if (!turn.isDone()) {
            var unused = turn.whenComplete((lease, failure) -> {
                if (failure instanceof CancellationException) {
                    giveUp(turn, claim);
                }
            });
        }
        return turn;
    }

    /** How many wait. */
    public int length() {
        synchronized (line) {
            return line.size();
        }
    }

    /** Where a turn stands, 1 for the next one, if nobody came or left; 0 when it does not wait. */
    public int position(CompletableFuture<Lease> turn) {
        synchronized (line) {
            return line.inOrder().indexOf(turn) + 1;
        }
    }

    private void giveUp(CompletableFuture<Lease> turn, Claim claim) {
        synchronized (line) {
            line.remove(turn, claim);
        }
    }

    private void grant() {
        var outcomes = new ArrayList<Runnable>();
        synchronized (line) {
            while (!line.isEmpty()) {
                Gate.Entry entry = gate.tryEnter();
                if (entry instanceof Gate.Entry.Full) {
                    break;
                }
                CompletableFuture<Lease> turn = line.next();
                if (entry instanceof Gate.Entry.Entered) {
                    turnTaken();
                }
                outcomes.add(() -> settle(turn, entry));
            }
        }
        // Outside the lock: a continuation may leave at once, which comes back here.
        List.copyOf(outcomes).forEach(Runnable::run);
    }

    private void turnTaken() {
        long now = nanoTime.getAsLong();
        long took = now - lastTurn;
        lastTurn = now;
        if (!line.isEmpty()) {
            pace = pace == 0 ? took : pace + (took - pace) / 8;
        }
    }

    private static void settle(CompletableFuture<Lease> turn, Gate.Entry entry) {
        switch (entry) {
            case Gate.Entry.Entered(Lease lease) -> {
                if (!turn.complete(lease)) {
                    lease.leave();
                }
            }
            case Gate.Entry.Closed() -> turn.completeExceptionally(closed());
            case Gate.Entry.Full() -> throw new AssertionError("a full gate ends the loop");
        }
    }

    private Hal0Exception busy(Claim claim) {
        int mine = line.held(claim.caller());
        return evidence(new Hal0Exception(
                        ErrorCode.SLOT_BUSY,
                        "The slot works on as many requests as it can (" + gate.permits() + "), and " + line.size()
                                + " more wait, " + mine + " of them this caller's."))
                .withDetail("waiting_of_caller", mine);
    }

    private Hal0Exception displaced() {
        synchronized (line) {
            return evidence(new Hal0Exception(
                    ErrorCode.SLOT_BUSY,
                    "The line of " + CAPACITY + " is full, and this request gave its place to one that came later: of a"
                            + " caller with fewer places, or one that somebody waits for."));
        }
    }

    private Hal0Exception evidence(Hal0Exception busy) {
        return busy.withDetail("waiting", line.size())
                .withDetail("capacity", CAPACITY)
                .withDetail("inside", gate.inside())
                .withDetail("permits", gate.permits())
                .withRetryAfter(retryAfter());
    }

    /** When everybody who waits now will have had a turn, at the pace of the last ones. */
    private Duration retryAfter() {
        if (pace == 0) {
            return UNKNOWN_PACE_RETRY;
        }
        Duration all = Duration.ofSeconds(
                Math.max(1, Duration.ofNanos(pace).multipliedBy(line.size()).toSeconds()));
        return all.compareTo(LONGEST_RETRY) < 0 ? all : LONGEST_RETRY;
    }

    private static Hal0Exception closed() {
        return new Hal0Exception(ErrorCode.SLOT_LOADING, "The slot is not ready.")
                .withRetryAfter(Duration.ofSeconds(5));
    }
}
