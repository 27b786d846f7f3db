package dev.hal0.journal;

import dev.hal0.journal.JournalStatus.State;
import dev.hal0.journal.Readers.Question;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.ProgressHandler;

/** One thread that answers questions over one connection that can only read. */
final class Reader implements Runnable {
    private static final Logger log = LoggerFactory.getLogger(Reader.class);

    /** SQLite asks whether to go on after so many of its instructions: some 50 microseconds. */
    private static final int INSTRUCTIONS = 2_000;

    private final DatabaseFile file;
    private final Writer writer;
    private final BlockingQueue<Question<?>> questions;
    private volatile boolean stopped;

    // Of the reader's thread only.
    private @Nullable Connection connection;
    private int generation;
    private @Nullable Question<?> current;

    Reader(DatabaseFile file, Writer writer, BlockingQueue<Question<?>> questions) {
        this.file = file;
        this.writer = writer;
        this.questions = questions;
    }

    void stop() {
        stopped = true;
    }

    @Override
    public void run() {
        try {
            while (!stopped) {
                answer(questions.take());
            }
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        } finally {
            disconnect();
        }
    }

    private void answer(Question<?> question) throws InterruptedException {
        current = question;
        try {
            if (!writer.health().awaitTried(Duration.ofNanos(question.left())) || question.over()) {
                question.fail(late());
                return;
            }
            question.ask(connected());
        } catch (SQLException failure) {
            question.fail(explained(failure));
        } catch (Hal0Exception why) {
            question.fail(why);
        } catch (InterruptedException closed) {
            question.fail(Readers.closed());
            throw closed;
        } catch (RuntimeException | Error defect) {
            log.error("A question to the journal failed", defect);
            disconnect();
            question.fail(new Hal0Exception(ErrorCode.SYSTEM_INTERNAL, "The journal failed: " + defect, defect));
        } finally {
            current = null;
        }
    }

    private Connection connected() throws SQLException {
        Health.View view = writer.health().view();
        if (!view.readable()) {
            ErrorCode code = view.state() == State.NEWER ? ErrorCode.STATE_CORRUPT : ErrorCode.SYSTEM_STORAGE;
            throw new Hal0Exception(
                            code, "There is no history: " + (view.problem() == null ? "it is closed" : view.problem()))
                    .withDetail("path", file.path().toString());
        }
        if (connection != null && generation == view.generation()) {
            return connection;
        }
        disconnect();
        Connection fresh = file.openForReading();
        connection = fresh;
        generation = view.generation();
        ProgressHandler.setHandler(fresh, INSTRUCTIONS, new ProgressHandler() {
            @Override
            protected int progress() {
                Question<?> asked = current;
                return stopped || asked == null || asked.over() ? 1 : 0;
            }
        });
        return fresh;
    }

    private Hal0Exception explained(SQLException failure) {
        switch (Failure.of(failure)) {
            case INTERRUPTED -> {
                return stopped ? Readers.closed() : late();
            }
            case CORRUPT -> {
                // The writer decides: what looks damaged may be a file that is being replaced.
                disconnect();
                writer.suspect();
            }
            case BUSY, FULL, ROW, OTHER -> disconnect();
        }
        return new Hal0Exception(
                        ErrorCode.SYSTEM_STORAGE, "Could not read the journal: " + failure.getMessage(), failure)
                .withDetail("path", file.path().toString());
    }

    private static Hal0Exception late() {
        return Readers.busy("The journal did not answer in time; ask for less, or again later");
    }

    private void disconnect() {
        Connection open = connection;
        connection = null;
        if (open != null) {
            try {
                open.close();
            } catch (SQLException failure) {
                log.debug("A reader's connection did not close: {}", failure.getMessage());
            }
        }
    }
}
