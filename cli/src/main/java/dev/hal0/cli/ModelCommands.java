package dev.hal0.cli;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Optional;
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
            ModelDiscoveryCommands.Scan.class,
            ModelDiscoveryCommands.Fit.class,
            ModelDiscoveryCommands.Prune.class,
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

    @CommandLine.Command(
            name = "add",
            aliases = "register",
            description = "Register a GGUF file; it stays where it is.")
    static final class Add extends Command {
        @Parameters(paramLabel = "FILE")
        String file = "";

        @Option(names = "--id", paramLabel = "ID", description = "Default: from the file's name.")
        Optional<String> id = Optional.empty();

        @Option(names = "--name", paramLabel = "TEXT", description = "Display name.")
        Optional<String> name = Optional.empty();

        @Option(names = "--overwrite", description = "Replace an entry of the same id.")
        boolean overwrite;

        @Override
        public Integer call() {
            var body = new LinkedHashMap<String, Object>();
            body.put("path", absolute(file));
            id.ifPresent(text -> body.put("id", text));
            name.ifPresent(text -> body.put("name", text));
            body.put("overwrite", overwrite);
            JsonNode model = api().post("/api/models", body);
            if (isJson()) {
                console().json(model);
                return ExitCode.OK;
            }
            String id = Console.oneLine(text(model, "id"));
            String can = text(model, "capabilities");
            console()
                    .line("Added " + id + ": "
                            + Console.oneLine(text(model, "architecture") + " " + text(model, "quantization")) + ", "
                            + Console.size(model.path("size_bytes").asLong(0)) + ", context "
                            + text(model, "context_length") + ", " + can);
            console()
                    .next("Next: hal0 slot load " + (can.contains("chat") ? "chat" : "NAME") + " --model "
                            + quoted(id));
            return ExitCode.OK;
        }

        /**
         * The server has another working directory than we. Text, not a {@code Path}: in a locale without UTF-8 the JDK refuses
         * names that the server can open.
         */
        static String absolute(String file) {
            String from = file.startsWith("/") ? file : System.getProperty("user.dir") + "/" + file;
            var parts = new ArrayDeque<String>();
            for (String part : from.split("/")) {
                switch (part) {
                    case "", "." -> {}
                    // As the shell does: without asking where links lead.
                    case ".." -> parts.pollLast();
                    default -> parts.addLast(part);
                }
            }
            return "/" + String.join("/", parts);
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
            var table = new Table("ID", "SIZE", "ARCHITECTURE", "QUANT", "CONTEXT", "CAN", "FILE");
            for (JsonNode model : models) {
                table.row(
                        text(model, "id"),
                        Console.size(model.path("size_bytes").asLong(0)),
                        text(model, "architecture"),
                        text(model, "quantization"),
                        text(model, "context_length"),
                        text(model, "capabilities"),
                        text(model, "file_state"));
            }
            table.print(console());
            if (models.isEmpty()) {
                console().note("No models yet. Next: hal0 model add FILE.gguf");
            }
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
                                        "%-15s %s", entry.getKey(), Console.oneLine(text(model, entry.getKey())))));
            }
            return ExitCode.OK;
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

        @Option(
                names = {"-y", "--yes"},
                description = "Do not ask; refused while slots are bound to it.")
        boolean yes;

        @Override
        public Integer call() {
            Api api = api();
            api.get("/api/models/" + encode(id));
            confirm("Forget model " + id + "? Its file stays.", force || yes);
            JsonNode answer = api.delete("/api/models/" + encode(id) + "?force=" + force, Duration.ZERO);
            if (isJson()) {
                console().json(answer);
            } else {
                console().next("Forgot " + id + ". To have it back: " + undo(id, answer.path("restore")));
            }
            return ExitCode.OK;
        }

        private static String undo(String id, JsonNode restore) {
            String name = Console.oneLine(restore.path("name").asString(""));
            return "hal0 model add " + quoted(Console.oneLine(text(restore, "path"))) + " --id " + quoted(id)
                    + (name.isEmpty() || name.equals(id) ? "" : " --name " + quoted(name));
        }
    }
}
