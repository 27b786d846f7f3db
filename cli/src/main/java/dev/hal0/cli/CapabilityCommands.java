package dev.hal0.cli;

import java.util.LinkedHashMap;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

@CommandLine.Command(
        name = "capabilities",
        description = "What this box does beside chat, and with which model.",
        subcommands = {CapabilityCommands.ListCapabilities.class, CapabilityCommands.Set.class})
final class CapabilityCommands implements Runnable {
    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before the command runs
    CommandLine.Model.CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    @CommandLine.Command(name = "list", aliases = "ls", description = "All capabilities.")
    static final class ListCapabilities extends Command {
        @Override
        public Integer call() {
            JsonNode answer = api().get("/api/capabilities");
            if (isJson()) {
                console().json(answer);
                return ExitCode.OK;
            }
            var table = new Table("CAPABILITY", "ON", "MODEL", "DEVICE", "SLOT", "STATE", "NOTE");
            for (JsonNode selection : answer.path("selections")) {
                table.row(
                        text(selection, "group") + "/" + text(selection, "child"),
                        selection.path("enabled").asBoolean(false) ? "yes" : "no",
                        text(selection, "model"),
                        text(selection, "device"),
                        text(selection, "slot"),
                        text(selection, "status"),
                        text(selection, "differs"));
            }
            table.print(console());
            if (!text(answer, "problem").equals("-")) {
                console().note("capabilities.toml is not in force: " + Console.harmless(text(answer, "problem")));
            }
            return ExitCode.OK;
        }
    }

    @CommandLine.Command(name = "set", description = "Choose: hal0 capabilities set voice/stt --model ID --on.")
    static final class Set extends Command {
        @Parameters(paramLabel = "GROUP/CHILD")
        String pair = "";

        @Option(
                names = {"-m", "--model"},
                paramLabel = "ID",
                description = "Empty for none.")
        Optional<String> model = Optional.empty();

        @Option(names = "--device", paramLabel = "DEVICE", description = "cpu, gpu-vulkan, gpu-rocm, gpu-cuda, npu.")
        Optional<String> device = Optional.empty();

        @ArgGroup
        @Nullable
        Switch wanted;

        /** One or neither. */
        static final class Switch {
            @Option(names = "--on", description = "Switch it on.")
            boolean on;

            @Option(names = "--off", description = "Switch it off.")
            boolean off;
        }

        @Override
        public Integer call() {
            String[] words = pair.split("/", -1);
            if (words.length != 2) {
                throw new CliFailure(
                        ExitCode.USAGE,
                        "cli.usage",
                        "'" + pair + "' is no capability.",
                        "`hal0 capabilities list` shows them.");
            }
            var body = new LinkedHashMap<String, Object>();
            model.ifPresent(id -> body.put("model", id));
            device.ifPresent(word -> body.put("device", word));
            if (wanted != null) {
                body.put("enabled", wanted.on);
            }
            JsonNode answer = api().post("/api/capabilities/" + encode(words[0]) + "/" + encode(words[1]), body);
            if (isJson()) {
                console().json(answer);
                return ExitCode.OK;
            }
            JsonNode selection = answer.path("selection");
            console()
                    .next(Console.oneLine(
                            pair + " is " + (selection.path("enabled").asBoolean(false) ? "on" : "off") + ", model "
                                    + text(selection, "model") + ", slot " + text(selection, "slot") + "."));
            if (!text(answer, "lifecycle_problem").equals("-")) {
                console().note("It could not be started: " + Console.harmless(text(answer, "lifecycle_problem")));
            }
            if (answer.path("pending_reload").asBoolean(false)) {
                console().note("Restart the NPU's chat slot to apply it.");
            }
            return ExitCode.OK;
        }
    }
}
