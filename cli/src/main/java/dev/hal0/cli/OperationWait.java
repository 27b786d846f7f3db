package dev.hal0.cli;

import java.time.Duration;
import tools.jackson.databind.JsonNode;

/** Follows an operation to its end and tells what it is doing. Ctrl-C leaves the operation running, and says so. */
final class OperationWait {
    private static final int POLL_SECONDS = 1;

    private final Api api;
    private final Console console;
    private final boolean quiet;

    OperationWait(Api api, Console console, boolean quiet) {
        this.api = api;
        this.console = console;
        this.quiet = quiet;
    }

    /** @return the ended operation; a failed one is thrown */
    JsonNode await(JsonNode operation) {
        String id = operation.path("id").asString();
        var interrupted = new Thread(() -> console.note("The operation " + id + " goes on; see `hal0 status`."));
        Runtime.getRuntime().addShutdownHook(interrupted);
        try {
            return follow(id, operation);
        } finally {
            try {
                Runtime.getRuntime().removeShutdownHook(interrupted);
            } catch (IllegalStateException shuttingDown) {
                // The hook is what runs now.
            }
        }
    }

    private JsonNode follow(String id, JsonNode started) {
        JsonNode operation = started;
        String last = "";
        while (operation.path("status").asString("").equals("running")) {
            String message = operation.path("message").asString("");
            if (!quiet && !message.equals(last) && !message.equals("accepted")) {
                console.note("  " + message);
                last = message;
            }
            operation =
                    api.get("/api/operations/" + id + "?wait=" + POLL_SECONDS, Duration.ofSeconds(POLL_SECONDS + 10L));
        }
        return switch (operation.path("status").asString("")) {
            case "succeeded" -> operation;
            default -> throw Api.failureOf(operation.path("error"));
        };
    }
}
