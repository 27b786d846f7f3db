package dev.hal0.journal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.journal.JournalStatus.State;
import dev.hal0.kernel.Hal0Exception;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class JournalFileTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private final MovingClock clock = new MovingClock();
    private Path file = Path.of("");

    @BeforeEach
    void name() {
        file = folder.resolve("journal.db");
    }

    @Test
    void fileThatIsNoDatabase_isMovedAside() throws Exception {
        Files.writeString(file, "not a database, and longer than the header of one".repeat(100));

        try (var journal = open()) {
            recordOne(journal);

            assertThat(journal.status().state()).isEqualTo(State.OPEN);
            assertThat(broken()).containsExactly("journal.db.broken-20261122T100000Z");
        }
    }

    @Test
    void secondBrokenFileOfTheSameSecond_keepsTheFirst() throws Exception {
        for (int i = 0; i < 2; i++) {
            Files.writeString(file, "not a database either, whatever its name says".repeat(100));
            try (var journal = open()) {
                recordOne(journal);
            }
        }

        assertThat(broken())
                .containsExactlyInAnyOrder(
                        "journal.db.broken-20261122T100000Z", "journal.db.broken-20261122T100000Z-2");
    }

    @Test
    void damageInTheMiddle_isFoundAtTheStart() throws Exception {
        fill();
        scribble();

        try (var journal = open()) {
            recordOne(journal);

            assertThat(broken()).hasSize(1);
            assertThat(count(journal)).isEqualTo(1);
        }
    }

    @Test
    void damageWhileItIsOpen_costsTheOldRowsOnly() throws Exception {
        fill();
        try (var journal = open()) {
            assertThat(count(journal)).isEqualTo(2_000);
            scribble();
            // The readers' caches are empty after this: each question reads the file.
            assertThatThrownBy(() -> journal.ask(connection -> {
                                try (var statement = connection.createStatement()) {
                                    statement.execute("PRAGMA shrink_memory");
                                }
                                return Schema.number(
                                        connection, "SELECT sum(length(route || error_code)) FROM requests");
                            })
                            .get())
                    .isInstanceOf(ExecutionException.class)
                    .hasMessageContaining("SQLITE_CORRUPT");

            recordOne(journal);

            assertThat(journal.status().state()).isEqualTo(State.OPEN);
            assertThat(broken()).hasSize(1);
            assertThat(count(journal)).isEqualTo(1);
        }
    }

    @Test
    void anotherProgramsDatabase_isMovedAsideWhole() throws Exception {
        execute("CREATE TABLE theirs(x)", "INSERT INTO theirs VALUES (1)");

        try (var journal = open()) {
            recordOne(journal);
        }

        assertThat(broken()).hasSize(1);
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve(broken().getFirst()))) {
            assertThat(Schema.number(connection, "SELECT count(*) FROM theirs")).isEqualTo(1);
        }
    }

    @Test
    void folderAtItsPlace_isMovedAside() throws Exception {
        Files.createDirectory(file);

        try (var journal = open()) {
            recordOne(journal);

            assertThat(count(journal)).isEqualTo(1);
        }
    }

    /** A journal of before priorities were recorded. */
    @Test
    void earlierVersion_isBroughtUpToDateAndKeepsItsRows() throws Exception {
        fill();
        execute("ALTER TABLE requests DROP COLUMN priority");
        execute("PRAGMA user_version = 1");

        try (var journal = open()) {
            recordOne(journal);
            journal.record(Rows.request("r-new", Rows.NOW, "chat", 200, Outcome.COMPLETE));
            assertThat(journal.flush(LONG)).isTrue();

            assertThat(journal.status().state()).isEqualTo(State.OPEN);
            assertThat(journal.requests(RequestFilter.where().id("r-new").build(), Paging.newest(1))
                            .get()
                            .rows()
                            .getFirst()
                            .priority())
                    .isEqualTo("interactive");
        }
        assertThat(broken()).isEmpty();
    }

    @Test
    void laterVersion_isNeitherWrittenNorRead() throws Exception {
        fill();
        execute("PRAGMA user_version = " + (Schema.VERSION + 1));
        byte[] before = Files.readAllBytes(file);

        try (var journal = open()) {
            recordOne(journal);

            assertThat(journal.status().state()).isEqualTo(State.NEWER);
            assertThat(journal.status().problem()).contains("schema " + (Schema.VERSION + 1));
            assertThat(journal.status().dropped().storage()).isEqualTo(1);
            assertThat(journal.requests(RequestFilter.ANY, Paging.newest(1)))
                    .failsWithin(LONG)
                    .withThrowableOfType(ExecutionException.class)
                    .withCauseInstanceOf(Hal0Exception.class)
                    .withMessageContaining("schema");
        }
        assertThat(Files.readAllBytes(file)).isEqualTo(before);
        assertThat(broken()).isEmpty();
    }

    @Test
    void laterVersionThatIsMovedAway_makesRoom() throws Exception {
        fill();
        execute("PRAGMA user_version = " + (Schema.VERSION + 1));

        try (var journal = open()) {
            recordOne(journal);
            Files.delete(file);
            clock.advance(Writer.REOPEN);
            recordOne(journal);

            assertThat(journal.status().state()).isEqualTo(State.OPEN);
            assertThat(count(journal)).isEqualTo(1);
        }
    }

    @Test
    void folderThatCannotBeMade_losesRowsAndRecovers() throws Exception {
        Path obstacle = folder.resolve("var");
        Files.writeString(obstacle, "in the way");

        try (var journal = new Journal(obstacle.resolve("journal.db"), clock)) {
            recordOne(journal);
            assertThat(journal.status().state()).isEqualTo(State.UNAVAILABLE);
            assertThat(journal.status().dropped().storage()).isEqualTo(1);

            Files.delete(obstacle);
            clock.advance(Writer.REOPEN);
            recordOne(journal);
            assertThat(journal.status().state()).isEqualTo(State.OPEN);
            assertThat(count(journal)).isEqualTo(1);
        }
    }

    @Test
    void fileDeletedWhileItIsOpen_isBegunAnew() throws Exception {
        try (var journal = open()) {
            recordOne(journal);
            Files.delete(file);
            recordOne(journal);

            assertThat(count(journal)).isEqualTo(1);
            assertThat(file).exists();
        }
        try (var journal = open()) {
            assertThat(count(journal)).isEqualTo(1);
        }
    }

    @Test
    void fullDisk_losesTheRowsOfThatTimeOnly() throws Exception {
        try (var journal = new Journal(file, JournalSettings.DEFAULTS, clock, 64)) {
            for (int i = 0; i < 40; i++) {
                for (int n = 0; n < 100; n++) {
                    journal.record(Rows.request("r-" + i + "-" + n));
                }
                assertThat(journal.flush(LONG)).isTrue();
            }
            JournalStatus full = journal.status();
            assertThat(full.state()).as(full.toString()).isEqualTo(State.FAILING);
            assertThat(full.problem()).contains("full");
            assertThat(full.dropped().storage()).isPositive();
            assertThat(full.written() + full.dropped().storage()).isEqualTo(4_000);
            assertThat(count(journal)).isEqualTo(full.written());

            journal.limitPages(0);
            recordOne(journal);

            assertThat(journal.status().state()).isEqualTo(State.OPEN);
            assertThat(journal.status().problem()).isNull();
            assertThat(count(journal)).isEqualTo(full.written() + 1);
            assertThat(integrity(journal)).isEqualTo("ok");
        }
    }

    private Journal open() {
        return new Journal(file, clock);
    }

    private static void recordOne(Journal journal) throws InterruptedException {
        journal.record(Rows.request("one"));
        assertThat(journal.flush(LONG)).isTrue();
    }

    private void fill() throws InterruptedException {
        try (var journal = open()) {
            for (int i = 0; i < 2_000; i++) {
                journal.record(Rows.request("r-" + i));
            }
        }
    }

    /** Over pages in the middle, not over the header. */
    private void scribble() throws Exception {
        try (var raw = new RandomAccessFile(file.toFile(), "rw")) {
            for (long at = 4096L * 4; at < raw.length(); at += 4096) {
                raw.seek(at);
                raw.write("damage ".repeat(400).getBytes(UTF_8));
            }
        }
    }

    private void execute(String... statements) throws SQLException {
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + file);
                var statement = connection.createStatement()) {
            for (String each : statements) {
                statement.execute(each);
            }
        }
    }

    private List<String> broken() throws Exception {
        try (var files = Files.list(folder)) {
            return files.map(each -> each.getFileName().toString())
                    .filter(name -> name.contains(".broken-") && !name.endsWith("-wal") && !name.endsWith("-shm"))
                    .toList();
        }
    }

    private static long count(Journal journal) throws Exception {
        return journal.ask(connection -> Schema.number(connection, "SELECT count(*) FROM requests"))
                .get();
    }

    private static String integrity(Journal journal) throws Exception {
        return journal.ask(connection -> {
                    try (var statement = connection.createStatement();
                            var result = statement.executeQuery("PRAGMA integrity_check")) {
                        return result.next() ? result.getString(1) : "nothing";
                    }
                })
                .get();
    }
}
