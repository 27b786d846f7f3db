package dev.hal0.runtime.engine;

import dev.hal0.kernel.Json;
import dev.hal0.slots.Endpoint;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * Short questions to an engine on loopback, each with a deadline. HttpURLConnection, because such a question needs no more
 * and a second client library with threads of its own would cost every idle box memory.
 */
final class EngineHttp {
    private static final int MOST_BYTES = 4 << 20;

    /** @param body empty where the engine sent none, or something that is not JSON */
    record Reply(int status, Optional<JsonNode> body) {}

    private EngineHttp() {}

    /** @throws IOException when there is no answer within the deadline */
    static Reply get(Endpoint endpoint, String path, Duration deadline) throws IOException {
        var url = URI.create("http://" + endpoint.authority() + path).toURL();
        var connection = (HttpURLConnection) url.openConnection();
        int millis = Math.toIntExact(deadline.toMillis());
        connection.setConnectTimeout(millis);
        connection.setReadTimeout(millis);
        connection.setInstanceFollowRedirects(false);
        connection.setUseCaches(false);
        connection.setRequestProperty("Authorization", "Bearer " + endpoint.key());
        // A kept connection would occupy one of the engine's few HTTP threads.
        connection.setRequestProperty("Connection", "close");
        try {
            int status = connection.getResponseCode();
            InputStream stream = status < 400 ? connection.getInputStream() : connection.getErrorStream();
            return new Reply(status, stream == null ? Optional.empty() : parse(stream.readNBytes(MOST_BYTES)));
        } finally {
            connection.disconnect();
        }
    }

    private static Optional<JsonNode> parse(byte[] bytes) {
        try {
            return Optional.of(Json.LENIENT.readTree(bytes));
        } catch (JacksonException notJson) {
            return Optional.empty();
        }
    }
}
