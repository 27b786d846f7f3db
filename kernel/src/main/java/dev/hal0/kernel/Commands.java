package dev.hal0.kernel;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs external commands with a deadline, bounded output and no shell: each element of {@code argv} reaches the program
 * as it is. When the deadline passes, or the calling thread is interrupted, every process that the command started is
 * killed, also one that was orphaned in between.
 *
 * <p>Thread-safe and stateless. Blocks the calling thread; meant for virtual threads.
 */
public final class Commands {
    private static final Logger log = LoggerFactory.getLogger(Commands.class);

    /** A child that detached may hold our pipes open for ever; its parent's answer is complete without it. */
    private static final Duration STRAGGLER_PATIENCE = Duration.ofSeconds(1);

    /** ENOENT as JDKs before and after 25 word it; the text behind the number depends on the locale. */
    private static final Pattern NO_SUCH_FILE = Pattern.compile("error(=|: )2\\b");

    /** What a shell calls "ended by SIGKILL"; not asked of the process, which may hang in the kernel for a while. */
    private static final int KILLED = 128 + 9;

    /**
     * @param argv program and arguments; a program without {@code /} is looked up on the control plane's PATH
     * @return the result, whatever the exit code
     * @throws Hal0Exception {@code system.command_failed} when the program cannot be started,
     *     {@code system.command_timeout} at the deadline with the output so far in details, {@code operation.cancelled}
     *     when the thread is interrupted (its flag is set again)
     */
    public CommandResult run(List<String> argv, CommandOptions options) {
        if (argv.isEmpty()) {
            throw new IllegalArgumentException("argv needs a program");
        }
        long started = System.nanoTime();
        String mark = UUID.randomUUID().toString();
        Process process = start(argv, options, mark);
        var stdout = new BoundedOutput(process.getInputStream(), options.outputLimit(), "stdout of " + argv.getFirst());
        var stderr = new BoundedOutput(process.getErrorStream(), options.outputLimit(), "stderr of " + argv.getFirst());
        options.input().ifPresent(text -> feed(process, text, argv.getFirst()));
        try {
            boolean ended = process.waitFor(options.deadline().toNanos(), TimeUnit.NANOSECONDS);
            if (!ended) {
                ProcessTree.kill(process.toHandle(), mark);
            }
            boolean complete = stdout.await(STRAGGLER_PATIENCE) & stderr.await(STRAGGLER_PATIENCE);
            if (!complete) {
                log.debug("{} ended but a child of it keeps its output open", argv.getFirst());
            }
            var result = new CommandResult(
                    argv,
                    ended ? process.exitValue() : KILLED,
                    stdout.text(),
                    stderr.text(),
                    stdout.truncated() || stderr.truncated(),
                    Duration.ofNanos(System.nanoTime() - started));
            if (!ended) {
                throw result.evidence(new Hal0Exception(
                                ErrorCode.SYSTEM_COMMAND_TIMEOUT,
                                "`" + argv.getFirst() + "` did not end within "
                                        + options.deadline().toMillis() + " ms and was killed"))
                        .withDetail("deadline_ms", options.deadline().toMillis());
            }
            return result;
        } catch (InterruptedException cancelled) {
            ProcessTree.kill(process.toHandle(), mark);
            Thread.currentThread().interrupt();
            throw new Hal0Exception(
                            ErrorCode.OPERATION_CANCELLED,
                            "`" + argv.getFirst() + "` was killed because the operation that ran it was cancelled",
                            cancelled)
                    .withDetail("argv", argv);
        }
    }

    private static Process start(List<String> argv, CommandOptions options, String mark) {
        var builder = new ProcessBuilder(argv);
        if (options.clearEnvironment()) {
            builder.environment().clear();
        }
        builder.environment().putAll(options.environment());
        builder.environment().put(ProcessTree.MARK, mark);
        options.workingDirectory().ifPresent(directory -> builder.directory(directory.toFile()));
        if (options.input().isEmpty()) {
            builder.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
        }
        try {
            return builder.start();
        } catch (IOException failure) {
            throw new Hal0Exception(
                            ErrorCode.SYSTEM_COMMAND_FAILED, whyNotStarted(argv.getFirst(), options, failure), failure)
                    .withDetail("argv", argv);
        }
    }

    private static String whyNotStarted(String program, CommandOptions options, IOException failure) {
        var directory = options.workingDirectory().orElse(null);
        if (directory != null && !Files.isDirectory(directory)) {
            return "`" + program + "` could not start: its working directory " + directory + " does not exist";
        }
        String message = String.valueOf(failure.getMessage());
        if (NO_SUCH_FILE.matcher(message).find()) {
            return program.contains("/")
                    ? "`" + program + "` could not start: there is no such file"
                    : "`" + program + "` could not start: no such program on PATH (" + System.getenv("PATH") + ")";
        }
        return "`" + program + "` could not start: " + message;
    }

    /** Apart from the caller, because a child that does not read would block it beyond the deadline. */
    private static void feed(Process process, String text, String program) {
        Thread.ofPlatform().daemon().name("stdin of " + program).start(() -> {
            try (OutputStream stdin = process.getOutputStream()) {
                stdin.write(text.getBytes(StandardCharsets.UTF_8));
            } catch (IOException readerGone) {
                log.debug("{} did not read all of its input: {}", program, readerGone.toString());
            }
        });
    }
}
