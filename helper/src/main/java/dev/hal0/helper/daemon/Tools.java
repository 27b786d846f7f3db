package dev.hal0.helper.daemon;

import dev.hal0.kernel.CommandOptions;
import dev.hal0.kernel.CommandResult;
import dev.hal0.kernel.Commands;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The programs that the helper runs, by full path, with nothing inherited.
 *
 * @param podman also stands in units
 * @param nft also stands in units
 * @param question deadline of a command that only asks
 */
record Tools(
        String systemctl,
        String podman,
        String nft,
        String journalctl,
        String id,
        Duration question,
        Commands commands) {
    private static final Map<String, String> ENVIRONMENT =
            Map.of("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", "LANG", "C.UTF-8", "HOME", "/root");

    static Tools system() {
        return new Tools(
                "/usr/bin/systemctl",
                "/usr/bin/podman",
                "/usr/sbin/nft",
                "/usr/bin/journalctl",
                "/usr/bin/id",
                // Longer than podman needs for a question on a slow disk.
                Duration.ofSeconds(15),
                new Commands());
    }

    CommandResult systemctl(Duration deadline, String... arguments) {
        return run(systemctl, deadline, List.of(arguments));
    }

    CommandResult podman(Duration deadline, String... arguments) {
        return run(podman, deadline, List.of(arguments));
    }

    /** @throws Hal0Exception {@code runtime.stuck} with the output so far; {@code runtime.unavailable} without the program */
    CommandResult run(String program, Duration deadline, List<String> arguments) {
        var argv = new ArrayList<>(List.of(program));
        argv.addAll(arguments);
        try {
            return commands.run(argv, CommandOptions.within(deadline).withOnlyEnvironment(ENVIRONMENT));
        } catch (Hal0Exception failure) {
            throw switch (failure.code()) {
                case SYSTEM_COMMAND_TIMEOUT -> as(ErrorCode.RUNTIME_STUCK, failure);
                case SYSTEM_COMMAND_FAILED -> as(ErrorCode.RUNTIME_UNAVAILABLE, failure);
                default -> failure;
            };
        }
    }

    private static Hal0Exception as(ErrorCode code, Hal0Exception failure) {
        var translated = new Hal0Exception(code, failure.message(), failure);
        for (Map.Entry<String, Object> detail : failure.details().entrySet()) {
            translated = translated.withDetail(detail.getKey(), detail.getValue());
        }
        return translated;
    }
}
