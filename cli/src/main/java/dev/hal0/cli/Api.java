package dev.hal0.cli;

import dev.hal0.kernel.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.HttpURLConnection;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * Calls the control plane. HttpURLConnection, because a command lives for a moment and the JDK's other client takes longer to
 * start than most commands take to run.
 */
final class Api {
    private static final Duration CONNECT = Duration.ofSeconds(3);
    private static final Duration ANSWER = Duration.ofSeconds(30);

    /** The server sends a comment every 15 s: longer silence is a dead connection. */
    private static final Duration STREAM_SILENCE = Duration.ofSeconds(45);

    static {
        // Otherwise a POST whose connection breaks is silently sent a second time.
        System.setProperty("sun.net.http.retryPost", "false");
    }

    private final String base;

    Api(String base) {
        this.base = base.endsWith("/") ? base.substring(0, base.length() - 1) : base;
    }

    String base() {
        return base;
    }

    JsonNode get(String path) {
        return call("GET", path, null, ANSWER);
    }

    /** @param patience how long the server may think */
    JsonNode get(String path, Duration patience) {
        return call("GET", path, null, patience);
    }

    JsonNode post(String path, Object body) {
        return call("POST", path, body, ANSWER);
    }

    /** @param patience how long the server may think */
    JsonNode post(String path, Object body, Duration patience) {
        return call("POST", path, body, patience);
    }

    JsonNode put(String path, Object body) {
        return call("PUT", path, body, ANSWER);
    }

    JsonNode delete(String path, Duration patience) {
        return call("DELETE", path, null, patience);
    }

    private JsonNode call(String method, String path, @Nullable Object body, Duration patience) {
        try {
            HttpURLConnection connection = open(method, path, patience);
            send(connection, body);
            int status = connection.getResponseCode();
            byte[] bytes = read(connection, status);
            if (status >= 400) {
                throw failure(method, path, status, bytes);
            }
            return bytes.length == 0 ? Json.LENIENT.createObjectNode() : Json.LENIENT.readTree(bytes);
        } catch (IOException failure) {
            throw unreachable(failure);
        } catch (JacksonException notOurs) {
            throw new CliFailure(
                    ExitCode.FAILED,
                    "cli.not_hal0",
                    "What answers at " + base + " is not hal0.",
                    "Check HAL0_API_URL.");
        }
    }

    /** One event of a stream. */
    record StreamEvent(String name, String data) {}

    /** An open stream: close it to end it from another thread. */
    interface OpenStream extends AutoCloseable {
        /** Reads to the end. */
        void forEach(Consumer<StreamEvent> consumer);

        @Override
        void close();
    }

    OpenStream stream(String method, String path, @Nullable Object body) {
        try {
            HttpURLConnection connection = open(method, path, STREAM_SILENCE);
            connection.setRequestProperty("Accept", "text/event-stream");
            send(connection, body);
            int status = connection.getResponseCode();
            if (status >= 400) {
                throw failure(method, path, status, read(connection, status));
            }
            return new Stream(connection);
        } catch (IOException failure) {
            throw unreachable(failure);
        }
    }

    private final class Stream implements OpenStream {
        private final HttpURLConnection connection;
        private volatile boolean closed;

        Stream(HttpURLConnection connection) {
            this.connection = connection;
        }

        @Override
        public void forEach(Consumer<StreamEvent> consumer) {
            try (var reader =
                    new BufferedReader(new InputStreamReader(connection.getInputStream(), StandardCharsets.UTF_8))) {
                String name = "message";
                var data = new StringBuilder();
                String line;
                while ((line = reader.readLine()) != null) {
                    if (line.isEmpty()) {
                        if (!data.isEmpty()) {
                            consumer.accept(new StreamEvent(name, data.toString()));
                        }
                        name = "message";
                        data.setLength(0);
                    } else if (line.startsWith("data:")) {
                        data.append(data.isEmpty() ? "" : "\n")
                                .append(line.substring(5).stripLeading());
                    } else if (line.startsWith("event:")) {
                        name = line.substring(6).strip();
                    }
                }
            } catch (IOException broken) {
                if (!closed) {
                    throw new CliFailure(
                            broken instanceof SocketTimeoutException ? ExitCode.TIMED_OUT : ExitCode.FAILED,
                            "cli.stream_broken",
                            "The stream broke off: " + broken.getMessage(),
                            "Try again.");
                }
            }
        }

