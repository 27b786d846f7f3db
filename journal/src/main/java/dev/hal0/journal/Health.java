package dev.hal0.journal;

import dev.hal0.journal.JournalStatus.State;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How the file is, as the writer sees it. Trouble is one log line, however many rows meet it. Written by the writer's
 * thread, read by any.
 */
final class Health {
    private static final Logger log = LoggerFactory.getLogger(Journal.class);

    /**
     * @param problem null when there is none
     * @param generation grows with every opening: a connection of an earlier one reads a file that is gone
     */
    record View(State state, @Nullable String problem, int generation) {
        boolean readable() {
            return state == State.OPEN || state == State.FAILING;
        }
    }

    /** A disk that is full on and off would fill the log as well. */
    private static final Duration QUIET = Duration.ofMinutes(1);

    private final InstantSource clock;
    private final CountDownLatch tried = new CountDownLatch(1);
    private volatile View view = new View(State.OPENING, null, 0);

    // Of the writer's thread only.
    private @Nullable Instant complained;
    private boolean complaining;
    private long lost;

    Health(InstantSource clock) {
        this.clock = clock;
    }

    View view() {
        return view;
    }

    /** Waits until the file was opened, or could not be, for the first time; whether that came in time. */
    boolean awaitTried(Duration deadline) throws InterruptedException {
        return tried.await(Math.max(0, deadline.toNanos()), TimeUnit.NANOSECONDS);
    }

    void opened() {
        view = new View(State.OPEN, null, view.generation() + 1);
        tried.countDown();
        recovered();
    }

    void stored() {
        if (view.state() == State.FAILING) {
            view = new View(State.OPEN, null, view.generation());
            recovered();
        }
    }

    void lost(long rows) {
        lost += rows;
    }

    void trouble(State state, String problem) {
        boolean known = view.state() == state;
        view = new View(state, problem, view.generation());
        tried.countDown();
        if (!known && !isRecent(complained)) {
            complained = clock.instant();
            complaining = true;
            log.warn("No history is kept: {}", problem);
        }
    }

    void closed() {
        view = new View(State.CLOSED, null, view.generation());
        tried.countDown();
    }

    private void recovered() {
        if (complaining) {
            complaining = false;
            log.info("History is kept again; {} rows were lost so far", lost);
        }
    }

    private boolean isRecent(@Nullable Instant instant) {
        return instant != null
                && Duration.between(instant, clock.instant()).abs().compareTo(QUIET) < 0;
    }
}
