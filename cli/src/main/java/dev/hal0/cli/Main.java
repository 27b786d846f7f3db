package dev.hal0.cli;

import dev.hal0.kernel.Json;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code hal0}: parses, runs, and turns every failure into one line and an exit code. */
@CommandLine.Command(name = "hal0", description = "Turns this machine into an OpenAI-compatible AI appliance.")
public final class Main implements Runnable {
    private static final Map<String, Class<?>> COMMANDS = commands();

    private final Surroundings surroundings;

    private Main(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = CommandLine.ScopeType.INHERIT,
            description = "Show this help.")
    boolean help;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Show the version.")
    boolean version;

    @Option(
            names = "--json",
            scope = CommandLine.ScopeType.INHERIT,
            description = "Print the API's answer as JSON and nothing else; errors too.")
    boolean json;

    @Option(
            names = "--api-url",
            paramLabel = "URL",
            scope = CommandLine.ScopeType.INHERIT,
            description = "Where hal0 is (default: HAL0_API_URL or " + Command.DEFAULT_URL + ").")
    Optional<String> apiUrl = Optional.empty();

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before the command runs
    CommandLine.Model.CommandSpec spec;

    private static Map<String, Class<?>> commands() {
        var commands = new LinkedHashMap<String, Class<?>>();
        commands.put("status", StatusCommand.class);
        commands.put("probe", ProbeCommand.class);
        commands.put("slot", SlotCommands.class);
        commands.put("profile", ProfileCommands.class);
        commands.put("capabilities", CapabilityCommands.class);
        commands.put("model", ModelCommands.class);
        commands.put("registry", ModelDiscoveryCommands.Registry.class);
        commands.put("explain", ExplainCommand.class);
        commands.put("route", RouteCommand.class);
        commands.put("engine", EngineCommands.class);
        commands.put("chat", ChatCommand.class);
        commands.put("requests", RequestsCommand.class);
        commands.put("transcribe", TranscribeCommand.class);
        commands.put("serve", ServeCommand.class);
        commands.put("completion", CompletionCommand.class);
        commands.put("version", VersionCommand.class);
        commands.put("train", TrainCommand.class);
        return commands;
    }

    public static void main(String[] arguments) {
        System.exit(run(Surroundings.ofThisProcess(), Arguments.asTyped(arguments)));
    }

    static int run(Surroundings surroundings, String... arguments) {
        int exit = commandLine(surroundings, arguments).execute(arguments);
        // `hal0 slot list | head` is no failure.
        return surroundings.console().isBroken() && exit == ExitCode.FAILED ? ExitCode.OK : exit;
    }

    /** Reading the annotations of all commands takes longer than running one, so only the named one's are read. */
    static CommandLine commandLine(Surroundings surroundings, String... arguments) {
        Class<?> named = arguments.length == 0 ? null : COMMANDS.get(arguments[0]);
        var command = new CommandLine(new Main(surroundings));
        if (named == null) {
            COMMANDS.values().forEach(command::addSubcommand);
        } else {
            command.addSubcommand(named);
        }
        Console console = surroundings.console();
        command.getCommandSpec().version("hal0 " + version());
        command.setExecutionStrategy(new CommandLine.RunLast());
        // "@name" is something that people say.
        command.setExpandAtFiles(false);
        command.setOut(console.writer());
        command.setErr(console.errorWriter());
        CommandLine.IParameterExceptionHandler usage = command.getParameterExceptionHandler();
        command.setParameterExceptionHandler((failure, given) -> {
            if (!List.of(given).contains("--json")) {
                return usage.handleParseException(failure, given);
            }
            console.json(
                    new CliFailure(ExitCode.USAGE, "cli.usage", String.valueOf(failure.getMessage()), "").document());
            return ExitCode.USAGE;
        });
        command.setExecutionExceptionHandler((failure, failed, parsed) -> report(failure, of(failed)));
        return command;
    }

    /** The root of a command. */
    static Main of(CommandLine command) {
        CommandLine root = command;
        while (root.getParent() != null) {
            root = root.getParent();
        }
        return root.getCommand();
    }

    Surroundings surroundings() {
        return surroundings;
    }

    private static int report(Exception failure, Main main) {
        Console console = main.surroundings.console();
        CliFailure known = failure instanceof CliFailure cli
                ? cli
                : new CliFailure(ExitCode.FAILED, "cli.defect", "Unexpected: " + failure, "");
        if (console.isBroken()) {
            return known.exitCode();
        }
        if (main.json) {
            console.json(known.document());
        } else {
            tell(known, console);
        }
        return known.exitCode();
    }

    /** For a person: what happened, and what to do. */
    static void tell(CliFailure failure, Console console) {
        console.note("Error: " + Console.harmless(failure.message()));
        if (!failure.remedy().isEmpty()) {
            console.note("       " + Console.harmless(failure.remedy()));
        }
    }

    static String version() {
        String stamped = Main.class.getPackage().getImplementationVersion();
        return stamped == null ? "0.1.0-dev" : stamped;
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    @CommandLine.Command(name = "version", description = "Show the version of this command.")
    static final class VersionCommand extends Command {
        @Override
        public Integer call() {
            if (isJson()) {
                console()
                        .json(Json.LENIENT
                                .createObjectNode()
                                .put("name", "hal0")
                                .put("version", version()));
            } else {
                console().line("hal0 " + version());
            }
            return ExitCode.OK;
        }
    }

    @CommandLine.Command(
            name = "serve",
            description = "Run the control plane: hal0 serve [--host ADDRESS] [--port PORT].")
    static final class ServeCommand implements Runnable {
        @CommandLine.Unmatched
        List<String> rest = new ArrayList<>();

        @Override
        public void run() {
            throw new CliFailure(
                    ExitCode.USAGE, "cli.serve", "The control plane is started by the launcher.", "Run `hal0 serve`.");
        }
    }

    @CommandLine.Command(name = "train", hidden = true)
    static final class TrainCommand extends Command {
        @Override
        public Integer call() throws IOException {
            Training.run();
            return ExitCode.OK;
        }
    }

    @CommandLine.Command(
            name = "completion",
            description = "Print a completion script: source <(hal0 completion bash).")
    static final class CompletionCommand extends Command {
        @Parameters(
                paramLabel = "SHELL",
                arity = "0..1",
                defaultValue = "bash",
                description = "bash or zsh: one script serves both.")
        String shell = "bash";

        @Override
        public Integer call() {
            if (!shell.equals("bash") && !shell.equals("zsh")) {
                throw new CliFailure(
                        ExitCode.USAGE,
                        "cli.unknown_shell",
                        "No completion for '" + shell + "'; there is bash and zsh.",
                        "");
            }
            console().text(AutoComplete.bash("hal0", commandLine(surroundings())));
            return ExitCode.OK;
        }
    }
}
