package dev.hal0.runtime.install;

import dev.hal0.kernel.CommandOptions;
import dev.hal0.kernel.CommandResult;
import dev.hal0.kernel.Commands;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts a program once before anything depends on it. */
final class Canary {
    /** @param missingFlags those that hal0 passes and the program's help does not name */
    record Findings(String reportedVersion, List<String> missingFlags) {}

    private static final Logger log = LoggerFactory.getLogger(Canary.class);
    private static final Pattern REPORTED_VERSION = Pattern.compile("(?m)^version:\\s*(.+)$");

    private final Commands commands = new Commands();
    private final Duration deadline;

    Canary(Duration deadline) {
        this.deadline = deadline;
    }

    /** @throws Hal0Exception {@code engine.install_failed} when the program does not start */
    Findings examine(String engine, Program program) {
        String version = version(program);
        return new Findings(version, EngineFlags.missing(engine, help(program)));
    }

    boolean starts(Program program) {
        try {
            version(program);
            return true;
        } catch (Hal0Exception failure) {
            if (failure.code() == ErrorCode.OPERATION_CANCELLED) {
                throw failure;
            }
            log.warn("The installed program does not start: {}", failure.message());
            return false;
        }
    }

    private String version(Program program) {
        try {
            CommandResult result = run(program, "--version").requireSuccess("Starting the unpacked program");
            var reported = REPORTED_VERSION.matcher(result.stdout() + "\n" + result.stderr());
            return reported.find() ? reported.group(1).strip() : "";
        } catch (Hal0Exception failure) {
            if (failure.code() == ErrorCode.OPERATION_CANCELLED) {
                throw failure;
            }
            var wrapped = new Hal0Exception(
                    ErrorCode.ENGINE_INSTALL_FAILED,
                    "What was unpacked does not start on this machine, so nothing was changed: " + failure.message(),
                    failure);
            for (var detail : failure.details().entrySet()) {
                wrapped = wrapped.withDetail(detail.getKey(), detail.getValue());
            }
            throw wrapped;
        }
    }

    /** Empty when the program has none: a pinned version was tried with our flags before it was pinned. */
    private String help(Program program) {
        try {
            CommandResult result = run(program, "--help");
            return result.stdout() + "\n" + result.stderr();
        } catch (Hal0Exception failure) {
            if (failure.code() == ErrorCode.OPERATION_CANCELLED) {
                throw failure;
            }
            log.warn("The unpacked program has no help: {}", failure.message());
            return "";
        }
    }

    private CommandResult run(Program program, String flag) {
        var argv = new ArrayList<>(program.command());
        argv.add(flag);
        var options = CommandOptions.within(deadline).withOnlyEnvironment(Map.of("LC_ALL", "C"));
        return commands.run(
                argv,
                program.workingDirectory().map(options::withWorkingDirectory).orElse(options));
    }
}
