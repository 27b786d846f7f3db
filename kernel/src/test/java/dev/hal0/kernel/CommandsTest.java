package dev.hal0.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The shell here is the command under test, never a way to run one. */
@Timeout(60)
class CommandsTest {
    private static final CommandOptions PATIENT = CommandOptions.within(Duration.ofSeconds(30));

    private final Commands commands = new Commands();

    @TempDir
    private Path folder;

    @Test
    void bothStreamsAndTheExitCode_areCaptured() {
        var result = shell("echo out; echo err >&2; exit 3", PATIENT);

        assertThat(result.exitCode()).isEqualTo(3);
        assertThat(result.stdout()).isEqualTo("out\n");
        assertThat(result.stderr()).isEqualTo("err\n");
        assertThat(result.truncated()).isFalse();
        assertThat(result.succeeded()).isFalse();
    }

    @Test
    void failure_namesPurposeCodeAndLastLine() {
        var result = shell("echo first >&2; echo 'no such container' >&2; exit 125", PATIENT);

        assertThatThrownBy(() -> result.requireSuccess("Stopping 'chat'"))
                .isInstanceOfSatisfying(Hal0Exception.class, failure -> {
                    assertThat(failure.code()).isEqualTo(ErrorCode.SYSTEM_COMMAND_FAILED);
                    assertThat(failure.message())
                            .isEqualTo("Stopping 'chat' failed: `sh` exited with 125: no such container");
                    assertThat(failure.details())
                            .containsEntry("exit_code", 125)
                            .containsEntry("stderr", "first\nno such container\n");
                });
    }

    @Test
    void argumentsWithShellCharacters_arriveAsTheyAre() {
        var result = commands.run(List.of("printf", "%s|", "$HOME", "a b", "`id`", "*", ""), PATIENT);

        assertThat(result.stdout()).isEqualTo("$HOME|a b|`id`|*||");
    }

    @Test
    void outputBeyondTheLimit_keepsItsEndAndNeverBlocksTheChild() {
        var result = shell("seq 1 200000", PATIENT.withOutputLimit(100));

        assertThat(result.exitCode()).isZero();
        assertThat(result.truncated()).isTrue();
        assertThat(result.stdout()).hasSize(100).endsWith("199999\n200000\n");
    }

    @Test
    void outputOfExactlyTheLimit_isWhole() {
        var result = shell("printf 12345", PATIENT.withOutputLimit(5));

        assertThat(result.stdout()).isEqualTo("12345");
        assertThat(result.truncated()).isFalse();
    }

    @Test
    void cutInsideACharacter_dropsTheRestOfIt() {
        assertThat(shell("printf 'ää'", PATIENT.withOutputLimit(3)).stdout()).isEqualTo("ä");
    }

    @Test
    void outputOfManyReads_isInOrder() {
        assertThat(shell("seq 1 20000", PATIENT).stdout().lines())
                .hasSize(20000)
                .startsWith("1", "2")
                .endsWith("20000");
    }

    @Test
    void input_isReadToItsEnd() {
        assertThat(commands.run(List.of("cat"), PATIENT.withInput("grüße\n")).stdout())
                .isEqualTo("grüße\n");
    }

    @Test
    void inputThatNobodyReads_doesNotFailTheCommand() {
        assertThat(commands.run(List.of("true"), PATIENT.withInput("x".repeat(1 << 20)))
                        .exitCode())
                .isZero();
    }

    @Test
    void withoutInput_theChildReadsTheEndAtOnce() {
        assertThat(commands.run(List.of("cat"), PATIENT).stdout()).isEmpty();
    }

    @Test
    void onlyEnvironment_hidesTheInherited() {
        var result = commands.run(List.of("env"), PATIENT.withOnlyEnvironment(Map.of("LANG", "C")));

        assertThat(result.stdout().lines())
                .contains("LANG=C")
                .noneMatch(line -> line.startsWith("HOME=") || line.startsWith("JAVA_HOME="));
    }

    @Test
    void workingDirectory_isTheChilds() throws IOException {
        assertThat(commands.run(List.of("pwd"), PATIENT.withWorkingDirectory(folder))
                        .stdout()
                        .strip())
                .isEqualTo(folder.toRealPath().toString());
    }

    @Test
    void missingProgram_isNamedWithThePathSearched() {
        var failure = startFailure(List.of("no-such-program-of-hal0"), PATIENT);

        assertThat(failure.code()).isEqualTo(ErrorCode.SYSTEM_COMMAND_FAILED);
        assertThat(failure.message())
                .contains("`no-such-program-of-hal0` could not start: no such program on PATH")
                .contains(System.getenv("PATH"));
    }

