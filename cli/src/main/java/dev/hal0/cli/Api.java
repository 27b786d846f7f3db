package dev.hal0.cli;

import dev.hal0.kernel.Json;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** Calls the control plane. Used by one thread, except {@link #abort}. */
final class Api {
    private final String base;
    private final Deadlines deadlines;
    private volatile @Nullable HttpCall running;

    Api(String base, Deadlines deadlines) {
        this.base = base.replaceAll("/+$", "");
        this.deadlines = deadlines;
    }

    String base() {
        return base;
    }

    JsonNode get(String path) {
        return call("GET", path, null, deadlines.answer());
    }

    /** @param thinking what the server was asked to wait, on top of the time every answer has */
    JsonNode get(String path, Duration thinking) {
        return call("GET", path, null, deadlines.answer().plus(thinking));
    }

    JsonNode post(String path, Object body) {
        return call("POST", path, body, deadlines.answer());
    }

    /** @param thinking how long the server may take, on top of the time every answer has */
    JsonNode post(String path, Object body, Duration thinking) {
        return call("POST", path, body, deadlines.answer().plus(thinking));
    }

    JsonNode put(String path, Object body) {
        return call("PUT", path, body, deadlines.answer());
    }

    /** @param thinking how long the server may take, on top of the time every answer has */
    JsonNode delete(String path, Duration thinking) {
        return call("DELETE", path, null, deadlines.answer().plus(thinking));
    }

    /** Ends the call in progress, if there is one, by closing its connection. From any thread. */
    void abort() {
        HttpCall call = running;
        if (call != null) {
            call.close();
        }
    }

    /**
     * Sends a form and gives the answer as it came.
     *
     * @param thinking how long the server may take, on top of the time every answer has
     */
    String postForm(String path, HttpCall.Content form, Duration thinking) {
        return new String(exchange("POST", path, form, deadlines.answer().plus(thinking)), StandardCharsets.UTF_8);
    }

    private JsonNode call(String method, String path, @Nullable Object body, Duration time) {
        byte[] answer = exchange(method, path, content(body), time);
        try {
            return answer.length == 0 ? Json.LENIENT.createObjectNode() : Json.LENIENT.readTree(answer);
        } catch (JacksonException notJson) {
            throw notHal0();
        }
    }

    private byte[] exchange(String method, String path, HttpCall.@Nullable Content body, Duration time) {
        try (HttpCall call = new HttpCall(uri(path), deadlines)) {
            running = call;
            int status = call.send(method, body, "application/json", time, false);
            byte[] answer = call.body().readAllBytes();
            if (status >= 300) {
                throw failure(method, path, status, answer);
            }
            return answer;
        } catch (IOException failure) {
            throw broken(failure, method);
        } finally {
            running = null;
        }
    }

    /** One event of a stream. */
    record StreamEvent(String name, String data) {
        JsonNode json() {
            try {
                return Json.LENIENT.readTree(data);
            } catch (JacksonException notJson) {
                throw new CliFailure(
                        ExitCode.FAILED, "cli.stream_garbled", "The stream carries something that is not JSON.", "");
            }
        }
    }

    /** A stream that can be ended at any moment, also before the server has said anything. */
    final class EventStream implements AutoCloseable {
        private final HttpCall call;
        private final String method;
        private final String path;
        private final HttpCall.@Nullable Content body;
        private volatile boolean stopped;

        private EventStream(String method, String path, HttpCall.@Nullable Content body) {
            this.call = new HttpCall(uri(path), deadlines);
            this.method = method;
            this.path = path;
            this.body = body;
        }

        /** Sends the request and reads to the end. Returns normally if {@link #close} was the end. */
        void forEach(Consumer<StreamEvent> consumer) {
            boolean answered = false;
            try {
                int status = call.send(method, body, "text/event-stream", deadlines.silence(), true);
                answered = true;
                if (status >= 300) {
                    throw failure(method, path, status, call.body().readAllBytes());
                }
                ServerSentEvents.read(call.body(), consumer);
            } catch (IOException failure) {
                if (stopped) {
                    return;
                }
                throw answered ? streamBroken(failure) : broken(failure, method);
            } finally {
                call.close();
            }
        }

        /** Whether {@link #close} ended it, not its own end. */
        boolean isStopped() {
            return stopped;
        }

        /** From any thread, at any moment. */
        @Override
        public void close() {
            stopped = true;
            call.close();
        }
    }

    EventStream stream(String method, String path, @Nullable Object body) {
        return new EventStream(method, path, content(body));
    }

    private URI uri(String path) {
        try {
            var uri = new URI(base + path);
            String scheme = String.valueOf(uri.getScheme());
            if (uri.getHost() != null && (scheme.equalsIgnoreCase("http") || scheme.equalsIgnoreCase("https"))) {
                return uri;
            }
        } catch (URISyntaxException notOne) {
            // refused below
        }
        throw new CliFailure(
                ExitCode.USAGE,
                "cli.bad_url",
                "'" + base + "' is not an http:// or https:// address.",
                "Correct --api-url or HAL0_API_URL; the default is " + Command.DEFAULT_URL + ".");
    }

    private static HttpCall.@Nullable Content content(@Nullable Object body) {
        return body == null ? null : HttpCall.Content.json(Json.STRICT.writeValueAsBytes(body));
    }

    private CliFailure failure(String method, String path, int status, byte[] bytes) {
        try {
            JsonNode document = Json.LENIENT.readTree(bytes);
            if (document.path("error").isObject()) {
                return failureOf(document, ExitCode.ofStatus(status));
            }
        } catch (JacksonException notJson) {
            // told below with the status
        }
        String text = new String(bytes, StandardCharsets.UTF_8).strip();
        return new CliFailure(
                ExitCode.ofStatus(status),
                "http." + status,
                method + " " + base + path + " answered " + status + (text.isEmpty() ? "." : ": ")
                        + text.substring(0, Math.min(300, text.length())),
                "");
    }

    private static CliFailure failureOf(JsonNode document, int exitCode) {
        JsonNode error = document.path("error");
        String message = error.path("message").asString("");
        return new CliFailure(
                exitCode,
                error.path("code").asString(""),
                message.isEmpty() ? "hal0 gave no reason." : message,
                error.path("details").path("remedy").asString(""),
                document);
    }

    /** Of an {@code error} object that came without a status: in an event, or in an operation. */
    static CliFailure failureOf(JsonNode error) {
        int status = Optional.of(error.path("code").asString(""))
                .flatMap(dev.hal0.kernel.ErrorCode::of)
                .map(dev.hal0.kernel.ErrorCode::status)
                .orElse(500);
        return failureOf(Json.LENIENT.valueToTree(Map.of("error", error)), ExitCode.ofStatus(status));
    }

    private CliFailure notHal0() {
        return new CliFailure(
                ExitCode.FAILED,
                "cli.not_hal0",
                "What answers at " + base + " is not hal0.",
                "Check --api-url or HAL0_API_URL.");
    }

    private static CliFailure streamBroken(IOException failure) {
        return new CliFailure(
                failure instanceof SocketTimeoutException ? ExitCode.TIMED_OUT : ExitCode.FAILED,
                "cli.stream_broken",
                "The stream broke off: " + failure.getMessage() + ".",
                "Try again.");
    }

    private CliFailure broken(IOException failure, String method) {
        String start = "Start it with `hal0 serve`, or name another one with --api-url or HAL0_API_URL.";
        return switch (failure) {
            case HttpCall.NotConnected absent ->
                new CliFailure(
                        ExitCode.UNREACHABLE,
                        "cli.unreachable",
                        "hal0 is not running at " + base + " (" + absent.getMessage() + ").",
                        start);
            case HttpCall.NotHttp other -> notHal0();
            case SocketTimeoutException late ->
                new CliFailure(
                        ExitCode.TIMED_OUT,
                        "cli.timed_out",
                        "hal0 at " + base + " did not answer in time"
                                + (method.equals("GET") ? "." : "; whether it did what was asked is unknown."),
                        "Look with `hal0 status`.");
            default ->
                new CliFailure(
                        ExitCode.UNREACHABLE,
                        "cli.unreachable",
                        "The connection to hal0 at " + base + " broke (" + failure.getMessage() + ")"
                                + (method.equals("GET") ? "." : "; whether it did what was asked is unknown."),
                        start);
        };
    }
}
