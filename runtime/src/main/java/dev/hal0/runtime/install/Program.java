package dev.hal0.runtime.install;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An engine's executable as it must be started here.
 *
 * @param command executable and leading arguments; the plan's arguments follow
 * @param environment it needs beyond the allowed variables
 * @param workingDirectory it must be started in, such as the folder where ggml finds its backends
 * @param version as it reports itself; empty when unknown
 * @param source where it comes from: {@code config}, {@code path}, {@code installed}, {@code unpinned} (installed
 *     in a version that was not tried with hal0) or {@code built-in}
 */
public record Program(
        List<String> command,
        Map<String, String> environment,
        Optional<Path> workingDirectory,
        String version,
        String source) {
    public Program {
        command = List.copyOf(command);
        environment = Map.copyOf(environment);
    }
}
