package dev.hal0.kernel;

import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * How one external command runs. Start with {@link #within} and narrow it with the {@code with…} methods. Immutable.
 *
 * @param deadline how long the command may take in all, more than zero; then its whole process tree is killed
 * @param workingDirectory empty for the control plane's own
 * @param environment variables set for the child, on top of the inherited ones
 * @param clearEnvironment true: the child sees {@code environment} and nothing inherited
 * @param input what the child reads on standard input, as UTF-8; empty for {@code /dev/null}
 * @param outputLimit bytes kept of each of stdout and stderr; older output is dropped, because the end says why it failed
 */
public record CommandOptions(
        Duration deadline,
        Optional<Path> workingDirectory,
        Map<String, String> environment,
        boolean clearEnvironment,
        Optional<String> input,
        int outputLimit) {
    /** Holds any sane status output, and is small beside the process that made it. */
    public static final int DEFAULT_OUTPUT_LIMIT = 1 << 20;

    public CommandOptions {
        if (!deadline.isPositive()) {
            throw new IllegalArgumentException("A command needs a deadline of more than zero, not " + deadline);
        }
        if (outputLimit < 1) {
            throw new IllegalArgumentException("outputLimit must be at least 1, not " + outputLimit);
        }
        environment = Map.copyOf(environment);
    }

    public static CommandOptions within(Duration deadline) {
        return new CommandOptions(deadline, Optional.empty(), Map.of(), false, Optional.empty(), DEFAULT_OUTPUT_LIMIT);
    }

    public CommandOptions withWorkingDirectory(Path directory) {
        return new CommandOptions(deadline, Optional.of(directory), environment, clearEnvironment, input, outputLimit);
    }

    public CommandOptions withEnvironment(String name, String value) {
        var more = new LinkedHashMap<>(environment);
        more.put(name, value);
        return new CommandOptions(deadline, workingDirectory, more, clearEnvironment, input, outputLimit);
    }

    /** The child sees only these variables. */
    public CommandOptions withOnlyEnvironment(Map<String, String> only) {
        return new CommandOptions(deadline, workingDirectory, only, true, input, outputLimit);
    }

    public CommandOptions withInput(String text) {
        return new CommandOptions(
                deadline, workingDirectory, environment, clearEnvironment, Optional.of(text), outputLimit);
    }

    public CommandOptions withOutputLimit(int bytes) {
        return new CommandOptions(deadline, workingDirectory, environment, clearEnvironment, input, bytes);
    }
}
