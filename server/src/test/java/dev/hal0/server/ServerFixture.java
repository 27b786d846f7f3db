package dev.hal0.server;

import dev.hal0.kernel.HomeDirectory;
import dev.hal0.kernel.Json;
import dev.hal0.testing.FakeLlamaServer;
import dev.hal0.testing.TestingGguf;
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/**
 * The real server on real sockets, with a home of its own and an engine command of the test's choosing. The {@code chat} slot
 * has a free port, so that a hal0 that runs on this machine does not matter.
 */
final class ServerFixture implements AutoCloseable {
    final Path root;
    final HttpClient client =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    private final Map<String, String> environment;
    private final InstantSource clock;
    private Hal0Server server;

    /** @param settings content of hal0.toml */
    private ServerFixture(Path root, String settings) throws IOException {
        this(root, settings, InstantSource.system());
    }

    private ServerFixture(Path root, String settings, InstantSource clock) throws IOException {
        this.clock = clock;
        this.root = root;
        var own = new LinkedHashMap<>(System.getenv());
        own.put("HOME", root.toString());
        // A llama-server of the machine's own would win over what the test is about.
        own.put("PATH", "/usr/bin:/bin");
        this.environment = Map.copyOf(own);
        HomeDirectory home = HomeDirectory.under(root);
        Files.createDirectories(home.slotDefinitions());
        Files.writeString(home.settingsFile(), settings);
        slotFile("chat", "type = \"llm\"\nport = " + freePort() + "\ndefault = true\n");
        slotFile("embed", "type = \"embedding\"\nport = " + freePort() + "\nenabled = false\n");
        server = start();
    }

    static ServerFixture withFakeEngine(Path root) throws IOException {
        return withFakeEngine(root, "");
    }

    static ServerFixture withFakeEngine(Path root, String settings) throws IOException {
        return withFakeEngine(root, settings, InstantSource.system());
    }

    static ServerFixture withFakeEngine(Path root, String settings, InstantSource clock) throws IOException {
        return new ServerFixture(root, "[engines]\nllama_server = \"" + fakeEngine(root) + "\"\n" + settings, clock);
    }

    /** Nothing is configured: llama.cpp is fetched from the machine's mirror on the first load. */
    static ServerFixture withInstalledEngine(Path root) throws IOException {
        return new ServerFixture(root, "");
    }

    static ServerFixture withLlamaServer(Path root, Path llamaServer) throws IOException {
        return new ServerFixture(root, "[engines]\nllama_server = \"" + llamaServer + "\"\n");
    }

    static ServerFixture withWhisper(Path root, Path whisperServer) throws IOException {
        return new ServerFixture(root, "[engines]\nwhisper_server = \"" + whisperServer + "\"\n");
    }

    private static Path fakeEngine(Path root) throws IOException {
        Files.createDirectories(root);
        Path classes = Path.of(URI.create(FakeLlamaServer.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toString()));
        Path script = root.resolve("fake-llama-server");
        Files.writeString(
                script,
                "#!/bin/sh\nexec '" + System.getProperty("java.home") + "/bin/java' -Xmx64m -XX:TieredStopAtLevel=1"
                        + " -XX:+UseSerialGC -cp '" + classes + "' " + FakeLlamaServer.class.getName() + " \"$@\"\n");
        script.toFile().setExecutable(true);
        return script;
    }

    /** A port of its own rather than any: only a known port is shared by all event loops. */
    private Hal0Server start() throws IOException {
        return new Hal0Server(
                HomeDirectory.under(root),
                "127.0.0.1",
                freePort(),
                environment,
                JavaPrograms.ofThisProcess(),
                2,
                clock);
    }

    /** Ends the control plane and starts another one on the same home, as after a crash or an update. */
    void restartControlPlane() throws IOException {
        endControlPlane();
        beginControlPlane();
    }

    /** Leaves the home, and the engines, to another control plane. */
    void endControlPlane() {
        server.close();
    }

    void beginControlPlane() throws IOException {
        server = start();
    }

