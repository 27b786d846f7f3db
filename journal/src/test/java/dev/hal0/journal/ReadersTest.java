package dev.hal0.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ReadersTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    /** Its transaction, which reads, is open for as long as it lasts. */
    private static final String ENDLESS = "WITH RECURSIVE n(x) AS (SELECT count(*) FROM requests UNION ALL"
            + " SELECT x + 1 FROM n) SELECT count(*) FROM n";

    @TempDir
    Path folder;

    @Test
    void questionBeyondItsDeadline_isBrokenOff() {
        try (var journal = open(Duration.ofMillis(300))) {
            assertThat(failure(journal.ask(ReadersTest::endless)).code()).isEqualTo(ErrorCode.SYSTEM_COMMAND_TIMEOUT);
            // The same readers go on.
            for (int i = 0; i < 4; i++) {
                assertThat(journal.requests(RequestFilter.ANY, Paging.newest(1)))
                        .succeedsWithin(LONG);
            }
        }
    }

    @Test
    void slowReaders_doNotBlockTheWriter() throws Exception {
        try (var journal = open(LONG)) {
            var asked = new ArrayList<CompletableFuture<Long>>();
            var reading = new CountDownLatch(Readers.THREADS);
            for (int i = 0; i < Readers.THREADS; i++) {
                asked.add(journal.ask(connection -> {
                    reading.countDown();
                    return endless(connection);
                }));
            }
            reading.await();

            for (int i = 0; i < 2_000; i++) {
                journal.record(Rows.request("r-" + i));
            }
            assertThat(journal.flush(LONG)).isTrue();

            assertThat(journal.status().written()).isEqualTo(2_000);
            assertThat(asked).noneMatch(CompletableFuture::isDone);
            asked.forEach(answer -> answer.cancel(false));
            // Cancelled questions free their readers.
            assertThat(journal.requests(RequestFilter.ANY, Paging.newest(1)))
                    .succeedsWithin(LONG)
                    .satisfies(page -> assertThat(page.rows()).hasSize(1));
        }
    }

    @Test
    void moreQuestionsThanMayWait_areRefused() throws Exception {
        try (var journal = open(LONG)) {
            var reading = new CountDownLatch(Readers.THREADS);
            var asked = new ArrayList<CompletableFuture<Long>>();
            for (int i = 0; i < 200; i++) {
                asked.add(journal.ask(connection -> {
                    reading.countDown();
                    return endless(connection);
                }));
            }
            reading.await();

            assertThat(failure(asked.getLast()).retryAfterSeconds()).hasValue(1L);
        }
    }

    @Test
    void closing_endsTheQuestions() throws Exception {
        CompletableFuture<Long> asked;
        try (var journal = open(Duration.ofHours(1))) {
            var reading = new CountDownLatch(1);
            asked = journal.ask(connection -> {
                reading.countDown();
                return endless(connection);
            });
            reading.await();
        }

        assertThat(failure(asked).message()).contains("closed");
    }

    @Test
    void writingThroughAReader_isRefused() {
        try (var journal = open(LONG)) {
            assertThat(failure(journal.ask(connection -> {
                                try (var statement = connection.createStatement()) {
                                    return statement.executeUpdate("DELETE FROM requests");
                                }
                            }))
                            .message())
                    .contains("readonly");
        }
    }

    @Test
    void answer_doesNotHoldAReader() throws Exception {
        try (var journal = open(LONG)) {
            var release = new CountDownLatch(1);
            var chained = new ArrayList<CompletableFuture<Void>>();
            for (int i = 0; i < 10; i++) {
                chained.add(
                        journal.requests(RequestFilter.ANY, Paging.newest(1)).thenAccept(page -> await(release)));
            }

            assertThat(journal.requests(RequestFilter.ANY, Paging.newest(1))).succeedsWithin(LONG);
            release.countDown();
            assertThat(CompletableFuture.allOf(chained.toArray(CompletableFuture[]::new)))
                    .succeedsWithin(LONG);
        }
    }

    private Journal open(Duration deadline) {
        var defaults = JournalSettings.DEFAULTS;
        var settings = new JournalSettings(
                defaults.queueRows(),
                deadline,
                defaults.requests(),
                defaults.operations(),
                defaults.transitions(),
                defaults.events());
        return new Journal(folder.resolve("journal.db"), settings, InstantSource.fixed(Rows.NOW));
    }

    private static long endless(Connection connection) throws SQLException {
        return Schema.number(connection, ENDLESS);
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private static Hal0Exception failure(CompletableFuture<?> answer) {
        try {
            return new Hal0Exception(ErrorCode.SYSTEM_INTERNAL, "answered with " + answer.get());
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof Hal0Exception why) {
                return why;
            }
            throw new AssertionError("another failure", failed);
        } catch (InterruptedException stopped) {
            throw new IllegalStateException(stopped);
        }
    }
}
