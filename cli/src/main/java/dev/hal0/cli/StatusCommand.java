package dev.hal0.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;

@CommandLine.Command(name = "status", description = "What runs, and what to do next.")
final class StatusCommand extends Command {
    @Override
    public Integer call() {
        JsonNode status = api().get("/api/status");
        if (isJson()) {
            console().json(status);
            return ExitCode.OK;
        }
        console()
                .line("hal0 " + text(status, "version") + " at " + api().base() + ", runtime " + text(status, "runtime")
                        + ", " + status.path("models").asInt(0) + " models");
        console().line("home " + text(status, "home"));
        console().line("");
        var rows = new ArrayList<List<String>>();
        status.path("slots").forEach(slot -> rows.add(SlotCommands.row(console(), slot)));
        console().table(SlotCommands.HEADER, rows);
        if (!text(status, "next").equals("-")) {
            console().line("");
            console().line("Next: " + text(status, "next"));
        }
        return ExitCode.OK;
    }
}
