package dev.hal0.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DurableFilesTest {
    private static final String OLD = "old content\n";
    private static final String NEW = "new content, longer\n";

    @TempDir
    private Path folder;

    private Path target;

    @BeforeEach
    void nameTarget() {
        target = folder.resolve("hal0.toml");
    }

    @Test
    void powerCutAfterAnyStep_readerFindsOldOrNew() throws IOException {
        Files.writeString(target, OLD);
        var model = new DiskModel();

        new DurableFiles(model).write(target, NEW);

        for (int prefix = 0; prefix <= model.recorded(); prefix++) {
            assertThat(model.possibleContents(target, OLD, prefix))
                    .as("after step %d", prefix)
                    .isSubsetOf(OLD, NEW);
        }
        assertThat(model.possibleContents(target, OLD, model.recorded()))
                .as("after write returned")
                .containsExactly(NEW);
    }

    @Test
    void twoWritesInARow_eachStepLeavesOneOfThreeContents() throws IOException {
        Files.writeString(target, OLD);
        var model = new DiskModel();
        var files = new DurableFiles(model);
        files.write(target, NEW);
        int first = model.recorded();

        files.write(target, "third");

        for (int prefix = first; prefix <= model.recorded(); prefix++) {
            assertThat(model.possibleContents(target, OLD, prefix)).isSubsetOf(NEW, "third");
        }
    }

    @Test
    void deleteThatReturned_staysDeleted() throws IOException {
        Files.writeString(target, OLD);
        var model = new DiskModel();

        new DurableFiles(model).delete(target);

        assertThat(model.possibleContents(target, OLD, model.recorded())).containsExactly("(absent)");
    }

    /** Guards the proof itself: a model that cannot see a missing fsync proves nothing. */
    @Test
    void writerWithoutContentForce_isCaughtByTheModel() throws IOException {
        Files.writeString(target, OLD);
        var model = new DiskModel();
        Path temporary = folder.resolve("temporary");
        model.write(temporary, NEW.getBytes(StandardCharsets.UTF_8), DurableFiles.SHARED);
        model.rename(temporary, target);
        model.force(folder);

        assertThat(model.possibleContents(target, OLD, model.recorded())).contains("", NEW.substring(0, 10));
    }

    @Test
    void writerWithoutFolderForce_isCaughtByTheModel() throws IOException {
        Files.writeString(target, OLD);
        var model = new DiskModel();
        Path temporary = folder.resolve("temporary");
        model.write(temporary, NEW.getBytes(StandardCharsets.UTF_8), DurableFiles.SHARED);
        model.force(temporary);
        model.rename(temporary, target);

        assertThat(model.possibleContents(target, OLD, model.recorded())).containsExactlyInAnyOrder(OLD, NEW);
    }

    @Test
    void diskFullAtEachStep_keepsOldContentAndLeavesNoTemporaryFile() throws IOException {
        int failures = 0;
        for (int step = 0; step < 4; step++) {
            Files.writeString(target, OLD);
            var disk = new BrokenDisk(step);

            assertThatThrownBy(() -> new DurableFiles(disk).write(target, NEW))
                    .isInstanceOfSatisfying(Hal0Exception.class, failure -> {
                        assertThat(failure.code()).isEqualTo(ErrorCode.SYSTEM_STORAGE);
                        assertThat(failure.message())
                                .contains(target.toString())
                                .contains("No space left on device");
                        assertThat(failure.details()).containsEntry("path", target.toString());
                    });

            assertThat(disk.hasFailed()).isTrue();
            // Step 3 is the folder's fsync: the rename has happened, so the reader finds the new content, whole.
            assertThat(target).hasContent(step < 3 ? OLD : NEW);
            assertThat(names()).containsExactly("hal0.toml");
            failures++;
        }
        var healthy = new BrokenDisk(4);
        new DurableFiles(healthy).write(target, NEW);
        assertThat(healthy.hasFailed()).as("a write has these steps only").isFalse();
        assertThat(failures).isEqualTo(4);
    }

    @Test
    void newFile_hasTheGivenModeWhateverTheUmask() throws IOException {
        new DurableFiles().write(target, NEW.getBytes(StandardCharsets.UTF_8), DurableFiles.PRIVATE);

        assertThat(mode(target)).isEqualTo("rw-------");
    }

    @Test
    void existingFile_keepsItsMode() throws IOException {
        Files.writeString(target, OLD);
        Files.setPosixFilePermissions(target, DurableFiles.PRIVATE);

        new DurableFiles().write(target, NEW);

        assertThat(mode(target)).isEqualTo("rw-------");
        assertThat(target).hasContent(NEW.strip());
    }

    @Test
    void temporaryFileOfASecret_isPrivateFromItsCreation() throws IOException {
        Files.writeString(target, OLD);
        Files.setPosixFilePermissions(target, DurableFiles.PRIVATE);
        var model = new DiskModel();

        new DurableFiles(model).write(target, NEW);

        assertThat(model.modes()).containsExactly(DurableFiles.PRIVATE);
    }

    @Test
    void symbolicLink_staysAndItsTargetIsRewritten() throws IOException {
        Path real = Files.createDirectory(folder.resolve("elsewhere")).resolve("real.toml");
        Files.writeString(real, OLD);
        Files.createSymbolicLink(target, real);

        new DurableFiles().write(target, NEW);

        assertThat(target).isSymbolicLink();
        assertThat(Files.readString(real)).isEqualTo(NEW);
    }

    @Test
    void missingParents_areCreatedAndEachNameIsForced() {
        var model = new DiskModel();

        new DurableFiles(model).write(folder.resolve("a/b/file"), NEW);

        assertThat(model.forced()).contains(folder, folder.resolve("a"), folder.resolve("a/b"));
    }

    /** Guards against a last state lost at shutdown: file channels close themselves under an interrupted thread. */
    @Test
    void interruptedThread_stillWritesAndStaysInterrupted() {
        Thread.currentThread().interrupt();

        new DurableFiles().write(target, NEW);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(target).hasContent(NEW.strip());
    }

    @Test
    void threadsWritingOnePath_leaveOneWholeContentAndNoTemporaryFile() throws Exception {
        var files = new DurableFiles();
        var barrier = new CyclicBarrier(2);
        List<String> contents = IntStream.range(0, 2)
                .mapToObj(i -> ("writer " + i + "\n").repeat(5000))
                .toList();
        try (var threads = Executors.newFixedThreadPool(2)) {
            List<Future<?>> writers = contents.stream()
                    .<Future<?>>map(content -> threads.submit(() -> {
                        barrier.await();
                        for (int round = 0; round < 20; round++) {
                            files.write(target, content);
                            assertThat(files.read(target)).get().isIn(contents);
                        }
                        return content;
                    }))
                    .toList();
            for (Future<?> writer : writers) {
                writer.get();
            }
        }
        assertThat(names()).containsExactly("hal0.toml");
    }

    @Test
    void absentFile_readsAsEmptyAndDeletesWithoutError() {
        var files = new DurableFiles();

        files.delete(target);

        assertThat(files.read(target)).isEmpty();
    }

    private List<String> names() throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).toList();
        }
    }

    private static String mode(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }
}
