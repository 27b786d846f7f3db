package dev.hal0.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.journal.JournalSettings.Limits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RetentionTest {
    private static final Limits GENEROUS = new Limits(Duration.ofDays(90), 200_000);

    @TempDir
    Path folder;

    private final MovingClock clock = new MovingClock();
    private Path path = Path.of("");

    @SuppressWarnings("NullAway.Init")
    private Connection connection;

    @BeforeEach
    void open() throws Exception {
        path = folder.resolve("journal.db");
        connection = new DatabaseFile(path, clock).openForWriting();
    }

    @AfterEach
    void close() throws Exception {
        connection.close();
    }

    @Test
    void rowsThatAreTooOld_areDeleted() throws Exception {
        write(Rows.request("old", Rows.NOW.minusSeconds(1)), Rows.request("young", Rows.NOW), Rows.failed("op-1"));
        clock.advance(Duration.ofDays(30));

        assertThat(steps(settings(new Limits(Duration.ofDays(30), 100)))).isEqualTo(1);

        assertThat(number("SELECT count(*) FROM requests WHERE id = 'young'")).isEqualTo(1);
        assertThat(number("SELECT count(*) FROM requests")).isEqualTo(1);
        assertThat(number("SELECT count(*) FROM operations")).isEqualTo(1);
    }

    @Test
    void rowsThatAreTooMany_goOldestFirst() throws Exception {
        writeRequests(1_700);

        assertThat(steps(settings(new Limits(Duration.ofDays(30), 100)))).isGreaterThan(3);

        assertThat(number("SELECT count(*) FROM requests")).isEqualTo(100);
        assertThat(number("SELECT min(seq) FROM requests")).isEqualTo(1_601);
    }

    @Test
    void oneStep_deletesABoundedNumber() throws Exception {
        writeRequests(2_000);
        clock.advance(Duration.ofDays(31));

        assertThat(new Retention(connection, settings(new Limits(Duration.ofDays(30), 100))).step(clock.instant()))
                .isTrue();

        assertThat(number("SELECT count(*) FROM requests")).isEqualTo(2_000 - Retention.STEP_ROWS);
    }

    @Test
    void positionOfDeletedRows_isNotUsedAgain() throws Exception {
        writeRequests(10);
        steps(settings(new Limits(Duration.ofDays(30), 0)));

        writeRequests(1);

        assertThat(number("SELECT max(seq) FROM requests")).isEqualTo(11);
    }

    @Test
    void manyFreePages_areGivenBack() throws Exception {
        writeRequests(20_000);
        checkpoint();
        long before = Files.size(path);

        steps(settings(new Limits(Duration.ofDays(30), 10)));
        checkpoint();

        assertThat(Files.size(path)).isLessThan(before / 2);
        assertThat(DatabaseFile.damage(connection)).isNull();
    }

    @Test
    void limitsBeyondTime_deleteNothing() throws Exception {
        writeRequests(1);

        steps(settings(new Limits(Duration.ofSeconds(Long.MAX_VALUE), Long.MAX_VALUE)));

        assertThat(number("SELECT count(*) FROM requests")).isEqualTo(1);
    }

    @Test
    void runningJournal_tidiesUpByItself() throws Exception {
        writeRequests(3_000);
        connection.close();
        clock.advance(Duration.ofDays(31));

        try (var journal = new Journal(path, clock)) {
            long left;
            do {
                journal.record(Rows.event("e"));
                assertThat(journal.flush(Duration.ofSeconds(30))).isTrue();
                left = journal.ask(reader -> Schema.number(reader, "SELECT count(*) FROM requests"))
                        .get();
            } while (left > 0);
        }
    }

    private int steps(JournalSettings settings) throws Exception {
        var retention = new Retention(connection, settings);
        int steps = 1;
        while (retention.step(clock.instant())) {
            steps++;
        }
        return steps;
    }

    private void checkpoint() throws Exception {
        assertThat(number("PRAGMA wal_checkpoint(TRUNCATE)")).isZero();
    }

    private static JournalSettings settings(Limits requests) {
        return new JournalSettings(10, Duration.ofSeconds(5), requests, GENEROUS, GENEROUS, GENEROUS);
    }

    private void writeRequests(int count) throws Exception {
        var rows = new ArrayList<JournalRow>();
        for (int i = 0; i < count; i++) {
            rows.add(Rows.request("r-" + i));
        }
        write(rows.toArray(JournalRow[]::new));
    }

    private void write(JournalRow... rows) throws Exception {
        var writer = new RowWriter(connection);
        Transactions.run(connection, () -> {
            for (JournalRow row : List.of(rows)) {
                assertThat(writer.write(row)).isTrue();
            }
        });
    }

    private long number(String sql) throws Exception {
        return Schema.number(connection, sql);
    }
}
