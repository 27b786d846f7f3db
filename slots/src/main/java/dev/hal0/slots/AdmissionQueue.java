package dev.hal0.slots;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The bounded line in front of a {@link Gate}: excess requests wait here and not inside the engine, so that a client that
 * leaves while it waits costs the engine nothing. First come, first served.
 *
 * <p>Thread-safe. A future is completed on the thread of whoever left or closed the gate: continuations must only hand over.
 * Cancelling a future gives up the place; a turn that was granted at the same moment is passed on, never lost.
 */
public final class AdmissionQueue {
    /** Bounds memory and waiting: at 64 places a caller of a one-permit engine is better served by an honest 503. */
    public static final int CAPACITY = 64;

    private final Gate gate;
    private final ArrayDeque<CompletableFuture<Lease>> waiting = new ArrayDeque<>();

    public AdmissionQueue(Gate gate) {
        this.gate = gate;
        gate.onChange(this::grant);
    }

    /**
     * Enters, or waits for a turn.
     *
     * @return completes with a lease; fails with {@code slot.busy} when the line is full and with {@code slot.loading} when
     *     the gate is or becomes closed (the caller decides whether to wait for the slot to be ready again)
     */
    public CompletableFuture<Lease> enter() {
        var turn = new CompletableFuture<Lease>();
        synchronized (waiting) {
            if (waiting.size() >= CAPACITY) {
                waiting.removeIf(CompletableFuture::isDone);
            }
            if (waiting.size() >= CAPACITY) {
                return CompletableFuture.failedFuture(busy());
            }
            waiting.addLast(turn);
        }
        grant();
        return turn;
    }

    /** How many wait. */
    public int length() {
        synchronized (waiting) {
            waiting.removeIf(CompletableFuture::isDone);
            return waiting.size();
        }
    }

    private void grant() {
        var outcomes = new ArrayList<Runnable>();
        synchronized (waiting) {
            while (!waiting.isEmpty()) {
                if (waiting.peekFirst().isDone()) {
                    waiting.removeFirst();
                    continue;
                }
                Gate.Entry entry = gate.tryEnter();
                if (entry instanceof Gate.Entry.Full) {
                    break;
                }
                CompletableFuture<Lease> turn = waiting.removeFirst();
                outcomes.add(() -> settle(turn, entry));
            }
        }
        // Outside the lock: a continuation may leave at once, which comes back here.
        List.copyOf(outcomes).forEach(Runnable::run);
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

    private static Hal0Exception busy() {
        return new Hal0Exception(
                        ErrorCode.SLOT_BUSY,
                        "The slot works on as many requests as it can and " + CAPACITY + " more wait.")
                .withRetryAfter(Duration.ofSeconds(5));
    }

    private static Hal0Exception closed() {
        return new Hal0Exception(ErrorCode.SLOT_LOADING, "The slot is not ready.")
                .withRetryAfter(Duration.ofSeconds(5));
    }
}
