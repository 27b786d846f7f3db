package dev.hal0.cli;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/** What every command has: where hal0 is, and whether a program or a person reads. */
abstract class Command implements Callable<Integer> {
    @Option(names = "--json", description = "Print the API's answer as JSON and nothing else.")
    boolean json;

    @Option(
            names = "--api-url",
            paramLabel = "URL",
            description = "Where hal0 is (default: HAL0_API_URL or http://127.0.0.1:8080).")
    Optional<String> apiUrl = Optional.empty();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before the command runs
    CommandSpec spec;

    Console console() {
        return Main.console(spec.commandLine());
    }

    Api api() {
        String fromEnvironment = System.getenv().getOrDefault("HAL0_API_URL", "");
        return new Api(apiUrl.orElse(fromEnvironment.isBlank() ? "http://127.0.0.1:8080" : fromEnvironment));
    }

    boolean isJson() {
        return json;
    }

    static String encode(String segment) {
        return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
    }

    static String text(JsonNode node, String field) {
        JsonNode value = node.path(field);
        return value.isNull() || value.isMissingNode() || value.asString("").isEmpty() ? "-" : value.asString();
    }

    /** Asks a person; a script must say it with the flag. */
    void confirm(String question, boolean forced) {
        if (forced) {
            return;
        }
        if (!console().isInteractive()) {
            throw new CliFailure(
                    ExitCode.USAGE,
                    "cli.confirmation_needed",
                    question + " Nobody is here to ask.",
                    "Repeat with --force.");
        }
        console().ask(question);
        java.io.Console terminal = System.console();
        String answer = terminal == null ? null : terminal.readLine();
        if (answer == null || !answer.strip().toLowerCase(java.util.Locale.ROOT).startsWith("y")) {
            throw new CliFailure(ExitCode.FAILED, "cli.aborted", "Nothing was changed.", "");
        }
    }
}
