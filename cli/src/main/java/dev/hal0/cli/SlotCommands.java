package dev.hal0.cli;

import dev.hal0.kernel.Json;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

@CommandLine.Command(
        name = "slot",
        description = "The slots: named inference targets.",
        subcommands = {
            SlotCommands.ListSlots.class,
            SlotCommands.Show.class,
            SlotCommands.Create.class,
            SlotCommands.Load.class,
            SlotCommands.Unload.class,
            SlotCommands.Restart.class,
            SlotCommands.Delete.class,
            SlotCommands.Logs.class,
            SlotCommands.Resolved.class
        })
final class SlotCommands implements Runnable {
    static final List<String> HEADER = List.of("NAME", "STATE", "MODEL", "ENGINE", "PORT", "MEMORY", "MESSAGE");

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before the command runs
    CommandLine.Model.CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    static List<String> row(Console console, JsonNode slot) {
        String message = Command.text(slot, "message");
        String dirty = slot.path("config_dirty").asBoolean(false) ? "config changed: restart to apply" : "";
        return List.of(
                Command.text(slot, "name"),
                console.state(Command.text(slot, "state")),
                Command.text(slot, "model"),
                Command.text(slot, "engine"),
                Command.text(slot, "port"),
                Console.size(slot.path("memory_bytes").asLong(0)),
                message.equals("-") ? dirty : message);
    }

    @CommandLine.Command(name = "list", aliases = "ls", description = "All slots.")
    static final class ListSlots extends Command {
        @Override
        public Integer call() {
            JsonNode slots = api().get("/api/slots");
            if (isJson()) {
                console().json(slots);
            } else {
                var rows = new ArrayList<List<String>>();
                slots.forEach(slot -> rows.add(row(console(), slot)));
                console().table(HEADER, rows);
            }
            return ExitCode.OK;
        }
    }

    @CommandLine.Command(name = "show", description = "One slot in full.")
    static final class Show extends Command {
        @Parameters(paramLabel = "NAME")
        String name = "";

        @Override
        public Integer call() {
            JsonNode slot = api().get("/api/slots/" + encode(name));
            JsonNode config = api().get("/api/slots/" + encode(name) + "/config");
            if (isJson()) {
                var document = new LinkedHashMap<String, Object>();
                document.put("status", slot);
                document.put("config", config);
                console().json(document);
                return ExitCode.OK;
            }
            slot.properties().forEach(entry -> {
                if (!entry.getValue().isNull()
                        && !entry.getValue().asString("x").isEmpty()) {
                    console().line(String.format("%-14s %s", entry.getKey(), plain(entry.getValue())));
                }
            });
            console().line("");
            console().line("config");
            config.properties()
                    .forEach(entry ->
                            console().line(String.format("  %-12s %s", entry.getKey(), plain(entry.getValue()))));
            return ExitCode.OK;
        }

        private static String plain(JsonNode value) {
            return value.isValueNode() ? value.asString("") : Json.LENIENT.writeValueAsString(value);
        }
    }

    @CommandLine.Command(name = "create", aliases = "add", description = "Create a slot; starts nothing.")
    static final class Create extends Command {
        @Parameters(paramLabel = "NAME")
        String name = "";

        @Option(
                names = {"-t", "--type"},
                paramLabel = "TYPE",
                description = "llm, embedding, reranking (default llm).")
        String type = "llm";

        @Option(
                names = {"-m", "--model"},
                paramLabel = "ID")
        Optional<String> model = Optional.empty();

        @Option(
                names = "--device",
                paramLabel = "DEVICE",
                description = "cpu, gpu-vulkan, gpu-rocm, gpu-cuda (default cpu).")
        String device = "cpu";

        @Option(
                names = {"-p", "--port"},
                paramLabel = "PORT")
        Optional<Integer> port = Optional.empty();

        @Option(names = "--ctx-size", paramLabel = "TOKENS", description = "Context of one request.")
        Optional<Integer> contextSize = Optional.empty();

        @Option(names = "--parallel", paramLabel = "N", description = "Requests at once (default 1).")
        int parallel = 1;

        @Override
        public Integer call() {
            var body = new LinkedHashMap<String, Object>();
            body.put("name", name);
            body.put("type", type);
            body.put("device", device);
            body.put("parallel", parallel);
            model.ifPresent(id -> body.put("model", id));
            port.ifPresent(number -> body.put("port", number));
            contextSize.ifPresent(tokens -> body.put("context_size", tokens));
            JsonNode slot = api().post("/api/slots", body);
            if (isJson()) {
                console().json(slot);
            } else {
                console()
                        .line("Created slot " + name + " on port " + text(slot, "port")
                                + ". Load it with: hal0 slot load " + name + (model.isPresent() ? "" : " --model ID"));
            }
            return ExitCode.OK;
        }
    }

    /** Load, unload and restart: start an operation and follow it. */
    abstract static class Lifecycle extends Command {
        @Parameters(paramLabel = "NAME")
        String name = "";

