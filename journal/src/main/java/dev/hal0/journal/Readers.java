package dev.hal0.journal;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/**
 * Answers questions on {@link #THREADS} threads of its own: SQLite's calls would pin a virtual thread's carrier. A question
 * that takes longer than its deadline is broken off inside SQLite. Thread-safe.
 */
final class Readers implements AutoCloseable {
    static final int THREADS = 2;

    /** More would only wait until their deadline. */
    private static final int WAITING = 64;

    /** How long a dead disk may hold a reader beyond the deadline before its question is answered without it. */
    private static final Duration GRACE = Duration.ofSeconds(1);

    interface Query<T> {
        T run(Connection connection) throws SQLException;
    }

    /** @param deadline of {@link System#nanoTime}: a clock that is set must not end a question */
    record Question<T>(Query<T> query, CompletableFuture<T> answer, long deadline) {
        boolean over() {
            return answer.isDone() || left() <= 0;
        }

        long left() {
            return deadline - System.nanoTime();
        }

        void ask(Connection connection) throws SQLException {
            T result = query.run(connection);
            // What is chained to the answer must not run on, and block, one of two readers.
            Thread.startVirtualThread(() -> answer.complete(result));
        }

        void fail(Hal0Exception why) {
            Thread.startVirtualThread(() -> answer.completeExceptionally(why));
        }
    }

    private final BlockingQueue<Question<?>> questions = new ArrayBlockingQueue<>(WAITING);
    private final Duration deadline;
    private final List<Reader> readers;
    private final List<Thread> threads;
    private volatile boolean closed;

    Readers(DatabaseFile file, Writer writer, Duration deadline) {
        this.deadline = deadline;
        this.readers = IntStream.range(0, THREADS)
                .mapToObj(i -> new Reader(file, writer, questions))
                .toList();
        this.threads = IntStream.range(0, THREADS)
                .mapToObj(i -> Thread.ofPlatform()
                        .name("hal0-journal-reader-" + (i + 1))
                        .daemon()
                        .start(readers.get(i)))
                .toList();
    }

    /** The answer fails with a {@link Hal0Exception}; cancelling it breaks the question off. */
    <T> CompletableFuture<T> ask(Query<T> query) {
        var answer = new CompletableFuture<T>();
        var question = new Question<>(query, answer, System.nanoTime() + deadline.toNanos());
        if (!questions.offer(question)) {
            question.fail(busy("The journal has " + WAITING + " questions waiting; ask again later"));
        } else if (closed && questions.remove(question)) {
            // After the queue was emptied nobody else would.
            question.fail(closed());
        }
        return answer.orTimeout(deadline.plus(GRACE).toNanos(), TimeUnit.NANOSECONDS);
    }

    static Hal0Exception closed() {
        return new Hal0Exception(ErrorCode.SYSTEM_STORAGE, "The journal is closed");
    }

    static Hal0Exception busy(String message) {
        return new Hal0Exception(ErrorCode.SYSTEM_COMMAND_TIMEOUT, message).withRetryAfter(Duration.ofSeconds(1));
    }

    /** Breaks off what is being asked and refuses what waits; returns when the readers are gone or hang in the disk. */
    @Override
    public void close() {
        closed = true;
        readers.forEach(Reader::stop);
        threads.forEach(Thread::interrupt);
        boolean interrupted = false;
        for (Thread thread : threads) {
            try {
                thread.join(GRACE);
            } catch (InterruptedException asked) {
                interrupted = true;
            }
        }
        Question<?> waiting;
        while ((waiting = questions.poll()) != null) {
            waiting.fail(closed());
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
