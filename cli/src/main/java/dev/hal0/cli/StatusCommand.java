package dev.hal0.cli;

import picocli.CommandLine;
import tools.jackson.databind.JsonNode;

@CommandLine.Command(name = "status", description = "What runs, and what to do next.")
final class StatusCommand extends Command {
    @Override
    public Integer call() {
        Api api = api();
        JsonNode status = api.get("/api/status");
        if (isJson()) {
            console().json(status);
            return ExitCode.OK;
        }
        int models = status.path("models").asInt(0);
        console()
                .line(Console.oneLine("hal0 " + text(status, "version") + " at " + api.base() + ", runtime "
                        + text(status, "runtime") + ", " + models + (models == 1 ? " model" : " models")));
        console().line(Console.oneLine("home " + text(status, "home")));
        console().line("");
        SlotCommands.table(status.path("slots")).print(console());
        if (!text(status, "next").equals("-")) {
            console().line("");
            console().line("Next: " + Console.oneLine(text(status, "next")));
        }
        return ExitCode.OK;
    }
}