        @Override
        public void close() {
            closed = true;
            connection.disconnect();
        }
    }

    private HttpURLConnection open(String method, String path, Duration patience) throws IOException {
        URI uri;
        try {
            uri = URI.create(base + path);
        } catch (IllegalArgumentException notAUrl) {
            throw new CliFailure(
                    ExitCode.USAGE, "cli.bad_url", "'" + base + "' is not a URL.", "Correct HAL0_API_URL.");
        }
        var connection = (HttpURLConnection) uri.toURL().openConnection();
        connection.setRequestMethod(method);
        connection.setConnectTimeout(Math.toIntExact(CONNECT.toMillis()));
        connection.setReadTimeout(Math.toIntExact(patience.toMillis()));
        connection.setUseCaches(false);
        connection.setInstanceFollowRedirects(false);
        return connection;
    }

    private static void send(HttpURLConnection connection, @Nullable Object body) throws IOException {
        if (body != null) {
            connection.setDoOutput(true);
            connection.setRequestProperty("Content-Type", "application/json");
            connection.getOutputStream().write(Json.STRICT.writeValueAsBytes(body));
        }
    }

    private static byte[] read(HttpURLConnection connection, int status) throws IOException {
        try (InputStream stream = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            return stream == null ? new byte[0] : stream.readAllBytes();
        }
    }

    private CliFailure failure(String method, String path, int status, byte[] bytes) {
        try {
            JsonNode document = Json.LENIENT.readTree(bytes);
            JsonNode error = document.path("error");
            if (error.isObject()) {
                return new CliFailure(
                        ExitCode.ofStatus(status),
                        error.path("code").asString(""),
                        error.path("message").asString(""),
                        error.path("details").path("remedy").asString(""),
                        asMap(document));
            }
        } catch (JacksonException notJson) {
            // told below with the status
        }
        String text = new String(bytes, StandardCharsets.UTF_8);
        return new CliFailure(
                ExitCode.ofStatus(status),
                "http." + status,
                method + " " + base + path + " answered " + status + ": "
                        + text.substring(0, Math.min(300, text.length())),
                "");
    }

    @SuppressWarnings("unchecked") // Jackson makes maps with string keys of objects
    static Map<String, Object> asMap(JsonNode node) {
        return Json.LENIENT.convertValue(node, Map.class);
    }

    static CliFailure failureOf(JsonNode error) {
        int status = Optional.of(error.path("code").asString(""))
                .flatMap(dev.hal0.kernel.ErrorCode::of)
                .map(dev.hal0.kernel.ErrorCode::status)
                .orElse(500);
        return new CliFailure(
                ExitCode.ofStatus(status),
                error.path("code").asString(""),
                error.path("message").asString(""),
                error.path("details").path("remedy").asString(""),
                Map.of("error", asMap(error)));
    }

    private CliFailure unreachable(IOException failure) {
        if (failure instanceof SocketTimeoutException
                && !(failure.getMessage() != null && failure.getMessage().contains("onnect"))) {
            return new CliFailure(
                    ExitCode.TIMED_OUT,
                    "cli.timed_out",
                    "hal0 at " + base + " did not answer in time; what it does is unknown.",
                    "Look with `hal0 status`.");
        }
        boolean absent = failure instanceof ConnectException
                || failure instanceof UnknownHostException
                || failure instanceof SocketTimeoutException;
        return new CliFailure(
                ExitCode.UNREACHABLE,
                "cli.unreachable",
                absent
                        ? "hal0 is not running at " + base + "."
                        : "The connection to " + base + " broke: " + failure.getMessage(),
                "Start it with `./hal0 serve`, or name another one with HAL0_API_URL.");
    }
}
