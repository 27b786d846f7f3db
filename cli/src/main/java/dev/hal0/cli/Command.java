package dev.hal0.cli;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/** What every command has: where hal0 is, and whether a program or a person reads. */
abstract class Command implements Callable<Integer> {
    static final String DEFAULT_URL = "http://127.0.0.1:8080";

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before the command runs
    CommandSpec spec;

    private Main main() {
        return Main.of(spec.commandLine());
    }

    Surroundings surroundings() {
        return main().surroundings();
    }

    Console console() {
        return surroundings().console();
    }

    Api api() {
        String fromEnvironment = surroundings().environment().getOrDefault("HAL0_API_URL", "");
        String address = main().apiUrl.orElse(fromEnvironment.isBlank() ? DEFAULT_URL : fromEnvironment.strip());
        return new Api(address, surroundings().deadlines());
    }

    boolean isJson() {
        return main().json;
    }

    static String encode(String segment) {
        return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** A field as a person reads it; "-" for null, absent and empty. */
    static String text(JsonNode node, String field) {
        JsonNode value = node.path(field);
        if (value.isArray()) {
            String joined = StreamSupport.stream(value.spliterator(), false)
                    .map(element -> element.isValueNode() ? element.asString("") : element.toString())
                    .collect(Collectors.joining(","));
            return joined.isEmpty() ? "-" : joined;
        }
        if (value.isObject()) {
            return value.toString();
        }
        return value.isNull() || value.isMissingNode() || value.asString("").isEmpty() ? "-" : value.asString("");
    }

    /** A word that a shell takes as it is. */
    static String quoted(String word) {
        return word.matches("[A-Za-z0-9_./:@%+=,-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }

    /** Asks a person; a script must say it with the flag. */
    void confirm(String question, boolean agreed) {
        if (agreed) {
            return;
        }
        if (isJson() || !console().isInteractive()) {
            throw new CliFailure(
                    ExitCode.USAGE,
                    "cli.confirmation_needed",
                    question + " Nobody is here to ask.",
                    "Repeat with --force.");
        }
        String answer = console().ask(question);
        if (!answer.strip().toLowerCase(Locale.ROOT).startsWith("y")) {
            throw new CliFailure(ExitCode.FAILED, "cli.aborted", "Nothing was changed.", "");
        }
    }
}
