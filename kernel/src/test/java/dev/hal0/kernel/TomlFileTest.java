package dev.hal0.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class TomlFileTest {
    private static final List<String> A = List.of("a");

    @TempDir
    private Path folder;

    private Path path;
    private TomlFile file;

    @BeforeEach
    void open() {
        path = folder.resolve("hal0.toml");
        file = new TomlFile(path, new DurableFiles());
    }

    @Test
    void absentFile_isEmptyAndCreatedByTheFirstUpdate() throws IOException {
        assertThat(file.read()).isEmpty();

        file.update(document -> document.with(A, 1));

        assertThat(Files.readString(path)).isEqualTo("a = 1\n");
        assertThat(file.read().orElseThrow().integer(A)).contains(1L);
    }

    @Test
    void secretFile_isCreatedPrivate() throws IOException {
        new TomlFile(path, new DurableFiles(), DurableFiles.PRIVATE).update(document -> document.with(A, "key"));

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-------");
    }

    @Test
    void handEditBetweenReadAndUpdate_survives() throws IOException {
        Files.writeString(path, "a = 1\n");
        file.read();
        Files.writeString(path, "a = 1\n# by hand\nb = 2\n");

        var result = file.update(document -> document.with(A, 5));

        assertThat(Files.readString(path))
                .isEqualTo("a = 5\n# by hand\nb = 2\n")
                .isEqualTo(result.text());
    }

    @Test
    void fileThatDoesNotParse_isNeverOverwritten() throws IOException {
        String halfFinished = "a = 1\nb = \n";
        Files.writeString(path, halfFinished);

        assertThat(failure(() -> file.update(document -> document.with(A, 5))).code())
                .isEqualTo(ErrorCode.CONFIG_INVALID);
        assertThat(failure(() -> file.write(TomlDocument.empty("x"))).message()).contains(path + ":2:");
        assertThat(failure(() -> file.read()).code()).isEqualTo(ErrorCode.CONFIG_INVALID);
        assertThat(Files.readString(path)).isEqualTo(halfFinished);
    }

    @Test
    void fileThatIsNotUtf8_isInvalidAndLeftAlone() throws IOException {
        byte[] latin = {'a', '=', '\'', (byte) 0xE4, '\''};
        Files.write(path, latin);

        assertThat(failure(() -> file.update(document -> document.with(A, 5))).message())
                .isEqualTo(path + ": is not UTF-8 text");
        assertThat(path).hasBinaryContent(latin);
    }

    @Test
    void changeThatThrowsOrChangesNothing_writesNothing() throws IOException {
        Files.writeString(path, "a = 0x01\n");
        Object inode = Files.readAttributes(path, BasicFileAttributes.class).fileKey();

        file.update(document -> document.with(A, 1));
        failure(() -> file.update(document -> {
            throw new Hal0Exception(ErrorCode.PRECONDITION_FAILED, "other ETag");
        }));

        assertThat(Files.readAttributes(path, BasicFileAttributes.class).fileKey())
                .isEqualTo(inode);
    }

    @Test
    void settledFile_isParsedOnceUntilItChanges() throws IOException {
        writeLongAgo("a = 1\n");
        var first = file.read().orElseThrow();
        assertThat(file.read().orElseThrow()).isSameAs(first);

        // Same size and time, another inode: what an editor that keeps times, or a restored backup, leaves.
        Path other = folder.resolve("other");
        Files.writeString(other, "a = 2\n");
        Files.setLastModifiedTime(other, Files.getLastModifiedTime(path));
        Files.move(other, path, StandardCopyOption.REPLACE_EXISTING);

        assertThat(file.read().orElseThrow().integer(A)).contains(2L);
    }

    /** Guards against a stale read: two saves within one clock tick have one time, size and inode. */
    @Test
    void youngFile_isReadEachTime() throws IOException {
        Instant now = Instant.parse("2026-11-22T10:00:00Z");
        var young = new TomlFile(
                path, new DurableFiles(), DurableFiles.SHARED, InstantSource.fixed(now), TomlFile.LOCK_DEADLINE);
        Files.writeString(path, "a = 1\n");
        Files.setLastModifiedTime(path, FileTime.from(now));
        young.read();
        Files.writeString(path, "a = 2\n");
        Files.setLastModifiedTime(path, FileTime.from(now));

        assertThat(young.read().orElseThrow().integer(A)).contains(2L);
    }

    @Test
    void deletedFile_isNotReadFromTheCache() throws IOException {
        writeLongAgo("a = 1\n");
        file.read();
        Files.delete(path);

        assertThat(file.read()).isEmpty();
    }

    @Test
    void threadsThroughDifferentObjects_loseNoUpdate() throws Exception {
        Files.writeString(path, "a = 0\n");
        var barrier = new CyclicBarrier(4);
        try (var threads = Executors.newFixedThreadPool(4)) {
            var writers = new ArrayList<Future<?>>();
            for (int i = 0; i < 4; i++) {
                writers.add(threads.submit(() -> {
                    var own = new TomlFile(path, new DurableFiles());
                    barrier.await();
                    for (int round = 0; round < 10; round++) {
                        own.update(TomlFileTest::incremented);
                    }
                    return null;
                }));
            }
            for (Future<?> writer : writers) {
                writer.get();
            }
        }
        assertThat(file.read().orElseThrow().integer(A)).contains(40L);
    }

    @Test
    void lockHeldByAnotherProcess_endsInAnErrorAndTheFileIsUnchanged() throws Exception {
        Files.writeString(path, "a = 1\n");
        Process holder = child("hold");
        try {
            assertThat(holder.inputReader().readLine()).isEqualTo("held");
            var impatient = new TomlFile(
                    path, new DurableFiles(), DurableFiles.SHARED, InstantSource.system(), Duration.ofMillis(100));

            var failure = failure(() -> impatient.update(TomlFileTest::incremented));

            assertThat(failure.code()).isEqualTo(ErrorCode.CONFIG_LOCKED);
            assertThat(Files.readString(path)).isEqualTo("a = 1\n");
        } finally {
            holder.destroyForcibly().waitFor();
        }
        // The lock of a killed process is gone with it.
        assertThat(file.update(TomlFileTest::incremented).integer(A)).contains(2L);
    }

    @Test
    void twoProcesses_loseNoUpdate() throws Exception {
        Files.writeString(path, "a = 0\n");
        Process other = child("increment");
        try {
            assertThat(other.inputReader().readLine()).isEqualTo("ready");
            for (int round = 0; round < 25; round++) {
                file.update(TomlFileTest::incremented);
            }
            assertThat(other.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(other.exitValue()).isZero();
        } finally {
            other.destroyForcibly();
        }
        assertThat(file.read().orElseThrow().integer(A)).contains(50L);
    }

    @Test
    void linkedFile_isChangedBehindTheLinkAndLockedThere() throws IOException {
        Path real = Files.createDirectory(folder.resolve("real")).resolve("kept.toml");
        Files.writeString(real, "a = 1\n");
        Files.createSymbolicLink(path, real);

        file.update(TomlFileTest::incremented);

        assertThat(path).isSymbolicLink();
        assertThat(real).hasContent("a = 2");
        assertThat(real.resolveSibling(".kept.toml.lock")).exists();
    }

    private static TomlDocument incremented(TomlDocument document) {
        return document.with(A, document.integer(A).orElse(0L) + 1);
    }

    private void writeLongAgo(String text) throws IOException {
        Files.writeString(path, text);
        Files.setLastModifiedTime(path, FileTime.from(Instant.now().minusSeconds(60)));
    }

    private Process child(String mode) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Child.class.getName(),
                        mode,
                        path.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    /** The other process. */
    static final class Child {
        public static void main(String[] arguments) {
            var file = new TomlFile(Path.of(arguments[1]), new DurableFiles());
            if (arguments[0].equals("hold")) {
                file.update(document -> {
                    System.out.println("held");
                    try {
                        Thread.currentThread().join();
                    } catch (InterruptedException ended) {
                        Thread.currentThread().interrupt();
                    }
                    return document;
                });
            }
            System.out.println("ready");
            for (int round = 0; round < 25; round++) {
                file.update(TomlFileTest::incremented);
            }
        }
    }

    private static Hal0Exception failure(ThrowableAssert.ThrowingCallable call) {
        return catchThrowableOfType(Hal0Exception.class, call);
    }
}
