package dev.hal0.cli;

import java.time.Duration;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

/** What the box is. */
@CommandLine.Command(name = "probe", description = "What this machine is, what it has, and how much memory is left.")
final class ProbeCommand extends Command {
    /** Tools that talk to hung hardware each have their own deadline; together they may take this long. */
    private static final Duration PROBING = Duration.ofSeconds(60);

    @Option(names = "--explain", description = "Say where each value comes from.")
    boolean explain;

    @Option(names = "--again", description = "Look anew instead of showing what was found before.")
    boolean again;

    @Override
    public Integer call() {
        JsonNode hardware =
                again ? api().post("/api/hardware/probe", java.util.Map.of(), PROBING) : api().get("/api/hardware");
        if (isJson()) {
            console().json(hardware);
            return ExitCode.OK;
        }
        console().text(Console.harmless(hardware.path("card").asString("")));
        console().line(memory(hardware.path("memory")));
        if (explain) {
            console().line("");
            var table = new Table("VALUE OF", "IS", "FROM");
            for (JsonNode one : hardware.path("report").path("explanations")) {
                table.row(text(one, "field"), text(one, "value"), text(one, "source"));
            }
            table.print(console());
        }
        return ExitCode.OK;
    }

    private static String memory(JsonNode memory) {
        JsonNode headroom = memory.path("headroom_mb");
        if (!headroom.isNumber()) {
            return "FREE  unknown";
        }
        return "FREE  " + String.format(java.util.Locale.ROOT, "%.1f", headroom.asLong() / 1024.0)
                + " GiB for another model - limited by "
                + memory.path("limited_by").asString("?");
    }
}
