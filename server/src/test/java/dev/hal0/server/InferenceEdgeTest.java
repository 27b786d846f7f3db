package dev.hal0.server;

import static dev.hal0.server.ServerFixture.chat;
import static dev.hal0.server.ServerFixture.error;
import static dev.hal0.server.ServerFixture.expect;
import static dev.hal0.server.ServerFixture.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.InputStream;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code /v1} through the real server, the real process runtime and a fake engine that has faults on demand. */
@Tag("edge")
class InferenceEdgeTest {
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
    }

    @AfterAll
    static void stop() {
        hal0.close();
    }

    private static String read(HttpResponse<InputStream> response) throws Exception {
        try (InputStream stream = response.body()) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void fiftyRequestsToAColdSlot_causeOneLaunchAndAllAreAnswered() {
        expect(200, hal0.send("POST", "/api/slots/chat/unload?wait=30", Map.of("force", true)));
        long before = launches();
        var answers = new ArrayList<CompletableFuture<HttpResponse<String>>>();
        for (int i = 0; i < 50; i++) {
            answers.add(hal0.client.sendAsync(
                    hal0.request("/v1/chat/completions")
                            .POST(HttpRequest.BodyPublishers.ofString(
                                    dev.hal0.kernel.Json.STRICT.writeValueAsString(chat())))
                            .build(),
                    HttpResponse.BodyHandlers.ofString()));
        }
        assertThat(answers.stream().map(CompletableFuture::join).map(HttpResponse::statusCode))
                .containsOnly(200);
        assertThat(launches()).isEqualTo(before + 1);
        await().atMost(Duration.ofSeconds(5))
                .until(() -> hal0.slot("chat").path("inside").asInt() == 0);
    }

    private static long launches() {
        return json(hal0.get("/api/slots/chat/logs?lines=5000"))
                .path("logs")
                .valueStream()
                .filter(line -> line.asString().contains("started with"))
                .count();
    }

    @Test
    void stream_arrivesUntouchedWithItsNamesInHeaders() throws Exception {
        HttpResponse<InputStream> response =
                hal0.stream("/v1/chat/completions", chat("stream", true, "fake_tokens", 3));
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("content-type")).hasValue("text/event-stream");
        assertThat(response.headers().firstValue("x-hal0-slot")).hasValue("chat");
        assertThat(response.headers().firstValue("x-hal0-model")).hasValue("tiny");
        assertThat(response.headers().firstValue("x-request-id")).isPresent();
        assertThat(read(response)).isEqualTo("""
                        data: {"choices":[{"index":0,"delta":{"content":"t0 "}}]}

                        data: {"choices":[{"index":0,"delta":{"content":"t1 "}}]}

                        data: {"choices":[{"index":0,"delta":{"content":"t2 "}}]}

                        data: [DONE]

                        """);
    }

    @Test
    void modelId_andSlotName_andNoName_reachTheSameSlot() {
        for (Object name : new Object[] {"tiny", "chat", "slot:chat"}) {
            assertThat(hal0.send("POST", "/v1/chat/completions", chat("model", name))
                            .statusCode())
                    .isEqualTo(200);
        }
        assertThat(hal0.send("POST", "/v1/chat/completions", "{\"messages\":[]}")
                        .headers()
                        .firstValue("x-hal0-slot"))
                .hasValue("chat");
    }

    @Test
    void unknownModel_is404WithWhatExists() {
        HttpResponse<String> response = hal0.send("POST", "/v1/chat/completions", chat("model", "tinny"));
        assertThat(response.statusCode()).isEqualTo(404);
        assertThat(error(response).path("code").asString()).isEqualTo("dispatch.no_route");
        assertThat(error(response).path("param").asString()).isEqualTo("model");
        assertThat(error(response).path("message").asString()).contains("'tinny'", "tiny", "chat");
        assertThat(error(response).path("type").asString()).isEqualTo("not_found_error");
        assertThat(error(response).path("request_id").asString())
                .isEqualTo(response.headers().firstValue("x-request-id").orElse(""));
    }

    @Test
    void malformedBodies_are400WithTheirPlace() {
        HttpResponse<String> cut = hal0.send("POST", "/v1/chat/completions", "{\"model\":\n \"chat\", ");
        assertThat(cut.statusCode()).isEqualTo(400);
        assertThat(error(cut).path("code").asString()).isEqualTo("request.invalid_json");
        assertThat(error(cut).path("message").asString()).contains("line 2");
        assertThat(error(hal0.send("POST", "/v1/chat/completions", "[1]"))
                        .path("code")
                        .asString())
                .isEqualTo("request.not_an_object");
        assertThat(error(hal0.send("POST", "/v1/chat/completions", ""))
                        .path("code")
                        .asString())
                .isEqualTo("request.invalid_json");
        HttpResponse<String> wrongType = hal0.send("POST", "/v1/chat/completions", "{\"model\":7}");
        assertThat(wrongType.statusCode()).isEqualTo(400);
        assertThat(error(wrongType).path("param").asString()).isEqualTo("model");
    }

    @Test
    void longMalformedBody_isRefusedFromTheWorkerToo() {
        String text = "{\"messages\":\"" + "x".repeat(200_000) + "\",";
        assertThat(error(hal0.send("POST", "/v1/chat/completions", text))
                        .path("code")
                        .asString())
                .isEqualTo("request.invalid_json");
        assertThat(hal0.send("POST", "/v1/chat/completions", text + "\"model\":\"chat\"}")
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void wrongCapability_is409_wrongMethod_is405_unknownRoute_is404() {
        HttpResponse<String> mismatch = hal0.send("POST", "/v1/embeddings", Map.of("model", "chat", "input", "x"));
        assertThat(mismatch.statusCode()).isEqualTo(409);
        assertThat(error(mismatch).path("code").asString()).isEqualTo("dispatch.capability_mismatch");
        HttpResponse<String> method = hal0.get("/v1/chat/completions");
        assertThat(method.statusCode()).isEqualTo(405);
        assertThat(method.headers().firstValue("allow")).hasValue("POST");
        assertThat(error(hal0.get("/v1/nothing")).path("code").asString()).isEqualTo("route.not_found");
        assertThat(hal0.get("/v1/files").statusCode()).isEqualTo(501);
    }

    @Test
    void engineRefusal_keepsItsStatusAndItsWords() {
        HttpResponse<String> response = hal0.send("POST", "/v1/chat/completions", chat("fake_status", 422));
        assertThat(response.statusCode()).isEqualTo(422);
        assertThat(error(response).path("code").asString()).isEqualTo("dispatch.upstream_failed");
        assertThat(error(response).path("message").asString()).contains("the fake engine refuses");
        assertThat(error(response)
                        .path("details")
                        .path("upstream")
                        .path("error")
                        .path("code")
                        .asInt())
                .isEqualTo(422);
    }

    @Test
    void engineThatDropsTheConnectionMidStream_givesAnErrorEventAndDone() throws Exception {
        String text =
                read(hal0.stream("/v1/chat/completions", chat("stream", true, "fake_tokens", 9, "fake_drop_after", 2)));
        assertThat(text).contains("t1 ").doesNotContain("t2 ");
        assertThat(text).contains("\"code\":\"dispatch.upstream_unavailable\"").endsWith("data: [DONE]\n\n");
        await().atMost(Duration.ofSeconds(10))
                .until(() -> hal0.slot("chat").path("state").asString().equals("ready"));
        assertThat(hal0.slot("chat").path("inside").asInt()).isZero();
    }

    @Test
    void engineThatDiesMidStream_endsTheStreamAndTheNextRequestLoadsItAgain() throws Exception {
        expect(200, hal0.send("POST", "/v1/chat/completions", chat()));
        String before = hal0.slot("chat").path("incarnation").asString();
        String text =
                read(hal0.stream("/v1/chat/completions", chat("stream", true, "fake_tokens", 9, "fake_exit_after", 1)));
        assertThat(text).contains("\"error\"").endsWith("data: [DONE]\n\n");
        await().atMost(Duration.ofSeconds(10))
                .until(() -> hal0.send("POST", "/v1/chat/completions", chat()).statusCode() == 200);
        assertThat(hal0.slot("chat").path("incarnation").asString()).isNotEqualTo(before);
    }

    /** Guards "stop reaches the GPU": the connection to the engine is closed while it is silent, not at its next byte. */
    @Test
    void clientThatLeavesDuringASilentPrefill_isSeenByTheEngineBeforeItsFirstByte() throws Exception {
        for (boolean streamed : new boolean[] {true, false}) {
            expect(200, hal0.send("POST", "/v1/chat/completions", chat()));
            int before = hal0.cancelled("chat");
            CompletableFuture<HttpResponse<String>> answer = hal0.client.sendAsync(
                    hal0.request("/v1/chat/completions")
                            .POST(HttpRequest.BodyPublishers.ofString(dev.hal0.kernel.Json.STRICT.writeValueAsString(
                                    chat("stream", streamed, "fake_silence_ms", 60_000))))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            await().atMost(Duration.ofSeconds(10))
                    .until(() -> hal0.slot("chat").path("inside").asInt() == 1);
            answer.cancel(true);
            await().atMost(Duration.ofSeconds(10)).until(() -> hal0.cancelled("chat") == before + 1);
            await().atMost(Duration.ofSeconds(10))
                    .until(() -> hal0.slot("chat").path("inside").asInt() == 0);
        }
    }

    @Test
    void unloadWaitsForAStream_forceEndsItWithAnErrorEvent() throws Exception {
        HttpResponse<InputStream> response =
                hal0.stream("/v1/chat/completions", chat("stream", true, "fake_tokens", 10_000, "fake_spacing_ms", 5));
        response.body().read();
        String operation = json(hal0.send("POST", "/api/slots/chat/unload", Map.of()))
                .path("operation")
                .path("id")
                .asString();
        assertThat(json(hal0.get("/api/operations/" + operation + "?wait=1"))
                        .path("status")
                        .asString())
                .isEqualTo("running");
        assertThat(hal0.slot("chat").path("inside").asInt()).isEqualTo(1);
        expect(200, hal0.send("POST", "/api/slots/chat/unload?wait=30", Map.of("force", true)));
        assertThat(read(response)).contains("\"code\":\"slot.revoked\"").endsWith("data: [DONE]\n\n");
        assertThat(json(hal0.get("/api/operations/" + operation)).path("status").asString())
                .isEqualTo("succeeded");
        assertThat(hal0.slot("chat").path("state").asString()).isEqualTo("offline");
    }

    @Test
    void engineOutlivesTheControlPlane_andAnswersTheNextOne() throws Exception {
        expect(200, hal0.send("POST", "/v1/chat/completions", chat()));
        String incarnation = hal0.slot("chat").path("incarnation").asString();
        hal0.restartControlPlane();
        expect(200, hal0.send("POST", "/v1/chat/completions", chat()));
        assertThat(hal0.slot("chat").path("incarnation").asString()).isEqualTo(incarnation);
    }

    @Test
    void models_listsSlotsAndModelsWithContextAndState() {
        var data = json(hal0.get("/v1/models")).path("data");
        var ids = new ArrayList<String>();
        data.forEach(row -> ids.add(row.path("id").asString()));
        assertThat(ids).contains("chat", "tiny", "all-minilm-l6-v2");
        assertThat(json(hal0.get("/v1/models/tiny")).path("context_length").asInt())
                .isEqualTo(4096);
        assertThat(hal0.get("/v1/models/none").statusCode()).isEqualTo(404);
    }

    @Test
    void shutdown_refusesNewRequestsAndEndsStreamsWithAnErrorEvent(@TempDir Path other) throws Exception {
        try (var second = ServerFixture.withFakeEngine(other)) {
            second.addModel("tiny");
            second.load("chat", "tiny");
            HttpResponse<InputStream> response = second.stream(
                    "/v1/chat/completions", chat("stream", true, "fake_tokens", 10_000, "fake_spacing_ms", 5));
            response.body().read();
            assertThat(second.server().drain(Duration.ofMillis(300))).isEqualTo(1);
            assertThat(read(response)).contains("dispatch.shutting_down").endsWith("data: [DONE]\n\n");
            HttpResponse<String> late = second.send("POST", "/v1/chat/completions", chat());
            assertThat(late.statusCode()).isEqualTo(503);
            assertThat(late.headers().firstValue("retry-after")).isPresent();
            assertThat(second.get("/readyz").statusCode()).isEqualTo(503);
        }
    }
}
