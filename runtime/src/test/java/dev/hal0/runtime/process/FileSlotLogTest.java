package dev.hal0.runtime.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileSlotLogTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int KEEP = 3;

    @TempDir
    Path folder;

    private Path file = Path.of("");
    private FileSlotLog log = new FileSlotLog(file, KEEP);
    private final List<String> heard = new CopyOnWriteArrayList<>();

    @BeforeEach
    void nameTheFile() {
        file = folder.resolve("engine.log");
        log = new FileSlotLog(file, KEEP);
    }

    @Test
    void absentLog_isEmpty() {
        assertThat(log.tail(10)).isEmpty();
    }

    @Test
    void tail_goesBackThroughRotatedFiles() throws IOException {
        write(2, "1\n2\n");
        write(1, "3\n4\n");
        write(0, "5\n6\n");

        assertThat(log.tail(1)).containsExactly("6");
        assertThat(log.tail(3)).containsExactly("4", "5", "6");
        assertThat(log.tail(100)).containsExactly("1", "2", "3", "4", "5", "6");
        assertThat(log.tail(0)).isEmpty();
    }

    @Test
    void tailBetweenRenameAndNewFile_isComplete() throws IOException {
        write(2, "1\n2\n");
        write(1, "3\n4\n");

        assertThat(log.tail(3)).containsExactly("2", "3", "4");
    }

    @Test
    void tail_endsAtLineFeedsOnly() throws IOException {
        write(0, "10 %\r20 %\rdone\nnext\u2028line\n\npartial");

        assertThat(log.tail(10)).containsExactly("10 %\r20 %\rdone", "next\u2028line", "", "partial");
    }

    @Test
    void tailOverManyBlocks_splitsNoCharacter() throws IOException {
        List<String> lines = IntStream.range(0, 20_000)
                .mapToObj(i -> "żółw€𝄞 ".repeat(i % 7) + i)
                .toList();
        write(0, String.join("\n", lines) + "\n");

        for (int count : new int[] {1, 777, 5_000, 19_999, 20_000, 30_000}) {
            assertThat(log.tail(count)).isEqualTo(lines.subList(Math.max(0, lines.size() - count), lines.size()));
        }
    }

    @Test
    void tailOfOneEndlessLine_isThatLine() throws IOException {
        write(0, "€".repeat(100_000));

        assertThat(log.tail(1)).containsExactly("€".repeat(100_000));
    }

    @Test
    void follow_deliversBackfillAndThenNewLines() throws Exception {
        write(1, "1\n2\n");
        write(0, "3\n");
        try (AutoCloseable following = log.follow(2, heard::add)) {
            append("4\n5\n");
            awaitHeard(List.of("2", "3", "4", "5"));
        }
    }

    @Test
    void followBackfill_reachesThroughEveryRotatedFile() throws Exception {
        write(3, "1\n");
        write(2, "2\n");
        write(1, "3\n");
        write(0, "4\n");
        try (AutoCloseable following = log.follow(10, heard::add)) {
            awaitHeard(List.of("1", "2", "3", "4"));
        }
    }

    @Test
    void halfALine_waitsForItsOtherHalf() throws Exception {
        byte[] euro = "€".getBytes(StandardCharsets.UTF_8);
        Files.write(file, new byte[] {'a', euro[0]});
        try (AutoCloseable following = log.follow(10, heard::add)) {
            append("");
            Files.write(file, new byte[] {euro[1], euro[2], 'b', '\n'}, StandardOpenOption.APPEND);
            awaitHeard(List.of("a€b"));
        }
    }

    @Test
    void charactersAcrossReadBlocks_stayWhole() throws Exception {
        List<String> lines = IntStream.range(0, 10_000)
                .mapToObj(i -> i + " żółw€𝄞".repeat(i % 5))
                .toList();
        try (AutoCloseable following = log.follow(0, heard::add)) {
            append(String.join("\n", lines) + "\n");
            awaitHeard(lines);
        }
    }

    @Test
    void logThatAppearsLater_isDeliveredFromItsBeginning() throws Exception {
        try (AutoCloseable following = log.follow(5, heard::add)) {
            append("first\n");
            awaitHeard(List.of("first"));
        }
    }

    @Test
    void followBegunBetweenRenameAndNewFile_hasNoDuplicate() throws Exception {
        write(1, "1\n2\n");
        try (AutoCloseable following = log.follow(1, heard::add)) {
            write(0, "3\n");
            awaitHeard(List.of("2", "3"));
        }
    }

    @Test
    void linesWrittenJustBeforeARotation_comeBeforeTheNewFiles() throws Exception {
        write(0, "1\n");
        try (AutoCloseable following = log.follow(1, heard::add)) {
            append("2\n");
            rotate();
            append("3\n");
            rotate();
            append("4\n");
            awaitHeard(List.of("1", "2", "3", "4"));
        }
    }

    @Test
    void followingAWriterThatRotatesQuickly_hasNoGapAndNoDuplicate() throws Exception {
        var wide = new FileSlotLog(file, 2000);
        List<String> lines =
                IntStream.rangeClosed(1, 30_000).mapToObj(i -> "line " + i).toList();
        try (AutoCloseable following = wide.follow(0, heard::add);
                var pipe = new PipedOutputStream()) {
            var source = new PipedInputStream(pipe, 1 << 14);
            var writer = new LogWriter(file, 4_000, 2000);
            Thread copying = Thread.ofVirtual().start(() -> {
                try {
                    writer.copy(source);
                } catch (IOException broken) {
                    heard.add("broken: " + broken);
                }
            });
            writeAll(pipe, lines);
            copying.join();
            awaitHeard(lines);
            assertThat(wide.tail(100_000)).isEqualTo(lines);
        }
    }

    @Test
    void closedFollow_hearsNothingMore() throws Exception {
        write(0, "1\n");
        AutoCloseable following = log.follow(1, heard::add);
        awaitHeard(List.of("1"));
        following.close();
        following.close();
        var other = new CopyOnWriteArrayList<String>();
        try (AutoCloseable stillOpen = log.follow(0, other::add)) {
            append("2\n");
            await().atMost(PATIENCE).until(() -> other.equals(List.of("2")));
        }

        assertThat(heard).containsExactly("1");
    }

    private void awaitHeard(List<String> expected) {
        await().atMost(PATIENCE).until(() -> heard.size() >= expected.size());
        assertThat(heard).isEqualTo(expected);
    }

    private void write(int number, String text) throws IOException {
        Files.writeString(number == 0 ? file : folder.resolve("engine.log." + number), text);
    }

    private void append(String text) throws IOException {
        Files.writeString(file, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private void rotate() throws IOException {
        if (Files.exists(folder.resolve("engine.log.1"))) {
            Files.move(folder.resolve("engine.log.1"), folder.resolve("engine.log.2"));
        }
        Files.move(file, folder.resolve("engine.log.1"));
    }

    private static void writeAll(OutputStream pipe, List<String> lines) throws IOException {
        for (String line : lines) {
            pipe.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        }
        pipe.close();
    }
}
