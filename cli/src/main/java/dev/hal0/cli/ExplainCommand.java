package dev.hal0.cli;

import picocli.CommandLine;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** Why something is as it is. */
@CommandLine.Command(
        name = "explain",
        description = "Why something is as it is.",
        subcommands = ExplainCommand.ExplainSlot.class)
final class ExplainCommand implements Runnable {
    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before the command runs
    CommandLine.Model.CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    @CommandLine.Command(name = "slot", description = "Why a slot does not run, and what would change that.")
    static final class ExplainSlot extends Command {
        @Parameters(paramLabel = "NAME")
        String name = "";

        @Override
        public Integer call() {
            JsonNode explanation = api().get("/api/slots/" + encode(name) + "/explain");
            if (isJson()) {
                console().json(explanation);
                return ExitCode.OK;
            }
            boolean runs = explanation.path("runs").asBoolean(false);
            console()
                    .line("Slot " + Console.oneLine(name) + (runs ? " runs" : " does not run") + " ("
                            + console().state(text(explanation, "state")) + ").");
            int number = 0;
            for (JsonNode reason : explanation.path("reasons")) {
                console().next(++number + ". " + Console.oneLine(text(reason, "because")));
                String change = reason.path("change").asString("");
                if (!change.isEmpty()) {
                    console().next("   " + Console.oneLine(change));
                }
            }
            return ExitCode.OK;
        }
    }
}
