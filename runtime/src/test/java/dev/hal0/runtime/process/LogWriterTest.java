package dev.hal0.runtime.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedWriter;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogWriterTest {
    @TempDir
    Path folder;

    @Test
    void manyLinesOverManyRotations_areAllThereAndWhole() throws Exception {
        Path file = folder.resolve("engine.log");
        var command = new ArrayList<>(Scripted.logWriter());
        command.addAll(List.of(file.toString(), "200000", "40"));
        Process writer = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();

        try (BufferedWriter pipe = writer.outputWriter(StandardCharsets.UTF_8)) {
            for (int i = 1; i <= 100_000; i++) {
                pipe.write("line " + i + " żółw " + "x".repeat(i % 40) + "\n");
            }
        }

        assertThat(writer.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(writer.exitValue()).isZero();
        assertThat(folder.resolve("engine.log.5")).exists();
        var lines = new ArrayList<String>();
        for (int number = 40; number >= 0; number--) {
            Path part = number == 0 ? file : folder.resolve("engine.log." + number);
            if (Files.exists(part)) {
                assertThat(Files.size(part)).isLessThan(300_000);
                lines.addAll(Files.readAllLines(part));
            }
        }
        assertThat(lines)
                .isEqualTo(IntStream.rangeClosed(1, 100_000)
                        .mapToObj(i -> "line " + i + " żółw " + "x".repeat(i % 40))
                        .toList());
    }

    @Test
    void rotation_keepsOnlySoManyOldFiles() throws IOException {
        Path file = folder.resolve("engine.log");

        new LogWriter(file, 10, 2)
                .copy(new Chunks(folder, List.of("one.......\n", "two.......\n", "three.....\n", "four......\n")));

        assertThat(folder.resolve("engine.log.1")).hasContent("four......\n");
        assertThat(folder.resolve("engine.log.2")).hasContent("three.....\n");
        assertThat(folder.resolve("engine.log.3")).doesNotExist();
    }

    @Test
    void lineLongerThanTheLimit_isNotSplit() throws IOException {
        Path file = folder.resolve("engine.log");

        new LogWriter(file, 10, 2)
                .copy(new Chunks(folder, List.of("a".repeat(8), "b".repeat(8), "c".repeat(8) + "\nnext")));

        assertThat(folder.resolve("engine.log.1")).hasContent("aaaaaaaabbbbbbbbcccccccc\n");
        assertThat(file).hasContent("next");
    }

    @Test
    void secondEngine_doesNotGoOnInTheFirstOnesLastLine() throws IOException {
        Path file = folder.resolve("engine.log");
        new LogWriter(file, 1000, 2).copy(new ByteArrayInputStream("killed in mid".getBytes(StandardCharsets.UTF_8)));

        new LogWriter(file, 1000, 2).copy(new ByteArrayInputStream("first\n".getBytes(StandardCharsets.UTF_8)));

        assertThat(Files.readString(file)).isEqualTo("killed in mid\nfirst\n");
    }

    @Test
    void limitHoldsAcrossEngines() throws IOException {
        Path file = Files.writeString(folder.resolve("engine.log"), "x".repeat(50) + "\n");

        new LogWriter(file, 10, 2).copy(new Chunks(folder, List.of("one\n", "two\n", "three\n")));

        assertThat(folder.resolve("engine.log.1")).exists();
    }

    @Test
    void folderThatCannotBeWrittenForAWhile_costsLinesAndSaysHowMuch() throws IOException {
        Path missing = folder.resolve("missing");
        Path file = missing.resolve("engine.log");

        new LogWriter(file, 1000, 2)
                .copy(new Chunks(missing, List.of("lost 1\n", "lost 2\n", Chunks.CREATE, "kept\n")));

        assertThat(Files.readAllLines(file))
                .containsExactly("[hal0: 14 bytes of this log were lost: it could not be written]", "kept");
    }

    @Test
    void lossBeforeTheEngineFallsSilent_isToldAtItsEnd() throws IOException {
        Path missing = folder.resolve("missing");
        Path file = missing.resolve("engine.log");

        new LogWriter(file, 1000, 2).copy(new Chunks(missing, List.of("lost\n", Chunks.CREATE)));

        assertThat(Files.readAllLines(file))
                .containsExactly("[hal0: 5 bytes of this log were lost: it could not be written]");
    }

    @Test
    void folderThatNeverCanBeWritten_isNoFailure() throws IOException {
        new LogWriter(folder.resolve("missing/engine.log"), 10, 2)
                .copy(new Chunks(folder, List.of("one.......\n", "two.......\n")));

        assertThat(folder).isEmptyDirectory();
    }

    /** A pipe that gives one chunk per read; {@link #CREATE} makes the folder before the next one. */
    private static final class Chunks extends InputStream {
        private static final String CREATE = "<create>";

        private final Path folder;
        private final ArrayDeque<String> chunks;

        Chunks(Path folder, List<String> chunks) {
            this.folder = folder;
            this.chunks = new ArrayDeque<>(chunks);
        }

        @Override
        public int read() {
            throw new UnsupportedOperationException("whole buffers only");
        }

        @Override
        public int read(byte[] buffer) {
            String chunk = chunks.poll();
            if (CREATE.equals(chunk)) {
                createFolder();
                chunk = chunks.poll();
            }
            if (chunk == null) {
                return -1;
            }
            byte[] bytes = chunk.getBytes(StandardCharsets.UTF_8);
            System.arraycopy(bytes, 0, buffer, 0, bytes.length);
            return bytes.length;
        }

        private void createFolder() {
            try {
                Files.createDirectories(folder);
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
        }
    }
}
