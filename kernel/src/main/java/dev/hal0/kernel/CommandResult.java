package dev.hal0.kernel;

import java.time.Duration;
import java.util.List;

/**
 * What a command that ended by itself left behind.
 *
 * @param argv what was run
 * @param exitCode 128 + n when signal n ended it
 * @param stdout UTF-8, malformed bytes replaced; only its end when {@code truncated}
 * @param stderr like {@code stdout}
 * @param truncated whether output beyond the limit was dropped from either stream
 */
public record CommandResult(
        List<String> argv, int exitCode, String stdout, String stderr, boolean truncated, Duration elapsed) {
    private static final int EVIDENCE_CHARACTERS = 4096;

    public CommandResult {
        argv = List.copyOf(argv);
    }

    public boolean succeeded() {
        return exitCode == 0;
    }

    /**
     * @param what the purpose, for the message: "Listing containers"
     * @return this
     * @throws Hal0Exception {@code system.command_failed} with the output's end in details, when the exit code is not 0
     */
    public CommandResult requireSuccess(String what) {
        if (succeeded()) {
            return this;
        }
        String reason = lastLine(stderr.isBlank() ? stdout : stderr);
        throw evidence(new Hal0Exception(
                        ErrorCode.SYSTEM_COMMAND_FAILED,
                        what + " failed: `" + argv.getFirst() + "` exited with " + exitCode
                                + (reason.isEmpty() ? " and said nothing" : ": " + reason)))
                .withDetail("exit_code", exitCode);
    }

    /** Adds command, output and time to a failure. */
    Hal0Exception evidence(Hal0Exception failure) {
        return failure.withDetail("argv", argv)
                .withDetail("stdout", end(stdout))
                .withDetail("stderr", end(stderr))
                .withDetail("elapsed_ms", elapsed.toMillis());
    }

    private static String end(String text) {
        return text.length() <= EVIDENCE_CHARACTERS ? text : "…" + text.substring(text.length() - EVIDENCE_CHARACTERS);
    }

    private static String lastLine(String text) {
        String trimmed = text.strip();
        String line = trimmed.substring(trimmed.lastIndexOf('\n') + 1).strip();
        return line.length() <= 300 ? line : line.substring(0, 300) + "…";
    }
}
