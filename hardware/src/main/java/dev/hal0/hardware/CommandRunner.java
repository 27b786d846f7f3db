package dev.hal0.hardware;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The seam to external commands. Implementations are thread-safe. */
@FunctionalInterface
interface CommandRunner {
    /** Standard output when the command exists, ends in time and exits with 0; otherwise empty. Standard input is closed. */
    Optional<String> output(List<String> argv, Duration deadline);
}
