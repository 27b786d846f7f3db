package dev.hal0.cli;

import java.util.List;
import java.util.Optional;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code hal0}: parses, runs, and turns every failure into one line and an exit code. */
@CommandLine.Command(
        name = "hal0",
        description = "Turns this machine into an OpenAI-compatible AI appliance.",
        subcommands = {
            StatusCommand.class,
            SlotCommands.class,
            ModelCommands.class,
            EngineCommands.class,
            ChatCommand.class,
            Main.ServeCommand.class,
            Main.CompletionCommand.class,
            Main.TrainCommand.class
        })
public final class Main implements Runnable {
    private final Console console;

    private Main(Console console) {
        this.console = console;
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

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before the command runs
    CommandLine.Model.CommandSpec spec;

    public static void main(String[] arguments) {
        System.exit(run(Console.ofThisProcess(), arguments));
    }

    static int run(Console console, String... arguments) {
        CommandLine command = commandLine(console);
        int exit = command.execute(arguments);
        // `hal0 slot list | head` is no failure.
        return console.isBroken() && exit == ExitCode.FAILED ? ExitCode.OK : exit;
    }

    static CommandLine commandLine(Console console) {
        var command = new CommandLine(new Main(console));
        command.getCommandSpec().version("hal0 " + version());
        command.setExecutionStrategy(new CommandLine.RunLast());
        command.setOut(console.writer());
        command.setErr(console.errorWriter());
        CommandLine.IParameterExceptionHandler usage = command.getParameterExceptionHandler();
        command.setParameterExceptionHandler((failure, arguments) -> {
            if (!List.of(arguments).contains("--json")) {
                return usage.handleParseException(failure, arguments);
            }
            console.json(
                    new CliFailure(ExitCode.USAGE, "cli.usage", String.valueOf(failure.getMessage()), "").document());
            return ExitCode.USAGE;
        });
        command.setExecutionExceptionHandler((failure, failed, parsed) -> report(failure, failed, console));
        return command;
    }

    static Console console(CommandLine command) {
        CommandLine root = command;
        while (root.getParent() != null) {
            root = root.getParent();
        }
        return ((Main) root.getCommand()).console;
    }

    private static int report(Exception failure, CommandLine failed, Console console) {
        CliFailure known = failure instanceof CliFailure cli
                ? cli
                : new CliFailure(ExitCode.FAILED, "cli.defect", "Unexpected: " + failure, "");
        boolean json = failed.getCommand() instanceof Command command && command.isJson();
        if (json) {
            console.json(known.document());
        } else {
            console.note("Error: " + known.getMessage());
            if (!known.remedy().isEmpty()) {
                console.note("       " + known.remedy());
            }
        }
        return known.exitCode();
    }

    private static String version() {
        String stamped = Main.class.getPackage().getImplementationVersion();
        return stamped == null ? "0.1.0-dev" : stamped;
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    @CommandLine.Command(
            name = "serve",
            description = "Run the control plane: hal0 serve [--host ADDRESS] [--port PORT].")
    static final class ServeCommand implements Runnable {
        @Parameters(hidden = true, arity = "0..*")
        Optional<String[]> rest = Optional.empty();

        @Override
        public void run() {
            throw new CliFailure(
                    ExitCode.USAGE,
                    "cli.serve",
                    "The control plane is started by the launcher.",
                    "Run `./hal0 serve`.");
        }
    }

    /** Uses what every command uses, once: the run from which the JVM's class cache is made. */
    @CommandLine.Command(name = "train", hidden = true)
    static final class TrainCommand extends Command {
        @Override
        public Integer call() {
            var node = dev.hal0.kernel.Json.LENIENT.readTree("{\"name\":\"chat\",\"port\":8081,\"memory_bytes\":1}");
            console().table(SlotCommands.HEADER, java.util.List.of(SlotCommands.row(console(), node)));
            console().json(node);
            new Api("http://127.0.0.1:1").get("/api/slots");
            return ExitCode.OK;
        }
    }

    @CommandLine.Command(
            name = "completion",
            description = "Print a completion script: source <(hal0 completion).",
            mixinStandardHelpOptions = false)
    static final class CompletionCommand implements Runnable {
        @Parameters(paramLabel = "SHELL", defaultValue = "bash", description = "bash or zsh: one script serves both.")
        String shell = "bash";

        @CommandLine.Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it before the command runs
        CommandLine.Model.CommandSpec spec;

        @Override
        public void run() {
            if (!shell.equals("bash") && !shell.equals("zsh")) {
                throw new CliFailure(
                        ExitCode.USAGE,
                        "cli.unknown_shell",
                        "No completion for '" + shell + "'; there is bash and zsh.",
                        "");
            }
            CommandLine root = spec.root().commandLine();
            console(root).text(AutoComplete.bash("hal0", root));
        }
    }
}
