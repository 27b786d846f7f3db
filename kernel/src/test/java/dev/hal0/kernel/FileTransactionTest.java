package dev.hal0.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.FileTransaction.Change;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileTransactionTest {
    @TempDir
    private Path folder;

    private Path first;
    private Path second;
    private Path intent;

    @BeforeEach
    void paths() throws IOException {
        first = folder.resolve("a.toml");
        second = folder.resolve("b.toml");
        intent = folder.resolve("intent.json");
        Files.writeString(first, "old a");
    }

    @Test
    void commit_changesAllAndLeavesNoIntent() {
        transaction(new SystemFileOperations()).commit(both());

        assertThat(first).hasContent("new a");
        assertThat(second).hasContent("new b");
        assertThat(intent).doesNotExist();
    }

    /** P30: two files that belong together drifted apart. The program dies before its n-th step; the next start repairs. */
    @Test
    void deathBeforeAnyStep_leavesAllOrNothingAfterRecovery() throws IOException {
        var counting = new DyingDisk(Integer.MAX_VALUE);
        transaction(counting).commit(both());
        int steps = counting.steps;
        assertThat(steps).isGreaterThan(10);
        int finished = 0;
        for (int alive = 0; alive <= steps; alive++) {
            reset();
            try {
                transaction(new DyingDisk(alive)).commit(both());
            } catch (Death | Hal0Exception died) {
                // what is on disk is looked at below
            }

            transaction(new SystemFileOperations()).recover();

            boolean changed = Files.readString(first).equals("new a");
            assertThat(Files.readString(first)).as("after %s steps", alive).isEqualTo(changed ? "new a" : "old a");
            assertThat(Files.exists(second)).as("after %s steps", alive).isEqualTo(changed);
            assertThat(intent).doesNotExist();
            finished += changed ? 1 : 0;
        }
        assertThat(finished)
                .as("some deaths are before the point of no return, some behind")
                .isBetween(1, steps);
    }

    /** The power fails: the intent is durable before the first file is touched, whatever the disk reorders. */
    @Test
    void powerCut_findsTheIntentBeforeAnyFileMayHaveChanged() {
        var disk = new DiskModel();
        transaction(disk).commit(both());

        for (int prefix = 0; prefix <= disk.recorded(); prefix++) {
            Set<String> intents = disk.possibleContents(intent, "(absent)", prefix);
            Set<String> contents = disk.possibleContents(first, "old a", prefix);
            if (contents.contains("new a") && contents.contains("old a")) {
                assertThat(intents).as("after %s steps", prefix).doesNotContain("(absent)");
            }
        }
    }

    @Test
    void handEditBetweenCrashAndStart_isLeftAlone() throws IOException {
        int alive = stepsUntil("new a");
        reset();
        try {
            transaction(new DyingDisk(alive)).commit(both());
        } catch (Death died) {
            // the second file is missing
        }
        Files.writeString(first, "a person's");

        FileTransaction.Recovery recovery =
                transaction(new SystemFileOperations()).recover();

        assertThat(first).hasContent("a person's");
        assertThat(recovery.leftAlone()).containsExactly(first);
        assertThat(recovery.completed()).containsExactly(second);
    }

    @Test
    void fileThatIsNotWhatTheChangeWasMadeFrom_refusesAll() throws IOException {
        Files.writeString(second, "somebody else's");

        assertThatThrownBy(() -> transaction(new SystemFileOperations()).commit(both()))
                .isInstanceOfSatisfying(
                        Hal0Exception.class, why -> assertThat(why.code()).isEqualTo(ErrorCode.PRECONDITION_FAILED));

        assertThat(first).hasContent("old a");
        assertThat(second).hasContent("somebody else's");
        assertThat(intent).doesNotExist();
    }

    @Test
    void diskThatRefusesTheSecondFile_undoesTheFirst() {
        var full = new DyingDisk(Integer.MAX_VALUE, ".b.toml");

        assertThatThrownBy(() -> transaction(full).commit(both())).isInstanceOf(Hal0Exception.class);

        assertThat(first).hasContent("old a");
        assertThat(second).doesNotExist();
        assertThat(intent).doesNotExist();
    }

    @Test
    void damagedIntent_isNamedAndChangesNothing() throws IOException {
        Files.writeString(intent, "not json");

        assertThatThrownBy(() -> transaction(new SystemFileOperations()).recover())
                .isInstanceOfSatisfying(
                        Hal0Exception.class, why -> assertThat(why.details()).containsEntry("path", intent.toString()));

        assertThat(first).hasContent("old a");
    }

    private int stepsUntil(String content) throws IOException {
        for (int alive = 0; ; alive++) {
            reset();
            try {
                transaction(new DyingDisk(alive)).commit(both());
            } catch (Death | Hal0Exception died) {
                // counted
            }
            if (Files.readString(first).equals(content)) {
                return alive;
            }
        }
    }

    private void reset() throws IOException {
        Files.writeString(first, "old a");
        Files.deleteIfExists(second);
        Files.deleteIfExists(intent);
    }

    private FileTransaction transaction(FileOperations disk) {
        return new FileTransaction(intent, new DurableFiles(disk));
    }

    private List<Change> both() {
        return List.of(new Change(first, "old a", "new a"), new Change(second, null, "new b"));
    }

    /** No clean-up runs in a program that is dead. */
    private static final class Death extends Error {
        private static final long serialVersionUID = 1L;
    }

    /** Dies before a step, or refuses to write files whose temporary name begins in a certain way. */
    private static final class DyingDisk implements FileOperations {
        private final FileOperations disk = new SystemFileOperations();
        private final int alive;
        private final String refused;
        int steps;

        DyingDisk(int alive) {
            this(alive, "nothing");
        }

        DyingDisk(int alive, String refused) {
            this.alive = alive;
            this.refused = refused;
        }

        private void step() {
            if (steps++ >= alive) {
                throw new Death();
            }
        }

        @Override
        public void write(Path path, byte[] content, Set<PosixFilePermission> mode) throws IOException {
            step();
            if (path.getFileName().toString().startsWith(refused)) {
                throw new FileSystemException(path.toString(), null, "No space left on device");
            }
            disk.write(path, content, mode);
        }

        @Override
        public void force(Path path) throws IOException {
            step();
            disk.force(path);
        }

        @Override
        public void rename(Path source, Path target) throws IOException {
            step();
            disk.rename(source, target);
        }

        @Override
        public void delete(Path path) throws IOException {
            step();
            disk.delete(path);
        }

        @Override
        public String read(Path path) throws IOException {
            return disk.read(path);
        }
    }
}
