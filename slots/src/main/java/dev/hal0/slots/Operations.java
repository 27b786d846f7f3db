package dev.hal0.slots;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.ErrorEnvelope;
import dev.hal0.kernel.EventBus;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The running operations and the newest {@link #RETAINED} that ended. Thread-safe. */
final class Operations {
    static final int RETAINED = 200;

    private static final class Tracked {
        private Operation operation;
        private final CompletableFuture<Operation> ended = new CompletableFuture<>();
        private @Nullable Hal0Exception failure;

        Tracked(Operation operation) {
            this.operation = operation;
        }
    }

    private final EventBus events;
    private final OperationLog history;
    private final InstantSource clock;
    private final Map<OperationId, Tracked> all = new HashMap<>();
    private final ArrayDeque<OperationId> endedOrder = new ArrayDeque<>();

    Operations(EventBus events, OperationLog history, InstantSource clock) {
        this.events = events;
        this.history = history;
        this.clock = clock;
    }

    synchronized OperationId begin(Operation.Kind kind, SlotName slot) {
        var id = OperationId.random();
        var operation =
                new Operation(id, kind, slot, Operation.Status.RUNNING, "accepted", clock.instant(), null, null);
        all.put(id, new Tracked(operation));
        announce(operation);
        return id;
    }

    synchronized void progress(OperationId id, String message) {
        Tracked tracked = all.get(id);
        if (tracked != null && tracked.operation.status() == Operation.Status.RUNNING) {
            tracked.operation = with(tracked.operation, Operation.Status.RUNNING, message, null);
            announce(tracked.operation);
        }
    }

    void finish(OperationId id, String message) {
        end(id, Operation.Status.SUCCEEDED, message, null);
    }

    void fail(OperationId id, Hal0Exception why) {
        end(id, Operation.Status.FAILED, why.message(), why);
    }

    void cancel(OperationId id, String message) {
        end(
                id,
                Operation.Status.CANCELLED,
                message,
                new Hal0Exception(ErrorCode.OPERATION_CANCELLED, "Cancelled: " + message));
    }

    /** Whoever still waits for one hears that nobody decides any more. */
    void cancelAll(String message) {
        for (Operation operation : list()) {
            cancel(operation.id(), message);
        }
    }

    private void end(OperationId id, Operation.Status status, String message, @Nullable Hal0Exception why) {
        Tracked tracked;
        Operation ended;
        synchronized (this) {
            tracked = all.get(id);
            if (tracked == null || tracked.operation.status() != Operation.Status.RUNNING) {
                return;
            }
            ended = with(tracked.operation, status, message, why);
            tracked.operation = ended;
            tracked.failure = why;
            endedOrder.addLast(id);
            if (endedOrder.size() > RETAINED) {
                all.remove(endedOrder.removeFirst());
            }
            announce(ended);
        }
        history.operation(ended);
        // Off the lock: whoever waited may begin the next operation at once.
        tracked.ended.complete(ended);
    }

    synchronized Optional<Operation> find(OperationId id) {
        return Optional.ofNullable(all.get(id)).map(tracked -> tracked.operation);
    }

    /** Newest last. */
    synchronized List<Operation> list() {
        var list = new ArrayList<Operation>();
        all.values().forEach(tracked -> list.add(tracked.operation));
        list.sort(java.util.Comparator.comparing(Operation::startedAt));
        return list;
    }

    /** Completes when the operation ends, with whatever it ended; at once if it is not known any more. */
    synchronized CompletableFuture<Operation> ended(OperationId id) {
        Tracked tracked = all.get(id);
        return tracked == null ? CompletableFuture.failedFuture(unknown(id)) : tracked.ended.copy();
    }

    /** Completes normally on success and with the reason otherwise. */
    CompletableFuture<Void> succeeded(OperationId id) {
        Tracked tracked;
        synchronized (this) {
            tracked = all.get(id);
        }
        if (tracked == null) {
            return CompletableFuture.failedFuture(unknown(id));
        }
        // Asked of what was found now: an operation that ended may be forgotten before this runs.
        return tracked.ended.thenCompose(operation -> {
            Hal0Exception why = failure(tracked);
            return why == null ? CompletableFuture.completedFuture(null) : CompletableFuture.failedFuture(why);
        });
    }

    static Hal0Exception unknown(OperationId id) {
        return new Hal0Exception(
                ErrorCode.OPERATION_NOT_FOUND,
                "No operation " + id + ": only running ones and the newest " + RETAINED + " that ended are kept.");
    }

    private synchronized @Nullable Hal0Exception failure(Tracked tracked) {
        return tracked.failure;
    }

    private void announce(Operation operation) {
        events.publish("operation", operation.slot().value(), operation);
    }

    private Operation with(Operation before, Operation.Status status, String message, @Nullable Hal0Exception why) {
        return new Operation(
                before.id(),
                before.kind(),
                before.slot(),
                status,
                message,
                before.startedAt(),
                status == Operation.Status.RUNNING ? null : clock.instant(),
                why == null ? null : ErrorEnvelope.of(why, null).error());
    }
}
