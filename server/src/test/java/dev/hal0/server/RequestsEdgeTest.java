package dev.hal0.server;

import static dev.hal0.server.ServerFixture.chat;
import static dev.hal0.server.ServerFixture.error;
import static dev.hal0.server.ServerFixture.expect;
import static dev.hal0.server.ServerFixture.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** What can be seen of requests: under way, ended, and counted. */
@Tag("edge")
class RequestsEdgeTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path root;

    @SuppressWarnings("NullAway.Init")
    private static ServerFixture hal0;

    @BeforeAll
    static void start() throws Exception {
        hal0 = ServerFixture.withFakeEngine(root.resolve("home"));
        hal0.addModel("tiny");
        hal0.editSlot(
                "chat",
                "type = \"llm\"\nport = " + ServerFixture.freePort()
                        + "\ndefault = true\nparallel = 8\n[model]\ndefault = \"tiny\"\n");
        expect(200, hal0.send("POST", "/v1/chat/completions", chat()));
    }

    @AfterAll
    static void stop() {
        hal0.close();
    }

    @Test
    void endedRequest_isARowThatCanBeFiltered() {
        String id = expect(200, hal0.send("POST", "/v1/chat/completions", chat("model", "tiny")))
                .headers()
                .firstValue("x-request-id")
                .orElseThrow();

        await().atMost(PATIENCE).until(() -> rows("id=" + id).size() == 1);
        JsonNode row = rows("id=" + id).get(0);
        assertThat(row.path("requested_model").asString()).isEqualTo("tiny");
        assertThat(row.path("caller").asString()).isEqualTo("127.0.0.1");
        assertThat(row.path("priority").asString()).isEqualTo("interactive");
        assertThat(row.path("bytes_in").asLong()).isPositive();
        assertThat(row.path("timings").path("ttft_ms").isNull())
                .as("nobody can see it")
                .isTrue();
        assertThat(rows("id=" + id + "&caller=127.0.0.1&route=/v1/chat/completions&min_ms=0"))
                .hasSize(1);
        assertThat(rows("id=" + id + "&caller=10.0.0.1")).isEmpty();
        assertThat(rows("id=" + id + "&route=/v1/embeddings")).isEmpty();
        assertThat(rows("id=" + id + "&min_ms=2000000000")).isEmpty();
        assertThat(rows("id=" + id + "&error=slot.busy")).isEmpty();
        assertThat(hal0.get("/api/requests?min_ms=soon").statusCode()).isEqualTo(400);
    }

    @Test
    void requestUnderWay_isSeenAndCanBeEnded() throws Exception {
        HttpResponse<InputStream> stream =
                hal0.stream("/v1/chat/completions", chat("stream", true, "fake_tokens", 50, "fake_hang_after", 2));
        String id = stream.headers().firstValue("x-request-id").orElseThrow();
        await().atMost(PATIENCE).until(() -> live(id).path("tokens").asLong() == 3);
        assertThat(live(id).path("phase").asString()).isEqualTo("decoding");
        assertThat(live(id).path("slot").asString()).isEqualTo("chat");
        assertThat(live(id).path("caller").asString()).isEqualTo("127.0.0.1");

        JsonNode ended = json(expect(200, hal0.send("DELETE", "/api/inflight/" + id, Map.of())));

        assertThat(ended.path("requests").asInt()).isEqualTo(1);
        try (InputStream body = stream.body()) {
            assertThat(new String(body.readAllBytes(), StandardCharsets.UTF_8))
                    .contains("dispatch.cancelled")
                    .endsWith("data: [DONE]\n\n");
        }
        await().atMost(PATIENCE).until(() -> rows("outcome=cancelled&id=" + id).size() == 1);
        assertThat(error(hal0.send("DELETE", "/api/inflight/" + id, Map.of()))
                        .path("code")
                        .asString())
                .isEqualTo("dispatch.not_in_flight");
    }

    @Test
    void bodies_canBeReadWhileSomebodyAskedForThem() {
        assertThat(hal0.send("PUT", "/api/captures", Map.of("minutes", 61)).statusCode())
                .isEqualTo(400);
        assertThat(error(hal0.get("/api/captures/req-none")).path("code").asString())
                .isEqualTo("dispatch.not_captured");
        expect(200, hal0.send("PUT", "/api/captures", Map.of("minutes", 1)));
        HttpResponse<String> answer = expect(200, hal0.send("POST", "/v1/chat/completions", chat("fake_tokens", 1)));
        String id = answer.headers().firstValue("x-request-id").orElseThrow();

        await().atMost(PATIENCE).until(() -> hal0.get("/api/captures/" + id).statusCode() == 200);

        JsonNode captured = json(hal0.get("/api/captures/" + id));
        assertThat(captured.path("request").path("text").asString()).contains("\"fake_tokens\":1");
        assertThat(captured.path("response").path("text").asString()).isEqualTo(answer.body());
        JsonNode off = json(expect(200, hal0.send("DELETE", "/api/captures", Map.of())));
        assertThat(off.path("until").isNull() && off.path("kept").asInt() == 0).isTrue();
    }

    @Test
    void streamOfWhatIsUnderWay_tellsOfARequestAndOfItsEnd() throws Exception {
        var request = hal0.request("/api/stream?types=inflight").GET().build();
        HttpResponse<InputStream> feed = hal0.client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        try (var lines = new BufferedReader(new InputStreamReader(feed.body(), StandardCharsets.UTF_8))) {
            HttpResponse<InputStream> stream =
                    hal0.stream("/v1/chat/completions", chat("stream", true, "fake_hang_after", 1));
            String id = stream.headers().firstValue("x-request-id").orElseThrow();
            awaitLine(lines, id);
            stream.body().close();
            awaitLine(lines, "\"requests\":[]");
        }
    }

    @Test
    void metrics_areWhatPrometheusReads() {
        HttpResponse<String> scraped = hal0.get("/metrics");

        assertThat(scraped.statusCode()).isEqualTo(200);
        assertThat(scraped.headers().firstValue("content-type")).hasValue(Metrics.CONTENT_TYPE);
        assertThat(scraped.body())
                .contains("hal0_slot_up{slot=\"chat\"} 1", "hal0_slot_state{slot=\"chat\",state=\"offline\"} 0")
                .contains("hal0_request_seconds_bucket{model=\"tiny\",route=\"/v1/chat/completions\",slot=\"chat\"")
                .contains("hal0_slot_transitions_total{");
        assertThat(hal0.get("/api/metrics/prometheus").statusCode()).isEqualTo(200);
    }

    private static void awaitLine(BufferedReader lines, String part) throws Exception {
        String line;
        while ((line = lines.readLine()) != null) {
            if (line.contains(part)) {
                return;
            }
        }
        throw new AssertionError("the stream ended without " + part);
    }

    private static JsonNode rows(String query) {
        return json(expect(200, hal0.get("/api/requests?" + query))).path("rows");
    }

    private static JsonNode live(String id) {
        for (JsonNode request : json(expect(200, hal0.get("/api/inflight")))) {
            if (request.path("id").asString().equals(id)) {
                return request;
            }
        }
        return dev.hal0.kernel.Json.LENIENT.missingNode();
    }
}