    /** {@code hal0 serve} on this home, as a process that can be sent signals. */
    Process serveAsProcess() throws IOException {
        var command = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                ServerMain.class.getName(),
                "--port",
                "0");
        command.environment().put("HAL0_HOME", root.toString());
        command.environment().put("PATH", "/usr/bin:/bin");
        return command.start();
    }

    Hal0Server server() {
        return server;
    }

    String url(String path) {
        return "http://127.0.0.1:" + server.port() + path;
    }

    void slotFile(String name, String content) throws IOException {
        Files.writeString(
                HomeDirectory.under(root).slotDefinitions().resolve(name + ".toml"),
                "name = \"" + name + "\"\n" + content);
    }

    /** Edits a slot's file as a person would, and makes the server look at it now instead of within two seconds. */
    void editSlot(String name, String content) throws IOException {
        slotFile(name, content);
        expect(200, send("PUT", "/api/slots/" + name + "/config", Map.of()));
    }

    /** Registers a generated model. */
    void addModel(String id) {
        Path file = root.resolve(id + ".gguf");
        TestingGguf.chat().withContextLength(4096).writeTo(file);
        expect(201, send("POST", "/api/models", Map.of("path", file.toString(), "id", id)));
    }

    /** Binds, loads and waits. */
    void load(String slot, String model) {
        expect(200, send("POST", "/api/slots/" + slot + "/load?wait=60", Map.of("model", model, "create", true)));
    }

    HttpResponse<String> send(String method, String path, Object body) {
        String text = body instanceof String raw ? raw : Json.STRICT.writeValueAsString(body);
        return call(request(path)
                .method(method, HttpRequest.BodyPublishers.ofString(text))
                .build());
    }

    HttpResponse<String> get(String path) {
        return call(request(path).build());
    }

    HttpResponse<InputStream> stream(String path, Object body) throws IOException, InterruptedException {
        return client.send(
                request(path)
                        .POST(HttpRequest.BodyPublishers.ofString(Json.STRICT.writeValueAsString(body)))
                        .build(),
                HttpResponse.BodyHandlers.ofInputStream());
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(url(path))).timeout(Duration.ofSeconds(90));
    }

    HttpResponse<String> call(HttpRequest request) {
        try {
            return client.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (IOException failure) {
            throw new java.io.UncheckedIOException(failure);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    JsonNode slot(String name) {
        return json(get("/api/slots/" + name));
    }

    /** How many requests the fake engine of a slot saw cancelled. */
    int cancelled(String slot) throws IOException, InterruptedException {
        int port = slot(slot).path("port").asInt();
        HttpResponse<String> answer = client.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/fake/cancelled"))
                        .timeout(Duration.ofSeconds(5))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        return Json.LENIENT.readTree(answer.body()).path("cancelled").asInt();
    }

    static JsonNode json(HttpResponse<String> response) {
        return Json.LENIENT.readTree(response.body());
    }

    static JsonNode error(HttpResponse<String> response) {
        return json(response).path("error");
    }

    static HttpResponse<String> expect(int status, HttpResponse<String> response) {
        if (response.statusCode() != status) {
            throw new AssertionError("expected " + status + ", got " + response.statusCode() + ": " + response.body());
        }
        return response;
    }

    static Map<String, Object> chat(Object... more) {
        var body = new LinkedHashMap<String, Object>();
        body.put("model", "chat");
        body.put("messages", java.util.List.of(Map.of("role", "user", "content", "hi")));
        for (int i = 0; i < more.length; i += 2) {
            body.put(String.valueOf(more[i]), more[i + 1]);
        }
        return body;
    }

    static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /** Stops the engines too: they would outlive the test. */
    @Override
    public void close() {
        try {
            json(get("/api/slots")).forEach(slot -> {
                if (!slot.path("incarnation").isNull()) {
                    send(
                            "POST",
                            "/api/slots/" + slot.path("name").asString() + "/unload?wait=30",
                            Map.of("force", true));
                }
            });
        } finally {
            server.close();
        }
    }
}
