package dev.hal0.server;

import dev.hal0.kernel.HomeDirectory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;

/** The run from which the JVM's class cache is made: an empty home, every kind of answer once, then out. */
final class Training {
    private Training() {}

    static void run() {
        try {
            Path home = Files.createTempDirectory("hal0-training");
            try (var server = new Hal0Server(
                    HomeDirectory.under(home), "127.0.0.1", 0, Map.of(), new JavaPrograms("/bin/false", ""))) {
                String base = "http://127.0.0.1:" + server.port();
                for (String path : new String[] {
                    "/api/health",
                    "/readyz",
                    "/api/status",
                    "/api/slots",
                    "/api/models",
                    "/api/engines",
                    "/api/openapi.json",
                    "/api/events",
                    "/v1/models",
                    "/v1/models/none",
                    "/api/none"
                }) {
                    call(base + path, null);
                }
                call(base + "/v1/chat/completions", "{\"model\":\"chat\",\"messages\":[]}");
                call(base + "/v1/chat/completions", "{");
            } finally {
                delete(home);
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
        System.exit(0);
    }

    private static void call(String url, @org.jspecify.annotations.Nullable String body) throws IOException {
        var connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
        connection.setConnectTimeout(5_000);
        connection.setReadTimeout(5_000);
        if (body != null) {
            connection.setDoOutput(true);
            connection.setRequestProperty("Content-Type", "application/json");
            connection.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
        }
        try (var stream =
                connection.getResponseCode() < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            if (stream != null) {
                stream.readAllBytes();
            }
        }
    }

    private static void delete(Path root) throws IOException {
        try (var paths = Files.walk(root)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
