package dev.hal0.cli;

import dev.hal0.kernel.Json;
import java.time.Duration;
import java.util.LinkedHashMap;
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
    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before the command runs
    CommandLine.Model.CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    static Table table(JsonNode slots) {
        var table = new Table("NAME", "STATE", "MODEL", "ENGINE", "PORT", "MEMORY", "MESSAGE");
        for (JsonNode slot : slots) {
            String message = Command.text(slot, "message");
            String dirty = slot.path("config_dirty").asBoolean(false) ? "config changed: restart to apply" : "";
            table.row(
                    Command.text(slot, "name"),
                    Command.text(slot, "state"),
                    Command.text(slot, "model"),
                    Command.text(slot, "engine"),
                    Command.text(slot, "port"),
                    Console.size(slot.path("memory_bytes").asLong(0)),
                    message.equals("-") ? dirty : message);
        }
        return table;
    }

    @CommandLine.Command(name = "list", aliases = "ls", description = "All slots.")
    static final class ListSlots extends Command {
        @Override
        public Integer call() {
            JsonNode slots = api().get("/api/slots");
            if (isJson()) {
                console().json(slots);
            } else {
                table(slots).print(console());
                if (slots.isEmpty()) {
                    console().note("No slots yet. Next: hal0 slot create NAME");
                }
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
                    field("%-14s %s", entry);
                }
            });
            console().line("");
            console().line("config");
            config.properties().forEach(entry -> field("  %-12s %s", entry));
            return ExitCode.OK;
        }

        private void field(String format, Map.Entry<String, JsonNode> entry) {
            JsonNode value = entry.getValue();
            String text = value.isValueNode() ? value.asString("") : Json.LENIENT.writeValueAsString(value);
            console().line(String.format(format, entry.getKey(), Console.oneLine(text)));
        }
    }

    @CommandLine.Command(name = "create", aliases = "add", description = "Create a slot; starts nothing.")
    static final class Create extends Command {
        @Parameters(paramLabel = "NAME")
        String name = "";

        @Option(
                names = {"-t", "--type"},
                paramLabel = "TYPE",
                description = "llm, embedding, reranking, … (default llm).")
        Optional<String> type = Optional.empty();

        @Option(
                names = {"-m", "--model"},
                paramLabel = "ID")
        Optional<String> model = Optional.empty();

        @Option(
                names = "--device",
                paramLabel = "DEVICE",
                description = "cpu, gpu-vulkan, gpu-rocm, gpu-cuda (default: hal0's choice).")
        Optional<String> device = Optional.empty();

        @Option(
                names = {"-p", "--port"},
                paramLabel = "PORT")
        Optional<Integer> port = Optional.empty();

        @Option(names = "--ctx-size", paramLabel = "TOKENS", description = "Context of one request.")
        Optional<Integer> contextSize = Optional.empty();

        @Option(names = "--parallel", paramLabel = "N", description = "Requests at once (default 1).")
        Optional<Integer> parallel = Optional.empty();

        @Option(names = "--profile", paramLabel = "NAME", description = "hal0 profile list shows them.")
        Optional<String> profile = Optional.empty();

        @Option(names = "--default", description = "What requests of its type go to when they name no slot.")
        boolean isDefault;

        @Override
        public Integer call() {
            var body = new LinkedHashMap<String, Object>();
            body.put("name", name);
            type.ifPresent(word -> body.put("type", word));
            device.ifPresent(word -> body.put("device", word));
            parallel.ifPresent(number -> body.put("parallel", number));
            model.ifPresent(id -> body.put("model", id));
            profile.ifPresent(word -> body.put("profile", word));
            port.ifPresent(number -> body.put("port", number));
            contextSize.ifPresent(tokens -> body.put("context_size", tokens));
            if (isDefault) {
                body.put("default", true);
            }
            JsonNode slot = api().post("/api/slots", body);
            if (isJson()) {
                console().json(slot);
            } else {
                console()
                        .next("Created slot " + name + " on port " + text(slot, "port")
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
            JsonNode operation = new OperationWait(api, surroundings(), isJson()).await(accepted.path("operation"));
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

        @Option(
                names = {"-f", "--force"},
                description = "Load it although it does not fit beside what is loaded.")
        boolean force;

        @Override
        public Integer call() {
            var body = new LinkedHashMap<String, Object>();
            if (force) {
                body.put("force", true);
            }
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
        /** The server waits that long for requests that are inside. */
        private static final Duration LONGEST_DRAIN = Duration.ofSeconds(150);

        @Parameters(paramLabel = "NAME")
        String name = "";

        @Option(
                names = {"-f", "--force"},
                description = "Do not ask, and end its requests instead of waiting for them.")
        boolean force;

        @Option(
                names = {"-y", "--yes"},
                description = "Do not ask; its requests are waited for.")
        boolean yes;

        @Override
        public Integer call() {
            Api api = api();
            JsonNode config = api.get("/api/slots/" + encode(name) + "/config");
            confirm("Delete slot " + name + " and its log?", force || yes);
            JsonNode answer = api.delete("/api/slots/" + encode(name) + "?force=" + force, LONGEST_DRAIN);
            if (isJson()) {
                console().json(answer);
            } else {
                console().next("Deleted slot " + name + ". To have it back: " + undo(name, config));
            }
            return ExitCode.OK;
        }

        private static String undo(String name, JsonNode config) {
            var command = new StringBuilder("hal0 slot create ").append(name);
            option(command, "--type", config.path("type"));
            option(command, "--device", config.path("device"));
            option(command, "--port", config.path("port"));
            option(command, "--profile", config.path("profile"));
            option(command, "--model", config.path("model").path("default"));
            option(command, "--ctx-size", config.path("model").path("context_size"));
            option(command, "--parallel", config.path("parallel"));
            return command.append(config.path("default").asBoolean(false) ? " --default" : "")
                    .toString();
        }

        private static void option(StringBuilder command, String option, JsonNode value) {
            String word = Console.oneLine(value.asString(""));
            if (!word.isEmpty()) {
                command.append(' ').append(option).append(' ').append(quoted(word));
            }
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
                description = "How many old lines, 1 to 5000 (default 200).")
        int lines = 200;

        @Override
        public Integer call() {
            if (lines < 1 || lines > 5000) {
                throw new CliFailure(ExitCode.USAGE, "cli.usage", "--lines must be 1 to 5000, not " + lines + ".", "");
            }
            if (follow) {
                follow();
                return ExitCode.OK;
            }
            JsonNode answer = api().get("/api/slots/" + encode(name) + "/logs?lines=" + lines);
            if (isJson()) {
                console().json(answer);
            } else {
                answer.path("logs").forEach(line -> console().line(console().foreign(line.asString(""))));
            }
            return ExitCode.OK;
        }

        /** In JSON mode a JSON string for each line. */
        private void follow() {
            try (var stream =
                    api().stream("GET", "/api/slots/" + encode(name) + "/logs/stream?backfill=" + lines, null)) {
                stream.forEach(event -> {
                    if (event.name().equals("error")) {
                        throw Api.failureOf(event.json().path("error"));
                    }
                    console()
                            .line(
                                    isJson()
                                            ? event.data()
                                            : console().foreign(event.json().asString("")));
                    if (console().isBroken()) {
                        stream.close();
                    }
                });
            }
        }
    }

    @CommandLine.Command(
            name = "resolved",
            description = "The command that a load would run now, and where its flags come from.")
    static final class Resolved extends Command {
        @Parameters(paramLabel = "NAME")
        String name = "";

        @Override
        public Integer call() {
            JsonNode answer = api().get("/api/slots/" + encode(name) + "/resolved");
            if (isJson()) {
                console().json(answer);
            } else {
                // The program and what starts it, which has no flags of the engine's.
                int own = answer.path("argv").size();
                for (JsonNode argument : answer.path("arguments")) {
                    own -= 1 + argument.path("values").size();
                }
                for (int i = 0; i < own; i++) {
                    console().line(console().foreign(answer.path("argv").path(i).asString("")));
                }
                var table = new Table("FLAG", "VALUE", "FROM");
                for (JsonNode argument : answer.path("arguments")) {
                    var values = new java.util.ArrayList<String>();
                    argument.path("values").forEach(value -> values.add(value.asString("")));
                    table.row(
                            console().foreign(argument.path("flag").asString("")),
                            console().foreign(String.join(" ", values)),
                            console().foreign(argument.path("source").asString("")));
                }
                table.print(console());
            }
            return ExitCode.OK;
        }
    }
}
