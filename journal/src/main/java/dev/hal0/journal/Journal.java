package dev.hal0.journal;

import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The history of this box: what happened, what was asked of the slots, and which requests were answered how. One SQLite
 * file; losing it loses nothing live, so nothing here may ever hold up or break what it is the history of:
 *
 * <ul>
 *   <li>{@link #record} queues and returns. When rows come faster than the disk takes them, the least valuable are dropped
 *       and counted.
 *   <li>A full disk costs the rows of that time, which are counted, and nothing else.
 *   <li>A damaged or unreadable file is renamed to {@code journal.db.broken-<time>} and a new one is begun.
 *   <li>A file of a later version is neither written nor read.
 * </ul>
 *
 * <p>A row is in the file about 200 ms after it was recorded, which a killed process does not undo; a power cut may take the
 * rows of the last seconds with it, apart from those of {@link #recordAtOnce}. A file that is deleted or moved while it is
 * open is begun anew.
 *
 * <p>SQLite's calls pin the carrier of a virtual thread, so that they run on platform threads here: one that writes and two
 * that read. Thread-safe.
 */
public final class Journal implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Journal.class);

    /** Of {@link #close}: a few batches; more time would be the disk's fault. */
    private static final Duration CLOSING = Duration.ofSeconds(5);

    private final Path path;
    private final RowQueue queue;
    private final Writer writer;
    private final Thread writing;
    private final Readers readers;

    /** {@link #Journal(Path, JournalSettings, InstantSource)} with {@link JournalSettings#DEFAULTS}. */
    public Journal(Path path, InstantSource clock) {
        this(path, JournalSettings.DEFAULTS, clock);
    }

    /**
     * Returns at once; the file is opened, or created with its folder, by the writer's thread. Whether that succeeded is in
     * {@link #status}. No two journals may have one file.
     *
     * @param clock for ages of rows and names of files
     */
    public Journal(Path path, JournalSettings settings, InstantSource clock) {
        this(path, settings, clock, 0);
    }

    /** @param maxPages for tests: the file stops growing there as on a full disk; 0 for no bound */
    Journal(Path path, JournalSettings settings, InstantSource clock, long maxPages) {
        this.path = path;
        this.queue = new RowQueue(settings.queueRows(), Writer.BATCH_ROWS);
        var file = new DatabaseFile(path, clock);
        this.writer = new Writer(queue, file, settings, clock);
        writer.limitPages(maxPages);
        this.writing = Thread.ofPlatform().name("hal0-journal-writer").daemon().start(writer);
        this.readers = new Readers(file, writer, settings.queryDeadline());
    }

    /** Queues a row. Never blocks and never throws; after {@link #close} the row is counted and forgotten. */
    public void record(JournalRow row) {
        queue.add(row, false);
    }

    /**
     * {@link #record}, for what must not be lost to a power cut: it is written and forced to the disk as soon as the writer
     * is free, with what was recorded before it. Costs one fsync, so it is for operations and revokes and not for requests.
     */
    public void recordAtOnce(JournalRow row) {
        queue.add(row, true);
    }

    /**
     * Waits until everything recorded before this call is in the file, or is lost and counted in {@link #status}. Blocks the
     * calling thread, which must not be an event loop.
     *
     * @return false when that took longer than the deadline
     */
    public boolean flush(Duration deadline) throws InterruptedException {
        return queue.awaitSettled(deadline);
    }

    /**
     * Requests, the last to end first.
     *
     * <p>Of this and all questions: the answer fails with a {@code Hal0Exception}, {@code system.command_timeout} when it
     * took longer than the deadline or too many questions wait, {@code system.storage} when there is no readable file and
     * {@code state.corrupt} when it is of a later version; with a {@code TimeoutException} when the disk hangs. It completes
     * on a virtual thread. Cancelling it breaks the question off.
     */
    public CompletableFuture<Page<RequestRow>> requests(RequestFilter filter, Paging paging) {
        return readers.ask(connection -> Queries.requests(filter).page(connection, paging));
    }

    /** Events, newest first. */
    public CompletableFuture<Page<EventRow>> events(EventFilter filter, Paging paging) {
        return readers.ask(connection -> Queries.events(filter).page(connection, paging));
    }

    /**
     * Operations, the last to begin first.
     *
     * @param slot null for those of all slots and of none
     */
    public CompletableFuture<Page<OperationRow>> operations(@Nullable String slot, Paging paging) {
        return readers.ask(connection -> Queries.operations(slot).page(connection, paging));
    }

    /**
     * Transitions, newest first.
     *
     * @param slot null for those of all slots
     */
    public CompletableFuture<Page<TransitionRow>> transitions(@Nullable String slot, Paging paging) {
        return readers.ask(connection -> Queries.transitions(slot).page(connection, paging));
    }

    /** Never blocks. The parts are read one after the other and may be some rows apart. */
    public JournalStatus status() {
        Health.View view = writer.health().view();
        var dropped = new JournalStatus.Dropped(queue.overflowed(), writer.unstored(), writer.invalid(), queue.late());
        return new JournalStatus(path, view.state(), view.problem(), writer.written(), queue.size(), dropped);
    }

    /** Writes what is queued, for some seconds at most, and closes the file. Blocks; idempotent. */
    @Override
    public void close() {
        queue.close();
        readers.close();
        try {
            if (!writing.join(CLOSING)) {
                log.warn("The journal did not close in {} s; {} rows are lost", CLOSING.toSeconds(), queue.size());
            }
        } catch (InterruptedException asked) {
            Thread.currentThread().interrupt();
        }
    }

    /** For tests: any question. */
    <T> CompletableFuture<T> ask(Readers.Query<T> query) {
        return readers.ask(query);
    }

    /** For tests: space is gone, or back. */
    void limitPages(long pages) {
        writer.limitPages(pages);
    }
}
