package dev.hal0.cli;

import dev.hal0.kernel.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

@CommandLine.Command(
        name = "engine",
        description = "The programs that run models.",
        subcommands = {EngineCommands.ListEngines.class, EngineCommands.Install.class})
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
            var rows = new ArrayList<List<String>>();
            engines.forEach(engine -> rows.add(List.of(
                    text(engine, "name"),
                    engine.path("installed").asBoolean(false) ? "yes" : "no",
                    text(engine, "version"),
                    text(engine, "source"),
                    StreamSupport.stream(engine.path("used_by").spliterator(), false)
                            .map(JsonNode::asString)
                            .collect(Collectors.joining(",")))));
            console().table(List.of("NAME", "INSTALLED", "VERSION", "SOURCE", "USED BY"), rows);
            return ExitCode.OK;
        }
    }

    @CommandLine.Command(name = "install", description = "Fetch an engine's program: hal0 engine install llama.cpp.")
    static final class Install extends Command {
        @Parameters(paramLabel = "NAME")
        String name = "";

        @Override
        public Integer call() {
            var last = new AtomicReference<Api.@Nullable StreamEvent>();
            try (var stream =
                    api().stream("POST", "/api/engines/" + encode(name) + "/install", new LinkedHashMap<>())) {
                stream.forEach(event -> {
                    if (event.name().equals("progress") && !isJson()) {
                        console()
                                .note("  "
                                        + Json.LENIENT
                                                .readTree(event.data())
                                                .path("message")
                                                .asString(""));
                    }
                    last.set(event);
                });
            }
            Api.StreamEvent end = last.get();
            if (end != null && end.name().equals("done")) {
                JsonNode engine = Json.LENIENT.readTree(end.data());
                if (isJson()) {
                    console().json(engine);
                } else {
                    console()
                            .line("Installed " + name + " " + text(engine, "version") + " (" + text(engine, "source")
                                    + ").");
                }
                return ExitCode.OK;
            }
            if (end != null && end.name().equals("error")) {
                throw Api.failureOf(Json.LENIENT.readTree(end.data()).path("error"));
            }
            throw new CliFailure(
                    ExitCode.TIMED_OUT,
                    "cli.stream_broken",
                    "The connection ended before the install did; it may go on.",
                    "Run the command again: it resumes.");
        }
    }
}
