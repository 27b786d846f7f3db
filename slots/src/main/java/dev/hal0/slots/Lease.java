package dev.hal0.slots;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The right of one request to use one incarnation. While it is held that incarnation is not stopped, except by a revoke,
 * which is announced through {@link #onRevoke}. Thread-safe; {@link #leave} is idempotent and must always be called.
 */
public final class Lease implements AutoCloseable {
    /** Marks a lease that was left, so that a late listener is not registered and a second leave does nothing. */
    private static final Consumer<RevokeCause> LEFT = cause -> {};

    private final Gate gate;
    private final Incarnation incarnation;
    private final int generation;
    private final AtomicReference<@Nullable Consumer<RevokeCause>> listener = new AtomicReference<>();
    private final AtomicBoolean delivered = new AtomicBoolean();
    private volatile @Nullable RevokeCause revoked;

    Lease(Gate gate, Incarnation incarnation, int generation) {
        this.gate = gate;
        this.incarnation = incarnation;
        this.generation = generation;
    }

    public Incarnation incarnation() {
        return incarnation;
    }

    /**
     * Registers what to do when the workload is taken away: end the answer with an error event, then leave. Called at most
     * once, on the revoker's thread; it must only hand over. A lease that was revoked already calls it at once.
     */
    public void onRevoke(Consumer<RevokeCause> whatToDo) {
        if (listener.compareAndSet(null, whatToDo)) {
            RevokeCause cause = revoked;
            if (cause != null) {
                deliver(whatToDo, cause);
            }
        }
    }

    /** Ends the lease: the exchange with the engine is over. */
    public void leave() {
        if (listener.getAndSet(LEFT) != LEFT) {
            gate.left(this, generation);
        }
    }

    @Override
    public void close() {
        leave();
    }

    void revoke(RevokeCause cause) {
        revoked = cause;
        Consumer<RevokeCause> whatToDo = listener.get();
        if (whatToDo != null) {
            deliver(whatToDo, cause);
        }
    }

    /** The revoker and a registration that races with it may both see each other; only one of them calls. */
    private void deliver(Consumer<RevokeCause> whatToDo, RevokeCause cause) {
        if (delivered.compareAndSet(false, true)) {
            whatToDo.accept(cause);
        }
    }
}
