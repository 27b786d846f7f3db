package dev.hal0.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

@CommandLine.Command(
        name = "model",
        description = "The models this box has.",
        subcommands = {
            ModelCommands.Add.class,
            ModelCommands.ListModels.class,
            ModelCommands.Show.class,
            ModelCommands.Remove.class
        })
final class ModelCommands implements Runnable {
    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before the command runs
    CommandLine.Model.CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    private static String capabilities(JsonNode model) {
        return StreamSupport.stream(model.path("capabilities").spliterator(), false)
                .map(JsonNode::asString)
                .collect(Collectors.joining(","));
    }

    @CommandLine.Command(
            name = "add",
            aliases = "register",
            description = "Register a GGUF file; it stays where it is.")
    static final class Add extends Command {
        @Parameters(paramLabel = "FILE")
        Path file = Path.of("");

        @Option(names = "--id", paramLabel = "ID", description = "Default: from the file's name.")
        Optional<String> id = Optional.empty();

        @Option(names = "--name", paramLabel = "TEXT", description = "Display name.")
        Optional<String> name = Optional.empty();

        @Option(names = "--overwrite", description = "Replace an entry of the same id.")
        boolean overwrite;

        @Override
        public Integer call() {
            var body = new LinkedHashMap<String, Object>();
            body.put("path", file.toAbsolutePath().normalize().toString());
            id.ifPresent(text -> body.put("id", text));
            name.ifPresent(text -> body.put("name", text));
            body.put("overwrite", overwrite);
            JsonNode model = api().post("/api/models", body);
            if (isJson()) {
                console().json(model);
                return ExitCode.OK;
            }
            console()
                    .line("Added " + text(model, "id") + ": " + text(model, "architecture") + " "
                            + text(model, "quantization") + ", "
                            + Console.size(model.path("size_bytes").asLong(0)) + ", context "
                            + text(model, "context_length") + ", " + capabilities(model));
            String slot = capabilities(model).contains("chat") ? "chat" : "NAME";
            console().line("Next: hal0 slot load " + slot + " --model " + text(model, "id"));
            return ExitCode.OK;
        }
    }

    @CommandLine.Command(name = "list", aliases = "ls", description = "All registered models.")
    static final class ListModels extends Command {
        @Override
        public Integer call() {
            JsonNode models = api().get("/api/models");
            if (isJson()) {
                console().json(models);
                return ExitCode.OK;
            }
            var rows = new ArrayList<List<String>>();
            models.forEach(model -> rows.add(List.of(
                    text(model, "id"),
                    Console.size(model.path("size_bytes").asLong(0)),
                    text(model, "architecture"),
                    text(model, "quantization"),
                    text(model, "context_length"),
                    capabilities(model),
                    text(model, "file_state"))));
            console().table(List.of("ID", "SIZE", "ARCHITECTURE", "QUANT", "CONTEXT", "CAN", "FILE"), rows);
            return ExitCode.OK;
        }
    }

    @CommandLine.Command(name = "show", description = "One model.")
    static final class Show extends Command {
        @Parameters(paramLabel = "ID")
        String id = "";

        @Override
        public Integer call() {
            JsonNode model = api().get("/api/models/" + encode(id));
            if (isJson()) {
                console().json(model);
            } else {
                model.properties()
                        .forEach(entry -> console()
                                .line(String.format(
                                        "%-15s %s",
                                        entry.getKey(),
                                        entry.getValue().isValueNode()
                                                ? entry.getValue().asString("-")
                                                : capabilitiesOrList(entry.getValue()))));
            }
            return ExitCode.OK;
        }

        private static String capabilitiesOrList(JsonNode values) {
            return StreamSupport.stream(values.spliterator(), false)
                    .map(JsonNode::asString)
                    .collect(Collectors.joining(", "));
        }
    }

    @CommandLine.Command(
            name = "rm",
            aliases = {"remove", "delete"},
            description = "Forget a model; its file stays.")
    static final class Remove extends Command {
        @Parameters(paramLabel = "ID")
        String id = "";

        @Option(
                names = {"-f", "--force"},
                description = "Do not ask, also while slots are bound to it.")
        boolean force;

        @Override
        public Integer call() {
            api().get("/api/models/" + encode(id));
            confirm("Forget model " + id + "? Its file stays.", force);
            JsonNode answer =
                    api().delete("/api/models/" + encode(id) + "?force=" + force, java.time.Duration.ofSeconds(30));
            if (isJson()) {
                console().json(answer);
            } else {
                console()
                        .line("Forgot " + id + ". To have it back: hal0 model add "
                                + text(answer.path("restore"), "path") + " --id " + id);
            }
            return ExitCode.OK;
        }
    }
}
