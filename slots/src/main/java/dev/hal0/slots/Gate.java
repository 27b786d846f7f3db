package dev.hal0.slots;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Admission to one workload, one incarnation at a time. "A serving slot cannot be evicted out from under a streaming request"
 * is a property of this class, not of the care of its callers:
 *
 * <ul>
 *   <li>a request is inside from {@link #tryEnter} until {@link Lease#leave};
 *   <li>{@link SlotRuntime#stop} takes a {@link ClosedGate}, and this class makes one only when nobody is inside and nobody
 *       can enter that incarnation any more ({@link #tryClose}, {@link #drain}), or after a {@link #revoke}, which tells
 *       everyone inside and gives them {@link #REVOKE_PATIENCE} to end their answers properly.
 * </ul>
 *
 * <h2>How it works</h2>
 *
 * Everything that decides is in one {@code long}, changed by compare-and-set, so that entering and leaving never wait for
 * anybody: the phase, the number inside, the permits and a generation.
 *
 * <pre>
 *              prepare(incarnation)           open(permits)
 *   (any) ───────────────────────▶ CLOSED ─────────────────▶ OPEN
 *                                   ▲  ▲ │                   │ │
 *              drain gave up: open  │  │ └──── open ─────────┘ │ suspend
 *                                   │  └───────────────────────┘
 *   CLOSED, nobody inside ── tryClose / drain / revoke ──▶ SEALED   (until the next prepare)
 * </pre>
 *
 * A gate that is merely closed can open again for the same incarnation (the engine answers again); a sealed one cannot,
 * because somebody holds the proof, nor can one that a revoke has begun to close, because everyone inside was told. {@link #prepare} starts the next generation: a lease of an earlier one that is left late
 * finds another generation and changes nothing, so an abandoned lease can never make a later count wrong.
 *
 * <p>Only the slow paths (waiting for the last one to leave) use a lock. Their wake-up cannot be lost: the waiter takes the
 * lock before it reads the count, and the leaver changes the count before it takes the lock.
 *
 * <p>Thread-safe. {@link #prepare}, {@link #open}, {@link #suspend} and the closing verbs are meant for the slot's owner;
 * calling them concurrently is safe, but only one caller can win.
 */
public final class Gate {
    private static final Logger log = LoggerFactory.getLogger(Gate.class);

    /** What a revoke gives the requests inside to write their error event and leave. Design rule: at most 5 s. */
    static final Duration REVOKE_PATIENCE = Duration.ofSeconds(5);

    /** An upper bound for {@code permits}: they and the count share one word with the generation. */
    public static final int MAX_PERMITS = 0xFFFF;

    /** The result of trying to enter. */
    public sealed interface Entry {
        record Entered(Lease lease) implements Entry {}

        /** Every permit is taken: wait for a turn. */
        record Full() implements Entry {}

        /** Not open now: the slot is not ready, or is being stopped. */
        record Closed() implements Entry {}
    }

    private enum Phase {
        CLOSED,
        OPEN,
        /** Closed for good: those inside were told, so nobody may be let in who was not. */
        REVOKING,
        SEALED
    }

    /** The word's generation says which incarnation it counts; read the word first. */
    private record Life(Incarnation incarnation, int generation) {}

    private static final Entry FULL = new Entry.Full();
    private static final Entry CLOSED = new Entry.Closed();

    private final AtomicLong word = new AtomicLong(Word.of(Phase.SEALED, 0, 0, 0));
    private volatile @Nullable Life life;
    private final Set<Lease> leases = ConcurrentHashMap.newKeySet();
    private final List<Runnable> changeListeners = new CopyOnWriteArrayList<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition emptied = lock.newCondition();
    private final LongSupplier nanoTime;
    private final Duration revokePatience;
    private volatile long lastLeftNanos;
    private volatile boolean used;

    public Gate() {
        this(System::nanoTime, REVOKE_PATIENCE);
    }

    /** For tests that own the time. */
    Gate(LongSupplier nanoTime, Duration revokePatience) {
        this.nanoTime = nanoTime;
        this.revokePatience = revokePatience;
        this.lastLeftNanos = nanoTime.getAsLong();
    }

    /**
     * Announces a new incarnation, closed. Every earlier lease is void from here on.
     *
     * @throws IllegalStateException if the current incarnation could still have someone inside
     */
    public void prepare(Incarnation next) {
        lock.lock();
        try {
            long current = word.get();
            if (Word.phase(current) != Phase.SEALED) {
                throw new IllegalStateException("the gate of " + life + " must be sealed before " + next + " begins");
            }
            long prepared = Word.of(Phase.CLOSED, 0, 0, Word.generation(current) + 1);
            life = new Life(next, Word.generation(prepared));
            leases.clear();
            // Nothing but this method changes a sealed word.
            word.set(prepared);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Lets requests in.
     *
     * @param permits how many at once, 1 to {@link #MAX_PERMITS}
     * @return false if that incarnation is not the current one or its gate is sealed or being revoked: a late result
     */
    public boolean open(Incarnation expected, int permits) {
        if (permits < 1 || permits > MAX_PERMITS) {
            throw new IllegalArgumentException("permits must be 1.." + MAX_PERMITS + ", not " + permits);
        }
        while (true) {
            long current = word.get();
            if (!counts(current, expected) || isFinal(Word.phase(current))) {
                return false;
            }
            if (word.compareAndSet(
                    current, Word.of(Phase.OPEN, Word.inside(current), permits, Word.generation(current)))) {
                lastLeftNanos = nanoTime.getAsLong();
                changed();
                return true;
            }
        }
    }

    /** Stops new entries; those inside stay. The same incarnation may be opened again. */
    public void suspend(Incarnation expected) {
        while (true) {
            long current = word.get();
            if (!counts(current, expected) || Word.phase(current) != Phase.OPEN) {
                return;
            }
            if (word.compareAndSet(current, Word.withPhase(current, Phase.CLOSED))) {
                changed();
                return;
            }
        }
    }

    /** Never blocks; safe on an event loop. */
    public Entry tryEnter() {
        while (true) {
            long current = word.get();
            if (Word.phase(current) != Phase.OPEN) {
                return CLOSED;
            }
            if (Word.inside(current) >= Word.permits(current)) {
                return FULL;
            }
            // Listed before it counts: a revoke closes entry first and then tells every listed lease, so it misses
            // nobody.
            var lease = new Lease(this, current(), Word.generation(current));
            leases.add(lease);
            if (word.compareAndSet(current, Word.withInside(current, Word.inside(current) + 1))) {
                // The generation is part of the word: had the incarnation changed, the word would have changed too.
                return new Entry.Entered(lease);
            }
            leases.remove(lease);
        }
    }

    void left(Lease lease, int generation) {
        leases.remove(lease);
        while (true) {
            long current = word.get();
            if (Word.generation(current) != generation || Word.phase(current) == Phase.SEALED) {
                return;
            }
            long next = Word.withInside(current, Word.inside(current) - 1);
            if (word.compareAndSet(current, next)) {
                lastLeftNanos = nanoTime.getAsLong();
                used = true;
                if (Word.phase(next) != Phase.OPEN && Word.inside(next) == 0) {
                    signalEmptied();
                }
                changed();
                return;
            }
        }
    }

    /**
     * Seals the gate if nobody is inside at this instant. Sealing is idempotent: a sealed incarnation gives the proof again,
     * so that a stop that failed can be repeated.
     *
     * @return the proof, or empty when somebody is inside or another incarnation is the current one; nothing changed then
     */
    public Optional<ClosedGate> tryClose(Incarnation expected) {
        while (true) {
            long current = word.get();
            if (!counts(current, expected)) {
                return Optional.empty();
            }
            if (Word.phase(current) == Phase.SEALED) {
                return Optional.of(new ClosedGate(expected, 0));
            }
            if (Word.inside(current) > 0) {
                return Optional.empty();
            }
            if (word.compareAndSet(current, Word.withPhase(current, Phase.SEALED))) {
                changed();
                return Optional.of(new ClosedGate(expected, 0));
            }
        }
    }

    /**
     * Stops new entries and waits for those inside. Blocks.
     *
     * @return the proof, or empty when the deadline passed: the gate is then open again if it was open before
     * @throws InterruptedException likewise leaves the gate as it was
     */
    public Optional<ClosedGate> drain(Incarnation expected, Duration deadline) throws InterruptedException {
        long before = word.get();
        suspend(expected);
        boolean finished = false;
        try {
            Optional<ClosedGate> proof = awaitEmpty(expected, deadline, 0);
            finished = proof.isPresent();
            return proof;
        } finally {
            if (!finished && Word.phase(before) == Phase.OPEN) {
                open(expected, Word.permits(before));
            }
        }
    }

    /**
     * Takes the workload away from everyone inside: closes entry, tells each lease, waits at most {@link #REVOKE_PATIENCE}
     * and seals whatever is left then. Blocks.
     *
     * @return the proof with the number of requests that were told; empty if another incarnation is the current one
     */
    public Optional<ClosedGate> revoke(Incarnation expected, RevokeCause cause) throws InterruptedException {
        int told = tellEveryone(expected, cause);
        Optional<ClosedGate> proof = awaitEmpty(expected, revokePatience, told);
        return proof.isPresent() ? proof : sealAnyway(expected, told);
    }

    /**
     * The revoke of a workload that is gone already: tells everyone inside and seals at once, because there is nothing left to
     * protect. Does not block.
     *
     * @return how many were told
     */
    public int abandon(Incarnation expected, RevokeCause cause) {
        int told = tellEveryone(expected, cause);
        sealAnyway(expected, told);
        return told;
    }

    private int tellEveryone(Incarnation expected, RevokeCause cause) {
        while (true) {
            long current = word.get();
            if (!counts(current, expected) || Word.phase(current) == Phase.SEALED) {
                return 0;
            }
            if (word.compareAndSet(current, Word.withPhase(current, Phase.REVOKING))) {
                break;
            }
        }
        changed();
        List<Lease> inside = List.copyOf(leases);
        inside.forEach(lease -> tell(lease, cause));
        return inside.size();
    }

    private static void tell(Lease lease, RevokeCause cause) {
        try {
            lease.revoke(cause);
        } catch (RuntimeException broken) {
            // The others inside must hear of it all the same.
            log.error("a request inside {} could not be told of {}", lease.incarnation(), cause, broken);
        }
    }

    public int inside() {
        long current = word.get();
        return Word.phase(current) == Phase.SEALED ? 0 : Word.inside(current);
    }

    public int permits() {
        return Word.permits(word.get());
    }

    public boolean isOpen() {
        return Word.phase(word.get()) == Phase.OPEN;
    }

    /** How long it has been quiet: zero while somebody is inside, counted from the opening if nobody ever was. */
    public Duration quietFor() {
        return inside() > 0 ? Duration.ZERO : Duration.ofNanos(nanoTime.getAsLong() - lastLeftNanos);
    }

    /** Whether anybody has entered since this gate exists. */
    public boolean wasUsed() {
        return used;
    }

    /** Calls back after a leave, an opening or a closing: a waiting request may have its turn. Must not block. */
    void onChange(Runnable listener) {
        changeListeners.add(listener);
    }

    private Optional<ClosedGate> awaitEmpty(Incarnation expected, Duration deadline, int cut)
            throws InterruptedException {
        long remaining = deadline.toNanos();
        lock.lockInterruptibly();
        try {
            while (true) {
                long current = word.get();
                if (Word.phase(current) == Phase.OPEN) {
                    return Optional.empty();
                }
                Optional<ClosedGate> proof = tryClose(expected);
                if (proof.isPresent()) {
                    return Optional.of(new ClosedGate(expected, cut));
                }
                if (!counts(word.get(), expected)) {
                    return Optional.empty();
                }
                if (remaining <= 0) {
                    return Optional.empty();
                }
                // Bounded wake-ups are only a belt: another owner's open() or seal does not signal.
                long slice = Math.min(remaining, TimeUnit.MILLISECONDS.toNanos(100));
                remaining -= slice - emptied.awaitNanos(slice);
            }
        } finally {
            lock.unlock();
        }
    }

    private Optional<ClosedGate> sealAnyway(Incarnation expected, int cut) {
        while (true) {
            long current = word.get();
            if (!counts(current, expected)) {
                return Optional.empty();
            }
            if (Word.phase(current) == Phase.SEALED) {
                return Optional.of(new ClosedGate(expected, cut));
            }
            if (word.compareAndSet(current, Word.withPhase(Word.withInside(current, 0), Phase.SEALED))) {
                changed();
                return Optional.of(new ClosedGate(expected, cut));
            }
        }
    }

    private Incarnation current() {
        Life now = life;
        if (now == null) {
            throw new IllegalStateException("a gate that was never prepared is never open");
        }
        return now.incarnation();
    }

    private boolean counts(long current, Incarnation expected) {
        Life now = life;
        return now != null
                && now.generation() == Word.generation(current)
                && now.incarnation().equals(expected);
    }

    private static boolean isFinal(Phase phase) {
        return phase == Phase.REVOKING || phase == Phase.SEALED;
    }

    private void signalEmptied() {
        lock.lock();
        try {
            emptied.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void changed() {
        changeListeners.forEach(Runnable::run);
    }

    /** Phase (2 bits), generation (30), inside (16) and permits (16) in one long. */
    private static final class Word {
        private static final Phase[] PHASES = Phase.values();

        static long of(Phase phase, int inside, int permits, int generation) {
            return ((long) phase.ordinal() << 62)
                    | ((long) (generation & 0x3FFF_FFFF) << 32)
                    | ((long) (inside & 0xFFFF) << 16)
                    | (permits & 0xFFFF);
        }

        static Phase phase(long word) {
            return PHASES[(int) (word >>> 62)];
        }

        static int generation(long word) {
            return (int) (word >>> 32) & 0x3FFF_FFFF;
        }

        static int inside(long word) {
            return (int) (word >>> 16) & 0xFFFF;
        }

        static int permits(long word) {
            return (int) word & 0xFFFF;
        }

        static long withPhase(long word, Phase phase) {
            return of(phase, inside(word), permits(word), generation(word));
        }

        static long withInside(long word, int inside) {
            return of(phase(word), inside, permits(word), generation(word));
        }
    }
}