        @Option(names = "--no-wait", description = "Return as soon as hal0 has accepted it.")
        boolean noWait;

        int run(String verb, Map<String, Object> body, String done) {
            Api api = api();
            JsonNode accepted = api.post("/api/slots/" + encode(name) + "/" + verb, body);
            if (noWait) {
                if (isJson()) {
                    console().json(accepted);
                } else {
                    console().line("Accepted as " + text(accepted.path("operation"), "id") + ".");
                }
                return ExitCode.OK;
            }
            JsonNode operation = new OperationWait(api, console(), isJson()).await(accepted.path("operation"));
            JsonNode slot = api.get("/api/slots/" + encode(name));
            if (isJson()) {
                var document = new LinkedHashMap<String, Object>();
                document.put("operation", operation);
                document.put("slot", slot);
                console().json(document);
            } else {
                console()
                        .line(done + " " + name + ": " + console().state(text(slot, "state"))
                                + (text(slot, "model").equals("-") ? "" : ", model " + text(slot, "model")));
            }
            return ExitCode.OK;
        }
    }

    @CommandLine.Command(
            name = "load",
            description = "Load a slot; with --model, bind it first and create it if absent.")
    static final class Load extends Lifecycle {
        @Option(
                names = {"-m", "--model"},
                paramLabel = "ID")
        Optional<String> model = Optional.empty();

        @Override
        public Integer call() {
            var body = new LinkedHashMap<String, Object>();
            model.ifPresent(id -> {
                body.put("model", id);
                body.put("create", true);
            });
            return run("load", body, "Loaded");
        }
    }

    @CommandLine.Command(name = "unload", description = "Unload a slot when its requests are done.")
    static final class Unload extends Lifecycle {
        @Option(
                names = {"-f", "--force"},
                description = "End its requests instead of waiting for them.")
        boolean force;

        @Override
        public Integer call() {
            return run("unload", Map.of("force", force), "Unloaded");
        }
    }

    @CommandLine.Command(name = "restart", description = "Unload, then load with the current configuration.")
    static final class Restart extends Lifecycle {
        @Option(
                names = {"-f", "--force"},
                description = "End its requests instead of waiting for them.")
        boolean force;

        @Override
        public Integer call() {
            return run("restart", Map.of("force", force), "Restarted");
        }
    }

    @CommandLine.Command(
            name = "delete",
            aliases = {"rm", "remove"},
            description = "Unload and delete a slot.")
    static final class Delete extends Command {
        @Parameters(paramLabel = "NAME")
        String name = "";

        @Option(
                names = {"-f", "--force"},
                description = "Do not ask, and end its requests.")
        boolean force;

        @Override
        public Integer call() {
            JsonNode config = api().get("/api/slots/" + encode(name) + "/config");
            confirm("Delete slot " + name + " and its log?", force);
            JsonNode answer = api().delete("/api/slots/" + encode(name) + "?force=" + force, Duration.ofSeconds(180));
            if (isJson()) {
                console().json(answer);
            } else {
                String model = config.path("model").path("default").asString("");
                console()
                        .line("Deleted slot " + name + ". To have it back: hal0 slot create " + name + " --type "
                                + text(config, "type") + " --port " + text(config, "port")
                                + (model.isEmpty() ? "" : " --model " + model));
            }
            return ExitCode.OK;
        }
    }

    @CommandLine.Command(name = "logs", description = "The engine's output.")
    static final class Logs extends Command {
        @Parameters(paramLabel = "NAME")
        String name = "";

        @Option(
                names = {"-f", "--follow"},
                description = "Go on with new lines until Ctrl-C.")
        boolean follow;

        @Option(
                names = {"-n", "--lines"},
                paramLabel = "N",
                description = "How many old lines (default 200).")
        int lines = 200;

        @Override
        public Integer call() {
            if (!follow) {
                JsonNode answer = api().get("/api/slots/" + encode(name) + "/logs?lines=" + lines);
                if (isJson()) {
                    console().json(answer);
                } else {
                    answer.path("logs").forEach(line -> console().line(line.asString()));
                }
                return ExitCode.OK;
            }
            try (var stream =
                    api().stream("GET", "/api/slots/" + encode(name) + "/logs/stream?backfill=" + lines, null)) {
                stream.forEach(event -> {
                    console().line(isJson() ? event.data() : Json.LENIENT.readValue(event.data(), String.class));
                    if (console().isBroken()) {
                        stream.close();
                    }
                });
            }
            return ExitCode.OK;
        }
    }

    @CommandLine.Command(name = "resolved", description = "The command that a load would run now.")
    static final class Resolved extends Command {
        @Parameters(paramLabel = "NAME")
        String name = "";

        @Override
        public Integer call() {
            JsonNode answer = api().get("/api/slots/" + encode(name) + "/resolved");
            if (isJson()) {
                console().json(answer);
            } else {
                answer.path("argv").forEach(word -> console().line(word.asString()));
            }
            return ExitCode.OK;
        }
    }
}
