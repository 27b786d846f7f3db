package dev.hal0.cli;

import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** The bodies of requests and answers, while somebody wants to see them. */
@CommandLine.Command(
        name = "capture",
        description = {
            "What a client really sends and gets: redacted, in memory, for a limited time.",
            "Without ID and options: whether it is on."
        })
final class CaptureCommand extends Command {
    @Parameters(paramLabel = "ID", arity = "0..1", description = "Show this captured request and its answer.")
    String id = "";

    @ArgGroup
    @Nullable
    Switch wanted;

    /** One or neither. */
    static final class Switch {
        @Option(names = "--minutes", paramLabel = "N", description = "Capture for so long, 1 to 60.")
        int minutes;

        @Option(names = "--off", description = "Stop, and forget what was captured.")
        boolean off;
    }

    @Override
    public Integer call() {
        if (!id.isEmpty()) {
            if (wanted != null) {
                throw new CliFailure(ExitCode.USAGE, "cli.usage", "An ID and an option do not go together.", "");
            }
            JsonNode captured = api().get("/api/captures/" + encode(id));
            if (isJson()) {
                console().json(captured);
            } else {
                tell(captured);
            }
            return ExitCode.OK;
        }
        JsonNode status = change();
        if (isJson()) {
            console().json(status);
        } else {
            String until = text(status, "until");
            console()
                    .line((until.equals("-") ? "Off" : "On until " + until) + "; " + text(status, "kept")
                            + " captured requests can be read.");
            if (wanted != null && !wanted.off) {
                console().next("See `hal0 requests` for ids, then: hal0 requests capture ID");
            }
        }
        return ExitCode.OK;
    }

    private JsonNode change() {
        if (wanted == null) {
            return api().get("/api/captures");
        }
        return wanted.off
                ? api().delete("/api/captures", Duration.ofSeconds(30))
                : api().put("/api/captures", Map.of("minutes", wanted.minutes));
    }

    private void tell(JsonNode captured) {
        console()
                .line(Console.oneLine(
                        text(captured, "at") + "  " + text(captured, "route") + "  " + text(captured, "status")));
        part("request", captured.path("request"));
        part("answer", captured.path("response"));
    }

    private void part(String name, JsonNode part) {
        String words = part.path("text").asString("");
        long bytes = part.path("bytes").asLong(0);
        console().line("");
        console().line("-- " + name + ", " + bytes + " bytes" + (words.isEmpty() && bytes > 0 ? ", not kept" : ""));
        words.lines().forEach(line -> console().line(Console.harmless(line)));
    }
}
