package dev.hal0.cli;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

@CommandLine.Command(
        name = "engine",
        description = "The programs that run models.",
        subcommands = {EngineCommands.ListEngines.class, EngineCommands.Install.class, EngineCommands.Remove.class})
final class EngineCommands implements Runnable {
    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before the command runs
    CommandLine.Model.CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    @CommandLine.Command(name = "list", aliases = "ls", description = "What is there, which version, from where.")
    static final class ListEngines extends Command {
        @Override
        public Integer call() {
            JsonNode engines = api().get("/api/engines");
            if (isJson()) {
                console().json(engines);
                return ExitCode.OK;
            }
            var table = new Table("NAME", "INSTALLED", "VERSION", "SOURCE", "USED BY");
            for (JsonNode engine : engines) {
                table.row(
                        text(engine, "name"),
                        engine.path("installed").asBoolean(false) ? "yes" : "no",
                        version(engine),
                        text(engine, "source"),
                        text(engine, "used_by"));
            }
            table.print(console());
            return ExitCode.OK;
        }

        private static String version(JsonNode engine) {
            String version = text(engine, "version");
            String available = text(engine, "available_version");
            boolean ours = engine.path("versions").size() > 0;
            boolean current = false;
            for (JsonNode installed : engine.path("versions")) {
                current |= text(installed, "version").startsWith(available);
            }
            return !ours || available.equals("-") || current ? version : version + " (" + available + " available)";
        }
    }

    @CommandLine.Command(name = "install", description = "Fetch an engine's program: hal0 engine install llama.cpp.")
    static final class Install extends Command {
        @Parameters(paramLabel = "NAME")
        String name = "";

        @Override
        public Integer call() {
            Api.StreamEvent end = lastEvent();
            if (end != null && end.name().equals("done")) {
                JsonNode engine = end.json();
                if (isJson()) {
                    console().json(engine);
                } else {
                    console()
                            .line(Console.oneLine("Installed " + name + " " + text(engine, "version") + " ("
                                    + text(engine, "source") + ")."));
                }
                return ExitCode.OK;
            }
            if (end != null && end.name().equals("error")) {
                throw Api.failureOf(end.json().path("error"));
            }
            throw unknownEnd();
        }

        private Api.@Nullable StreamEvent lastEvent() {
            var last = new AtomicReference<Api.@Nullable StreamEvent>();
            try (var progress = new Progress(console(), isJson());
                    var stream = api().stream("POST", "/api/engines/" + encode(name) + "/install", Map.of())) {
                stream.forEach(event -> {
                    if (event.name().equals("progress")) {
                        progress.say(event.json().path("message").asString(""));
                    }
                    last.set(event);
                });
            } catch (CliFailure failure) {
                throw failure.code().equals("cli.stream_broken") ? unknownEnd() : failure;
            }
            return last.get();
        }

        private static CliFailure unknownEnd() {
            return new CliFailure(
                    ExitCode.TIMED_OUT,
                    "cli.stream_broken",
                    "The connection ended before the install did; it may go on.",
                    "Run the command again: it resumes.");
        }
    }

    @CommandLine.Command(
            name = "remove",
            aliases = {"rm", "uninstall"},
            description = "Delete an installed version of an engine's program.")
    static final class Remove extends Command {
        @Parameters(index = "0", paramLabel = "NAME")
        String name = "";

        @Parameters(index = "1", paramLabel = "VERSION", arity = "0..1", description = "Default: the one in use.")
        Optional<String> version = Optional.empty();

        @Option(
                names = {"-f", "--force", "-y", "--yes"},
                description = "Do not ask.")
        boolean force;

        @Override
        public Integer call() {
            Api api = api();
            String which = version.orElseGet(() -> installed(api.get("/api/engines")));
            confirm("Delete " + name + " " + which + "?", force);
            JsonNode answer =
                    api.delete("/api/engines/" + encode(name) + "/versions/" + encode(which), Duration.ofSeconds(60));
            if (isJson()) {
                console().json(answer);
            } else {
                console()
                        .next("Removed " + name + " " + Console.oneLine(which)
                                + ". To have it back: hal0 engine install " + quoted(name));
            }
            return ExitCode.OK;
        }

        private String installed(JsonNode engines) {
            for (JsonNode engine : engines) {
                for (JsonNode candidate : engine.path("versions")) {
                    if (text(engine, "name").equals(name)
                            && candidate.path("current").asBoolean(false)) {
                        return text(candidate, "version");
                    }
                }
            }
            throw new CliFailure(
                    ExitCode.NOT_FOUND,
                    "cli.not_installed",
                    "No version of '" + name + "' is installed.",
                    "`hal0 engine list` shows what is.");
        }
    }
}
