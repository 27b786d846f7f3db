package dev.hal0.cli;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** Where a request would go. */
@CommandLine.Command(name = "route", description = "Where a request with this model name would go, and why.")
final class RouteCommand extends Command {
    @Parameters(paramLabel = "MODEL", arity = "0..1", description = "As a client would send it; none for the default.")
    String model = "";

    @Option(
            names = "--path",
            paramLabel = "PATH",
            defaultValue = "/v1/chat/completions",
            description = "The route, such as /v1/embeddings (default: ${DEFAULT-VALUE}).")
    String path = "";

    @Override
    public Integer call() {
        JsonNode found = api().get("/api/route?path=" + query(path) + "&model=" + query(model));
        boolean served = !found.path("slot").asString("").isEmpty()
                && found.path("error").isMissingNode();
        if (isJson()) {
            console().json(found);
            return served ? ExitCode.OK : ExitCode.FAILED;
        }
        int number = 0;
        for (JsonNode reason : found.path("reasons")) {
            console().line(++number + ". " + Console.oneLine(reason.asString("")));
        }
        if (served) {
            console()
                    .line("→ slot " + Console.oneLine(text(found, "slot")) + ", model "
                            + Console.oneLine(text(found, "served_model")));
        }
        return served ? ExitCode.OK : ExitCode.FAILED;
    }

    private static String query(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8);
    }
}
