package dev.hal0.journal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class JournalCrashTest {
    @TempDir
    Path folder;

    /** A program that is killed while it writes; what it has said to be flushed must be there. */
    static final class Victim {
        private Victim() {}

        public static void main(String[] arguments) throws InterruptedException {
            var journal = new Journal(Path.of(arguments[0]), InstantSource.system());
            for (int row = 1; ; row++) {
                journal.record(Rows.request("r-" + row));
                if (row % 97 == 0 && journal.flush(Duration.ofSeconds(30))) {
                    System.out.println(row);
                }
            }
        }
    }

    @Test
    void killedWhileItWrites_hasEveryFlushedRow() throws Exception {
        Path file = folder.resolve("journal.db");
        int flushed = 0;
        for (int life = 1; life <= 3; life++) {
            flushed += liveAndDie(file, 20 + 31 * life);

            try (var connection = DriverManager.getConnection("jdbc:sqlite:" + file);
                    var statement = connection.createStatement();
                    var check = statement.executeQuery("PRAGMA integrity_check")) {
                assertThat(check.next()).isTrue();
                assertThat(check.getString(1)).isEqualTo("ok");
            }
        }
        try (var journal = new Journal(file, InstantSource.system())) {
            long rows = journal.ask(connection -> Schema.number(connection, "SELECT count(*) FROM requests"))
                    .get();
            assertThat(rows).isGreaterThanOrEqualTo(flushed);
            assertThat(journal.status().state()).isEqualTo(JournalStatus.State.OPEN);
        }
        try (var files = Files.list(folder)) {
            assertThat(files).noneMatch(each -> each.toString().contains("broken"));
        }
    }

    /** The last row that the victim said to be flushed. */
    private static int liveAndDie(Path file, int flushes) throws IOException, InterruptedException {
        Process victim = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Victim.class.getName(),
                        file.toString()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        int flushed = 0;
        try (var said = new BufferedReader(new InputStreamReader(victim.getInputStream(), UTF_8))) {
            for (int i = 0; i < flushes; i++) {
                flushed = number(said.readLine(), flushed);
            }
            // Not by the process itself, which would close what it said with it.
            victim.toHandle().destroyForcibly();
            // What it said before it died counts too; half a line does not.
            for (String line = said.readLine(); line != null; line = said.readLine()) {
                if (Integer.toString(flushed + 97).equals(line)) {
                    flushed += 97;
                }
            }
        } finally {
            victim.destroyForcibly().waitFor();
        }
        return flushed;
    }

    private static int number(String line, int before) {
        assertThat(line).isEqualTo(Integer.toString(before + 97));
        return before + 97;
    }
}