    @Test
    void missingFileFolderOrPermission_isSaidApart() throws IOException {
        Path notExecutable = Files.writeString(folder.resolve("tool"), "#!/bin/sh\n");

        assertThat(startFailure(List.of("/no/such/file"), PATIENT)).hasMessageContaining("there is no such file");
        assertThat(startFailure(List.of("true"), PATIENT.withWorkingDirectory(folder.resolve("gone"))))
                .hasMessageContaining("working directory " + folder.resolve("gone") + " does not exist");
        assertThat(startFailure(List.of(notExecutable.toString()), PATIENT)).hasMessageContaining("Permission denied");
    }

    @Test
    void deadline_killsGrandchildrenAlsoOrphanedOnesAndKeepsTheOutput() throws Exception {
        // The middle shell ends at once, so the second sleeper belongs to init when the deadline comes.
        String script = "echo started; sleep 1000 & echo $! >child; (sh -c 'sleep 1000 & echo $! >orphan'); wait";

        var failure = catchThrowableOfType(
                Hal0Exception.class,
                () -> shell(script, CommandOptions.within(Duration.ofSeconds(2)).withWorkingDirectory(folder)));

        assertThat(failure.code()).isEqualTo(ErrorCode.SYSTEM_COMMAND_TIMEOUT);
        assertThat(failure.message()).isEqualTo("`sh` did not end within 2000 ms and was killed");
        assertThat(failure.details()).containsEntry("stdout", "started\n").containsEntry("deadline_ms", 2000L);
        assertEnds(folder.resolve("child"));
        assertEnds(folder.resolve("orphan"));
    }

    @Test
    void interrupt_killsTheCommandAndStaysVisible() throws Exception {
        Path fifo = folder.resolve("started");
        commands.run(List.of("mkfifo", fifo.toString()), PATIENT).requireSuccess("Making a pipe");
        var outcome = new CompletableFuture<Hal0Exception>();
        var interrupted = new CompletableFuture<Boolean>();
        Thread caller = Thread.ofVirtual().start(() -> {
            outcome.complete(catchThrowableOfType(
                    Hal0Exception.class,
                    () -> shell("echo $$ >started; sleep 1000", PATIENT.withWorkingDirectory(folder))));
            interrupted.complete(Thread.currentThread().isInterrupted());
        });
        // Opening the pipe blocks until the command runs.
        long pid = Long.parseLong(Files.readString(fifo).strip());
        var process = ProcessHandle.of(pid);

        caller.interrupt();

        assertThat(outcome.get(20, TimeUnit.SECONDS).code()).isEqualTo(ErrorCode.OPERATION_CANCELLED);
        assertThat(interrupted.get(20, TimeUnit.SECONDS)).isTrue();
        if (process.isPresent()) {
            process.get().onExit().get(20, TimeUnit.SECONDS);
        }
    }

    /** Guards against a hang: a daemon that inherited our pipes must not keep its parent's answer from us. */
    @Test
    void detachedChildThatHoldsThePipes_doesNotDelayTheAnswer() throws Exception {
        var result = shell("sleep 1000 & echo $! >child; echo done", PATIENT.withWorkingDirectory(folder));

        assertThat(result.stdout()).isEqualTo("done\n");
        assertThat(result.elapsed()).isLessThan(PATIENT.deadline());
        handle(folder.resolve("child")).ifPresent(ProcessHandle::destroyForcibly);
    }

    @Test
    void deadlineOfZero_isRefused() {
        assertThatThrownBy(() -> CommandOptions.within(Duration.ZERO)).isInstanceOf(IllegalArgumentException.class);
    }

    private CommandResult shell(String script, CommandOptions options) {
        return commands.run(List.of("sh", "-c", script), options);
    }

    private Hal0Exception startFailure(List<String> argv, CommandOptions options) {
        return catchThrowableOfType(Hal0Exception.class, () -> commands.run(argv, options));
    }

    private static void assertEnds(Path pidFile) throws Exception {
        var process = handle(pidFile);
        if (process.isPresent() && !isZombie(process.get().pid())) {
            process.get().onExit().get(20, TimeUnit.SECONDS);
        }
    }

    /** In a container without a reaping init, an orphan that was killed stays listed. */
    private static boolean isZombie(long pid) throws IOException {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return stat.substring(stat.lastIndexOf(')') + 2).startsWith("Z");
        } catch (NoSuchFileException gone) {
            return true;
        }
    }

    private static Optional<ProcessHandle> handle(Path pidFile) throws IOException {
        return ProcessHandle.of(Long.parseLong(Files.readString(pidFile).strip()));
    }
}
