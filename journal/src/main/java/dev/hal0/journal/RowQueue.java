package dev.hal0.journal;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Rows on their way to the writer. Bounded: when it is full, the oldest of the rows with the least worth goes, and that may
 * be the new one itself. What is left is handed out in the order it came.
 *
 * <p>Each row has a ticket. Tickets are taken in order, so "everything up to ticket n is settled" is one number, whatever
 * was dropped in between.
 *
 * <p>Thread-safe; one taker. Adding holds the lock for a few instructions, never during I/O.
 */
final class RowQueue {
    /** Lowest first: a lost request is a gap in statistics, a lost transition is a gap in an explanation. */
    private enum Worth {
        REQUEST,
        EVENT,
        LIFECYCLE;

        static Worth of(JournalRow row) {
            return switch (row) {
                case RequestRow _ -> REQUEST;
                case EventRow _ -> EVENT;
                case OperationRow _, TransitionRow _ -> LIFECYCLE;
            };
        }
    }

    private record Entry(long ticket, JournalRow row, boolean urgent) {}

    /**
     * @param urgent a row in it is to survive a power cut as soon as it is written
     * @param last nothing comes any more
     * @param through the ticket up to which everything is settled once this batch is
     */
    record Batch(List<JournalRow> rows, boolean urgent, boolean last, long through) {}

    private final int bound;
    private final int batchRows;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition forTheTaker = lock.newCondition();
    private final Condition forTheFlushers = lock.newCondition();

    // From here on guarded by the lock.
    private final Map<Worth, ArrayDeque<Entry>> entries = new EnumMap<>(Worth.class);
    private int size;
    private long lastTicket;
    private long takenThrough;
    private long settledThrough;
    /** Rows up to this ticket are not gathered into a fuller batch. */
    private long hurriedThrough;

    private boolean nudged;
    private boolean closed;
    private long overflowed;
    private long late;

    /** @param batchRows handed out at once, at most */
    RowQueue(int bound, int batchRows) {
        this.bound = bound;
        this.batchRows = batchRows;
        for (Worth worth : Worth.values()) {
            entries.put(worth, new ArrayDeque<>());
        }
    }

    void add(JournalRow row, boolean urgent) {
        lock.lock();
        try {
            if (closed) {
                late++;
                return;
            }
            var entry = new Entry(++lastTicket, row, urgent);
            ArrayDeque<Entry> equals = entries(Worth.of(row));
            equals.addLast(entry);
            if (size == bound) {
                dropLeast();
            } else {
                size++;
            }
            if (urgent) {
                hurriedThrough = entry.ticket();
            }
            // Waking the writer for each row would cost more than the row.
            if (urgent || size == 1 || size == batchRows) {
                forTheTaker.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits for rows, then for more rows.
     *
     * @param idle how long to wait for a first row; the batch is empty when none came
     * @param gather how long to wait from then on for the batch to fill up
     */
    Batch take(Duration idle, Duration gather) throws InterruptedException {
        lock.lock();
        try {
            long left = idle.toNanos();
            while (size == 0 && !closed && !nudged && left > 0) {
                left = forTheTaker.awaitNanos(left);
            }
            left = gather.toNanos();
            while (size > 0 && size < batchRows && hurriedThrough <= takenThrough && !closed && !nudged && left > 0) {
                left = forTheTaker.awaitNanos(left);
            }
            nudged = false;
            return next();
        } finally {
            lock.unlock();
        }
    }

    /** Lets rows gather for so long, whatever their number; whoever waits for them ends it. */
    void rest(Duration pause) throws InterruptedException {
        lock.lock();
        try {
            long left = pause.toNanos();
            while (hurriedThrough <= takenThrough && !closed && !nudged && left > 0) {
                left = forTheTaker.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    /** What the batch held is written, or is lost and counted. */
    void settled(Batch batch) {
        lock.lock();
        try {
            settledThrough = batch.through();
            forTheFlushers.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Whether everything added before this call was settled in time. */
    boolean awaitSettled(Duration deadline) throws InterruptedException {
        lock.lock();
        try {
            long mark = lastTicket;
            hurriedThrough = mark;
            forTheTaker.signal();
            long left = deadline.toNanos();
            while (settledThrough < mark) {
                if (left <= 0) {
                    return false;
                }
                left = forTheFlushers.awaitNanos(left);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Makes the taker return, with or without rows. */
    void nudge() {
        lock.lock();
        try {
            nudged = true;
            forTheTaker.signal();
        } finally {
            lock.unlock();
        }
    }

    /** What is in the queue is still handed out; what comes later is counted and forgotten. */
    void close() {
        lock.lock();
        try {
            closed = true;
            forTheTaker.signal();
        } finally {
            lock.unlock();
        }
    }

    int size() {
        lock.lock();
        try {
            return size;
        } finally {
            lock.unlock();
        }
    }

    long overflowed() {
        lock.lock();
        try {
            return overflowed;
        } finally {
            lock.unlock();
        }
    }

    long late() {
        lock.lock();
        try {
            return late;
        } finally {
            lock.unlock();
        }
    }

    private Batch next() {
        var rows = new ArrayList<JournalRow>(Math.min(size, batchRows));
        boolean urgent = false;
        while (rows.size() < batchRows) {
            Entry entry = removeFirst();
            if (entry == null) {
                break;
            }
            rows.add(entry.row());
            urgent |= entry.urgent();
            takenThrough = entry.ticket();
        }
        if (size == 0) {
            takenThrough = lastTicket;
        }
        return new Batch(rows, urgent, closed && size == 0, takenThrough);
    }

    private @Nullable Entry removeFirst() {
        ArrayDeque<Entry> oldest = null;
        long ticket = Long.MAX_VALUE;
        for (ArrayDeque<Entry> equals : entries.values()) {
            Entry first = equals.peekFirst();
            if (first != null && first.ticket() < ticket) {
                ticket = first.ticket();
                oldest = equals;
            }
        }
        if (oldest == null) {
            return null;
        }
        size--;
        return oldest.removeFirst();
    }

    private void dropLeast() {
        for (ArrayDeque<Entry> equals : entries.values()) {
            if (!equals.isEmpty()) {
                equals.removeFirst();
                overflowed++;
                return;
            }
        }
    }

    private ArrayDeque<Entry> entries(Worth worth) {
        return Objects.requireNonNull(entries.get(worth), "each worth has its queue");
    }
}
