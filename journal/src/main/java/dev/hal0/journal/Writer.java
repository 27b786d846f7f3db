package dev.hal0.journal;

import dev.hal0.journal.JournalStatus.State;
import dev.hal0.journal.RowQueue.Batch;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that writes. It opens the file, stores batches and tidies up between them. Whatever goes wrong, it counts
 * the rows as lost and goes on: a history that cannot be kept must not be noticed anywhere else.
 *
 * <p>Only {@link #run} touches the store; everything else may be called from any thread.
 */
final class Writer implements Runnable {
    private static final Logger log = LoggerFactory.getLogger(Writer.class);

    /** Large enough that a commit costs little for each row, small enough that a transaction is milliseconds. */
    static final int BATCH_ROWS = 500;

    /**
     * Times as long as a full batch took, until the next one: under a flood history takes a quarter of a core and no more.
     * What the queue then cannot hold is counted as lost. Without it, 25,000 requests a second cost twice their CPU.
     */
    private static final int REST = 3;

    /** How long a row waits for company. */
    private static final Duration GATHER = Duration.ofMillis(200);

    /** How long the thread sleeps at most: what is due is noticed that late. */
    private static final Duration IDLE = Duration.ofSeconds(10);

    /** Between attempts to open a file that could not be opened. */
    static final Duration REOPEN = Duration.ofSeconds(10);

    /** Between looks at what is too old or too much. */
    static final Duration TIDY = Duration.ofMinutes(10);

    private final RowQueue queue;
    private final DatabaseFile file;
    private final JournalSettings settings;
    private final InstantSource clock;
    private final Health health;
    private final Instant born;
    private final LongAdder written = new LongAdder();
    private final LongAdder unstored = new LongAdder();
    private final LongAdder invalid = new LongAdder();
    private volatile boolean suspect;
    private volatile long maxPages;

    // Of the writer's thread only.
    private @Nullable Store store;
    private @Nullable Instant triedToOpen;
    private @Nullable Instant tidied;
    private boolean untidy;
    private boolean abandoned;

    Writer(RowQueue queue, DatabaseFile file, JournalSettings settings, InstantSource clock) {
        this.queue = queue;
        this.file = file;
        this.settings = settings;
        this.clock = clock;
        this.health = new Health(clock);
        this.born = clock.instant();
    }

    Health health() {
        return health;
    }

    long written() {
        return written.sum();
    }

    /** Rows that the file could not take. */
    long unstored() {
        return unstored.sum();
    }

    /** Rows that no file could take. */
    long invalid() {
        return invalid.sum();
    }

    /** A reader met damage: the file is checked before the next batch. */
    void suspect() {
        suspect = true;
        queue.nudge();
    }

    /** For tests: the disk has room for so many pages; 0 for as many as there are. */
    void limitPages(long pages) {
        maxPages = pages;
    }

    @Override
    public void run() {
        try {
            boolean last = false;
            while (!last) {
                guarded(this::ensureOpen);
                Batch batch = queue.take(untidy ? Duration.ZERO : IDLE, GATHER);
                guarded(this::ensureOpen);
                long began = System.nanoTime();
                if (!batch.rows().isEmpty()) {
                    store(batch);
                }
                queue.settled(batch);
                last = batch.last();
                if (batch.rows().size() == BATCH_ROWS) {
                    queue.rest(Duration.ofNanos(REST * (System.nanoTime() - began)));
                }
                if (!last) {
                    guarded(this::tidyIfDue);
                }
            }
        } catch (InterruptedException ended) {
            log.warn("The writer was interrupted; {} rows are lost", queue.size());
            Thread.currentThread().interrupt();
        } finally {
            closeStore();
            health.closed();
        }
    }

    private void store(Batch batch) {
        Store first = store;
        boolean stored = guarded(() -> write(batch));
        // After damage there is a new file, and no reason to lose what the old one did not take.
        if (!stored && store != null && store != first) {
            stored = guarded(() -> write(batch));
        }
        if (!stored) {
            unstored.add(batch.rows().size());
            health.lost(batch.rows().size());
        }
    }

    private boolean write(Batch batch) throws SQLException {
        Store open = store;
        if (open == null) {
            return false;
        }
        open.limitPages(maxPages);
        int refused = open.write(batch.rows(), batch.urgent());
        invalid.add(refused);
        written.add(batch.rows().size() - refused);
        health.stored();
        return true;
    }

    private boolean tidyIfDue() throws SQLException {
        Store open = store;
        if (open == null || !(untidy || due(tidied, TIDY))) {
            return true;
        }
        untidy = false;
        tidied = clock.instant();
        untidy = open.tidy(clock.instant());
        return true;
    }

    private boolean ensureOpen() throws SQLException {
        if (suspect && store != null) {
            suspect = false;
            String damage = file.damage();
            if (damage != null) {
                replace(damage);
            }
        }
        if (store != null && !store.isInPlace()) {
            log.warn("{} was deleted or replaced; what it held is gone", file.path());
            closeStore();
            triedToOpen = null;
        }
        if (store == null && due(triedToOpen, REOPEN)) {
            open();
        }
        return true;
    }

    private void open() {
        triedToOpen = clock.instant();
        try {
            Connection connection = file.openForWriting();
            try {
                store = new Store(file.path(), connection, settings);
            } catch (SQLException | IOException failure) {
                connection.close();
                throw failure;
            }
            abandonOperations(store);
            health.opened();
        } catch (DatabaseFile.NewerSchemaException newer) {
            health.trouble(State.NEWER, String.valueOf(newer.getMessage()));
        } catch (SQLException | IOException failure) {
            giveUp(failure.toString());
        }
    }

    private void abandonOperations(Store open) {
        if (!abandoned) {
            try {
                open.abandonOperations(born);
                abandoned = true;
            } catch (SQLException failure) {
                // On a full disk, for instance: it is still worth reading, and the next life tries again.
                log.warn("Operations of an earlier life look as if they ran: {}", failure.getMessage());
            }
        }
    }

    /** @return what {@code step} returned; false when it failed */
    private boolean guarded(Step step) {
        try {
            return step.run();
        } catch (SQLException failure) {
            handle(failure);
        } catch (RuntimeException | Error defect) {
            // A native library that is missing, for instance. The thread that empties the queue must not end.
            if (health.view().state() != State.UNAVAILABLE) {
                log.error("The journal failed", defect);
            }
            giveUp(defect.toString());
        }
        return false;
    }

    private void handle(SQLException failure) {
        String problem = String.valueOf(failure.getMessage());
        switch (Failure.of(failure)) {
            case FULL, BUSY, INTERRUPTED, ROW -> health.trouble(State.FAILING, problem);
            case CORRUPT -> replace(problem);
            case OTHER -> giveUp(problem);
        }
    }

    private void replace(String damage) {
        closeStore();
        try {
            file.moveAside(damage);
            open();
        } catch (IOException failure) {
            giveUp(failure.toString());
        }
    }

    private void giveUp(String problem) {
        closeStore();
        health.trouble(State.UNAVAILABLE, problem);
    }

    private void closeStore() {
        Store open = store;
        store = null;
        if (open != null) {
            open.close();
        }
    }

    /** A clock that was set back must not put anything off. */
    private boolean due(@Nullable Instant last, Duration period) {
        if (last == null) {
            return true;
        }
        Duration since = Duration.between(last, clock.instant());
        return since.isNegative() || since.compareTo(period) >= 0;
    }

    private interface Step {
        boolean run() throws SQLException;
    }
}
