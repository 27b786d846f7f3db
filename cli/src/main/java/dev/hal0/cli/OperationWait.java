package dev.hal0.cli;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import tools.jackson.databind.JsonNode;

/** Follows an operation to its end and tells what it is doing. Ctrl-C leaves the operation running, and says so. */
final class OperationWait {
    /** Short, because an answer may come only at the operation's end, and its messages are wanted on the way. */
    private static final int POLL_SECONDS = 1;

    private final Api api;
    private final Surroundings surroundings;
    private final boolean quiet;

    OperationWait(Api api, Surroundings surroundings, boolean quiet) {
        this.api = api;
        this.surroundings = surroundings;
        this.quiet = quiet;
    }

    /** @return the ended operation; a failed one is thrown */
    JsonNode await(JsonNode operation) {
        String id = operation.path("id").asString("");
        var left = new AtomicBoolean();
        try (var progress = new Progress(surroundings.console(), quiet);
                var _ = surroundings.interrupts().onInterrupt(() -> {
                    left.set(true);
                    api.abort();
                })) {
            return follow(id, operation, progress, left);
        } catch (CliFailure failure) {
            throw left.get() ? leftRunning(id) : failure;
        }
    }

    private JsonNode follow(String id, JsonNode started, Progress progress, AtomicBoolean left) {
        JsonNode operation = started;
        while (operation.path("status").asString("").equals("running")) {
            if (left.get()) {
                throw leftRunning(id);
            }
            String message = operation.path("message").asString("");
            progress.say(message.equals("accepted") ? "" : message);
            operation = api.get(
                    "/api/operations/" + Command.encode(id) + "?wait=" + POLL_SECONDS,
                    Duration.ofSeconds(POLL_SECONDS));
        }
        String status = operation.path("status").asString("");
        if (status.equals("succeeded")) {
            return operation;
        }
        if (operation.path("error").isObject()) {
            throw Api.failureOf(operation.path("error"));
        }
        String message = operation.path("message").asString("");
        throw new CliFailure(
                status.equals("cancelled") ? ExitCode.CONFLICT : ExitCode.FAILED,
                "operation." + (status.isEmpty() ? "failed" : status),
                "Operation " + id + " was " + (status.isEmpty() ? "lost" : status)
                        + (message.isEmpty() ? "." : ": " + message),
                "Look with `hal0 slot list`.");
    }

    private static CliFailure leftRunning(String id) {
        return new CliFailure(
                ExitCode.TIMED_OUT,
                "cli.interrupted",
                "Stopped waiting; operation " + id + " goes on.",
                "Look with `hal0 slot list`; `hal0 slot unload NAME` ends a load.");
    }
}
