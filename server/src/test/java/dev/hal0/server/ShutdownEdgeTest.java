package dev.hal0.server;

import static dev.hal0.server.ServerFixture.chat;
import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.Json;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ctrl-C on {@code hal0 serve}: a real process, real signals, a stream in flight. */
@Tag("edge")
class ShutdownEdgeTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Pattern URL = Pattern.compile("listening on (http://\\S+)");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path root;

    @SuppressWarnings("NullAway.Init")
    private ServerFixture hal0;

    @SuppressWarnings("NullAway.Init")
    private Process serve;

    private final HttpClient client = HttpClient.newHttpClient();
    private String url = "";
    private String incarnation = "";

    @BeforeEach
    void serveWithALoadedSlot() throws Exception {
        hal0 = ServerFixture.withFakeEngine(root.resolve("home"));
        hal0.addModel("tiny");
        hal0.load("chat", "tiny");
        incarnation = hal0.slot("chat").path("incarnation").asString();
        hal0.endControlPlane();
        serve = hal0.serveAsProcess();
        var output = serve.inputReader();
        for (String line = output.readLine(); url.isEmpty(); line = output.readLine()) {
            assertThat(line).as("what serve prints").isNotNull();
            var found = URL.matcher(line);
            url = found.find() ? found.group(1) : "";
        }
    }

    @AfterEach
    void stop() throws Exception {
        serve.destroyForcibly().waitFor();
        hal0.beginControlPlane();
        hal0.close();
    }

    @Test
    void firstCtrlC_letsTheStreamEndAndLeavesTheEngineRunning() throws Exception {
        try (BufferedReader stream = stream(40, 25)) {
            assertThat(stream.readLine()).contains("t0 ");

            signal("INT");
            awaitError("Waiting up to 20 s for 1 request");

            assertThat(stream.lines().filter(line -> !line.isEmpty()))
                    .hasSize(40)
                    .last()
                    .isEqualTo("data: [DONE]");
        }
        assertThat(serve.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(serve.exitValue()).isZero();
        expectTheSameEngine();
    }

    @Test
    void secondCtrlC_endsAtOnceAndLeavesTheEngineRunning() throws Exception {
        try (BufferedReader stream = stream(100_000, 25)) {
            assertThat(stream.readLine()).contains("t0 ");

            signal("INT");
            awaitError("Waiting up to 20 s for 1 request");
            signal("INT");

            awaitError("Ending at once");
            // Far below the 20 s of the drain, far above what a halt takes.
            assertThat(serve.waitFor(10, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(serve.exitValue()).isEqualTo(130);
        expectTheSameEngine();
    }

    /** Guards against a control plane that takes its engines with it, or starts them anew, when it is killed in a stream. */
    @Test
    void killedInTheMiddleOfAStream_theNextOneAdoptsTheEngine() throws Exception {
        try (BufferedReader stream = stream(100_000, 25)) {
            assertThat(stream.readLine()).contains("t0 ");

            signal("KILL");

            assertThat(serve.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        }
        expectTheSameEngine();
    }

    private BufferedReader stream(int tokens, int spacingMillis) throws Exception {
        var body = Json.STRICT.writeValueAsString(
                chat("stream", true, "fake_tokens", tokens, "fake_spacing_ms", spacingMillis));
        HttpResponse<InputStream> response = client.send(
                HttpRequest.newBuilder(URI.create(url + "/v1/chat/completions"))
                        .timeout(PATIENCE)
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofInputStream());
        assertThat(response.statusCode()).isEqualTo(200);
        return new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
    }

    /** Beside what a person is told, the log goes to the same place. */
    private void awaitError(String said) throws Exception {
        BufferedReader errors = serve.errorReader();
        String line = errors.readLine();
        while (line != null && !line.contains(said)) {
            line = errors.readLine();
        }
        assertThat(line).as("what serve says").isNotNull();
    }

    private void signal(String name) throws Exception {
        var kill = new ProcessBuilder("/bin/sh", "-c", "kill -" + name + " " + serve.pid()).start();
        assertThat(kill.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }

    private void expectTheSameEngine() throws Exception {
        hal0.beginControlPlane();
        try {
            ServerFixture.expect(200, hal0.send("POST", "/v1/chat/completions", chat()));
            assertThat(hal0.slot("chat").path("incarnation").asString()).isEqualTo(incarnation);
            assertThat(hal0.slot("chat").path("cause").asString()).isNotEqualTo("launched");
        } finally {
            hal0.endControlPlane();
        }
    }
}
