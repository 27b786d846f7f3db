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
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code /api} through the real server: slots, their files, their faults, and the event stream. */
@Tag("edge")
class LifecycleEdgeTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path root;

    @SuppressWarnings("NullAway.Init")
    private ServerFixture hal0;

    @BeforeEach
    void start() throws Exception {
        hal0 = ServerFixture.withFakeEngine(root.resolve("home"), "[slots]\nload_timeout_s = 20\nstop_grace_s = 1\n");
        hal0.addModel("tiny");
    }

    @AfterEach
    void stop() {
        hal0.close();
    }

    private void chatWith(String more) throws Exception {
        hal0.editSlot(
                "chat",
                "type = \"llm\"\nport = " + ServerFixture.freePort() + "\ndefault = true\n[model]\ndefault = \"tiny\"\n"
                        + more);
    }

    @Test
    void chatWithoutModel_namesTheCommandThatLeadsOut() {
        HttpResponse<String> response = hal0.send("POST", "/v1/chat/completions", chat());
        assertThat(response.statusCode()).isEqualTo(409);
        assertThat(error(response).path("message").asString())
                .contains("hal0 model add", "hal0 slot load chat --model");
    }

    @Test
    void engineThatExitsWhileLoading_showsItsLastLinesAndNeverA200() throws Exception {
        chatWith("[server]\nenv = { FAKE_EXIT = \"1\" }\n");
        HttpResponse<String> load = hal0.send("POST", "/api/slots/chat/load?wait=30", Map.of());
        assertThat(load.statusCode()).isEqualTo(502);
        assertThat(error(load).path("message").asString()).contains("out of memory");
        assertThat(hal0.slot("chat").path("state").asString()).isEqualTo("error");
        assertThat(hal0.slot("chat").path("cause").asString()).isIn("engine_exited", "spawn_failed");
        assertThat(hal0.send("POST", "/v1/chat/completions", chat()).statusCode())
                .isEqualTo(502);
    }

    /** Guards pitfall P19: a context other than the configured one goes unnoticed. */
    @Test
    void engineThatRunsWithAnotherContext_isNotReady() throws Exception {
        chatWith("context_size = 2048\n[server]\nenv = { FAKE_CONTEXT = \"512\" }\n");
        HttpResponse<String> load = hal0.send("POST", "/api/slots/chat/load?wait=30", Map.of());
        assertThat(error(load).path("code").asString()).isEqualTo("slot.plan_mismatch");
        assertThat(error(load).path("message").asString()).contains("n_ctx is 512 and should be 2048");
        assertThat(hal0.slot("chat").path("state").asString()).isEqualTo("error");
    }

    @Test
    void slowLoad_holdsTheHeadersThenTellsProgressThenStreams() throws Exception {
        chatWith("[server]\nenv = { FAKE_LOAD_MS = \"5000\" }\n");
        HttpResponse<InputStream> response =
                hal0.stream("/v1/chat/completions", chat("stream", true, "fake_tokens", 1));
        assertThat(response.statusCode()).isEqualTo(200);
        String text = new String(response.body().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(text).startsWith(": ").contains("\"content\":\"t0 \"").endsWith("data: [DONE]\n\n");
    }

    @Test
    void unloadDuringALoad_cancelsIt() throws Exception {
        chatWith("[server]\nenv = { FAKE_LOAD_MS = \"15000\" }\n");
        String load = json(hal0.send("POST", "/api/slots/chat/load", Map.of()))
                .path("operation")
                .path("id")
                .asString();
        await().atMost(Duration.ofSeconds(10))
                .until(() -> hal0.slot("chat").path("state").asString().equals("warming"));
        expect(200, hal0.send("POST", "/api/slots/chat/unload?wait=10", Map.of()));
        assertThat(json(hal0.get("/api/operations/" + load)).path("status").asString())
                .isEqualTo("cancelled");
        assertThat(hal0.slot("chat").path("state").asString()).isEqualTo("offline");
    }

    @Test
    void engineThatIgnoresTerm_isKilledAfterTheGrace() throws Exception {
        chatWith("[server]\nenv = { FAKE_IGNORE_TERM = \"1\" }\n");
        expect(200, hal0.send("POST", "/api/slots/chat/load?wait=30", Map.of()));
        expect(200, hal0.send("POST", "/api/slots/chat/unload?wait=30", Map.of()));
        assertThat(hal0.slot("chat").path("state").asString()).isEqualTo("offline");
    }

    @Test
    void portTakenByAStranger_isItsOwnCause() throws Exception {
        try (var stranger = new java.net.ServerSocket(0)) {
            hal0.editSlot(
                    "chat", "type = \"llm\"\nport = " + stranger.getLocalPort() + "\n[model]\ndefault = \"tiny\"\n");
            HttpResponse<String> load = hal0.send("POST", "/api/slots/chat/load?wait=30", Map.of());
            assertThat(load.statusCode()).isEqualTo(409);
            assertThat(error(load).path("code").asString()).isEqualTo("slot.port_conflict");
            assertThat(hal0.slot("chat").path("cause").asString()).isEqualTo("port_taken");
        }
    }

    /** Guards pitfall P6 and the rule that an edit never restarts anything: the running engine stays, the slot says dirty. */
    @Test
    void configEdit_marksDirtyAndARestartAppliesIt() {
        hal0.load("chat", "tiny");
        String incarnation = hal0.slot("chat").path("incarnation").asString();
        HttpResponse<String> read = hal0.get("/api/slots/chat/config");
        String etag = read.headers().firstValue("etag").orElseThrow();
        HttpResponse<String> edit = hal0.call(hal0.request("/api/slots/chat/config")
                .header("If-Match", etag)
                .PUT(HttpRequest.BodyPublishers.ofString("{\"model\":{\"context_size\":1024}}"))
                .build());
        expect(200, edit);
        assertThat(json(edit).path("config_dirty").asBoolean()).isTrue();
        assertThat(hal0.slot("chat").path("incarnation").asString()).isEqualTo(incarnation);
        HttpResponse<String> stale = hal0.call(hal0.request("/api/slots/chat/config")
                .header("If-Match", etag)
                .PUT(HttpRequest.BodyPublishers.ofString("{\"parallel\":2}"))
                .build());
        assertThat(stale.statusCode()).isEqualTo(412);
        expect(200, hal0.send("POST", "/api/slots/chat/restart?wait=30", Map.of()));
        assertThat(hal0.slot("chat").path("config_dirty").asBoolean()).isFalse();
        assertThat(json(hal0.get("/api/slots/chat/resolved")).path("argv").toString())
                .contains("\"--ctx-size\",\"1024\"");
    }

    @Test
    void unknownKeysAndBadValues_are4xxWithTheirPathAndChangeNothing() throws Exception {
        Path file = root.resolve("home/etc/hal0/slots/chat.toml");
        String before = Files.readString(file);
        HttpResponse<String> unknown = hal0.send("PUT", "/api/slots/chat/config", Map.of("model", Map.of("ctx", 1)));
        assertThat(unknown.statusCode()).isEqualTo(400);
        assertThat(error(unknown).path("param").asString()).isEqualTo("model.ctx");
        HttpResponse<String> range = hal0.send("PUT", "/api/slots/chat/config", Map.of("parallel", 1000));
        assertThat(error(range).path("param").asString()).isEqualTo("parallel");
        HttpResponse<String> body = hal0.send("POST", "/api/slots", Map.of("name", "x", "modle", "tiny"));
        assertThat(error(body).path("param").asString()).isEqualTo("modle");
        HttpResponse<String> name = hal0.send("POST", "/api/slots", Map.of("name", "../etc"));
        assertThat(name.statusCode()).isEqualTo(400);
        assertThat(hal0.get("/api/slots/..%2Fetc").statusCode()).isIn(400, 404);
        assertThat(Files.readString(file)).isEqualTo(before);
    }

    @Test
    void handEditThatBreaksTheFile_keepsTheLastGoodOneAndSaysWhere() throws Exception {
        hal0.load("chat", "tiny");
        Path file = root.resolve("home/etc/hal0/slots/chat.toml");
        Files.writeString(file, Files.readString(file) + "\nparallel = = 3\n");
        await().atMost(Duration.ofSeconds(5))
                .until(() -> !hal0.slot("chat").path("config_error").isNull());
        assertThat(hal0.slot("chat").path("config_error").asString()).contains("chat.toml");
        expect(200, hal0.send("POST", "/v1/chat/completions", chat()));
    }

    @Test
    void createAndDelete_keepNamesAndPortsUnique() {
        HttpResponse<String> created =
                expect(201, hal0.send("POST", "/api/slots", Map.of("name", "extra", "model", "tiny")));
        int port = json(created).path("port").asInt();
        assertThat(hal0.send("POST", "/api/slots", Map.of("name", "extra")).statusCode())
                .isEqualTo(409);
        HttpResponse<String> samePort = hal0.send("POST", "/api/slots", Map.of("name", "other", "port", port));
        assertThat(error(samePort).path("code").asString()).isEqualTo("slot.port_conflict");
        expect(200, hal0.send("DELETE", "/api/slots/extra", Map.of()));
        assertThat(hal0.get("/api/slots/extra").statusCode()).isEqualTo(404);
        assertThat(error(hal0.send("DELETE", "/api/slots/chat", Map.of()))
                        .path("code")
                        .asString())
                .isEqualTo("slot.seeded");
    }

    @Test
    void anotherModelThatDoesNotLoad_leavesTheBindingAlone() throws Exception {
        hal0.load("chat", "tiny");
        hal0.addModel("broken");
        Files.delete(hal0.root.resolve("broken.gguf"));
        HttpResponse<String> load = hal0.send("POST", "/api/slots/chat/load?wait=30", Map.of("model", "broken"));
        assertThat(load.statusCode()).isEqualTo(409);
        assertThat(error(load).path("code").asString()).isEqualTo("model.file_missing");
        assertThat(hal0.slot("chat").path("model").asString()).isEqualTo("tiny");
        assertThat(hal0.slot("chat").path("state").asString()).isIn("ready", "idle");
    }

    @Test
    void eventStream_numbersEventsAndResumesWithoutAGap() throws Exception {
        hal0.load("chat", "tiny");
        List<String> first = events("/api/stream?after=none&types=slot.state", 1);
        assertThat(first.getFirst()).isEqualTo("resync");
        List<String> all = new ArrayList<>();
        // History is written a moment after it happens.
        await().atMost(Duration.ofSeconds(10))
                .until(() -> json(hal0.get("/api/events?kind=slot.state&limit=1"))
                        .path("rows")
                        .path(0)
                        .path("payload")
                        .path("state")
                        .asString("")
                        .matches("ready|idle"));
        json(hal0.get("/api/events?kind=slot.state&subject=chat"))
                .path("rows")
                .forEach(event -> all.add(event.path("id").asString()));
        String oldest = all.getLast();
        List<String> resumed = events("/api/stream?after=" + oldest + "&types=slot.state", all.size() - 1);
        assertThat(resumed).containsExactlyElementsOf(all.reversed().subList(1, all.size()));
    }

    /** Ids of events, or the name where there is no id. */
    private List<String> events(String path, int count) throws Exception {
        HttpResponse<InputStream> response =
                hal0.client.send(hal0.request(path).build(), HttpResponse.BodyHandlers.ofInputStream());
        var found = new ArrayList<String>();
        try (var reader = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            String id = null;
            String line;
            while (found.size() < count && (line = reader.readLine()) != null) {
                if (line.startsWith("id: ")) {
                    id = line.substring(4);
                } else if (line.startsWith("event: ")) {
                    found.add(id == null ? line.substring(7) : id);
                    id = null;
                }
            }
        }
        return found;
    }

    @Test
    void foreignPages_areRefusedOnEveryRoute() throws Exception {
        for (String path : new String[] {"/api/slots", "/v1/models", "/healthz", "/"}) {
            assertThat(hal0.call(hal0.request(path)
                                    .header("Origin", "http://evil.example")
                                    .build())
                            .statusCode())
                    .as(path)
                    .isEqualTo(403);
        }
        String own = hal0.url("");
        assertThat(hal0.call(hal0.request("/api/slots").header("Origin", own).build())
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void openApi_describesEveryRouteThatAnswers() {
        var paths = json(hal0.get("/api/openapi.json")).path("paths");
        assertThat(paths.propertyNames())
                .contains(
                        "/api/slots",
                        "/api/slots/{name}/load",
                        "/api/models/{id}",
                        "/api/stream",
                        "/v1/chat/completions");
        assertThat(hal0.send("PATCH", "/api/slots", Map.of()).statusCode()).isEqualTo(405);
        assertThat(error(hal0.get("/api/nothing")).path("code").asString()).isEqualTo("route.not_found");
    }

    @Test
    void secondControlPlaneOnTheSameHome_isRefused() {
        org.assertj.core.api.Assertions.assertThatThrownBy(() -> new Hal0Server(
                        dev.hal0.kernel.HomeDirectory.under(hal0.root),
                        "127.0.0.1",
                        0,
                        Map.of(),
                        JavaPrograms.ofThisProcess()))
                .hasMessageContaining("already runs");
    }

    @Test
    void keyOfALaunch_isNowhereToBeSeen() throws Exception {
        hal0.load("chat", "tiny");
        String key = Files.readString(root.resolve("home/var/lib/hal0/slots/chat/engine.key"))
                .strip();
        assertThat(key).hasSizeGreaterThan(32);
        for (String path : new String[] {
            "/api/slots",
            "/api/slots/chat",
            "/api/slots/chat/resolved",
            "/api/slots/chat/logs",
            "/api/events",
            "/api/status"
        }) {
            assertThat(hal0.get(path).body()).as(path).doesNotContain(key);
        }
        assertThat(Files.readString(root.resolve("home/var/lib/hal0/slots/chat/state.json")))
                .doesNotContain(key);
    }

    @Test
    void whatHappened_canBeReadAfterARestart() throws Exception {
        chatWith("");
        hal0.load("chat", "tiny");
        expect(200, hal0.send("POST", "/v1/chat/completions", chat()));
        hal0.send("POST", "/v1/chat/completions", chat("model", "nobody"));

        hal0.restartControlPlane();

        await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> {
            assertThat(json(expect(200, hal0.get("/api/requests?slot=chat")))
                            .path("rows")
                            .path(0)
                            .path("outcome")
                            .asString())
                    .isEqualTo("complete");
            assertThat(json(expect(200, hal0.get("/api/requests?outcome=refused")))
                            .path("rows")
                            .path(0)
                            .path("error_code")
                            .asString())
                    .isEqualTo("dispatch.no_route");
            assertThat(json(expect(200, hal0.get("/api/slots/chat/history")))
                            .path("rows")
                            .valueStream()
                            .map(row -> row.path("to").asString()))
                    .contains("starting", "warming", "ready");
            assertThat(json(expect(200, hal0.get("/api/history/operations?slot=chat")))
                            .path("rows")
                            .path(0)
                            .path("state")
                            .asString())
                    .isEqualTo("succeeded");
        });
        assertThat(hal0.get("/api/requests?outcome=lost").statusCode()).isEqualTo(400);
        assertThat(hal0.get("/api/requests?limit=5000").statusCode()).isEqualTo(400);
        assertThat(json(hal0.get("/api/journal")).path("state").asString()).isEqualTo("open");
    }

    @Test
    void machine_isProbedAndSampled() {
        var hardware = json(expect(200, hal0.get("/api/hardware")));
        assertThat(hardware.path("ram_total_mb").asLong()).isPositive();
        assertThat(hardware.path("card").asString()).startsWith("CPU").contains("DISK");
        assertThat(hardware.path("report").path("explanations").size()).isPositive();
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(json(hal0.get("/api/stats/hardware"))
                                .path("ram_used_mb")
                                .asLong())
                        .isPositive());
    }

    /** The whole way: the model's header says what it needs, the settings what there is. */
    @Test
    void modelThatNeedsMoreThanTheBudget_isRefusedWithEvidenceUnlessForced() throws Exception {
        hal0.close();
        hal0 = ServerFixture.withFakeEngine(
                root.resolve("small"), "[slots]\nmemory_budget_mb = 40\nstop_grace_s = 1\n");
        hal0.addModel("tiny");

        HttpResponse<String> refused = hal0.send("POST", "/api/slots/chat/load?wait=30", Map.of("model", "tiny"));
        assertThat(refused.statusCode()).isEqualTo(507);
        assertThat(error(refused).path("code").asString()).isEqualTo("slot.capacity_insufficient");
        assertThat(error(refused)
                        .path("details")
                        .path("evidence")
                        .path("need_bytes")
                        .asLong())
                .isPositive();
        assertThat(hal0.slot("chat").path("state").asString()).isEqualTo("offline");

        expect(200, hal0.send("POST", "/api/slots/chat/load?wait=30", Map.of("model", "tiny", "force", true)));
    }

    /** A GPU that hangs: the health check is fine, and no token comes any more. */
    @Test
    void engineThatMakesNoProgress_isStartedAnewAndThoseInsideHearOfIt() throws Exception {
        hal0.close();
        hal0 = ServerFixture.withFakeEngine(root.resolve("hung"), "[slots]\nhung_after_s = 1\nstop_grace_s = 1\n");
        hal0.addModel("tiny");
        hal0.load("chat", "tiny");
        String first = hal0.slot("chat").path("incarnation").asString();

        HttpResponse<InputStream> stream =
                hal0.stream("/v1/chat/completions", chat("stream", true, "fake_tokens", 1000, "fake_hang_after", 3));
        String text = new String(stream.body().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(text).contains("t2 ", "slot.revoked", "engine_hung").endsWith("data: [DONE]\n\n");
        await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
            assertThat(hal0.slot("chat").path("state").asString()).isEqualTo("ready");
            assertThat(hal0.slot("chat").path("incarnation").asString()).isNotEqualTo(first);
        });
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(json(hal0.get("/api/events?kind=slot.revoked"))
                                .path("rows")
                                .path(0)
                                .path("payload")
                                .path("cause")
                                .asString())
                        .isEqualTo("engine_hung"));
    }

    @Test
    void modelsOnTheDisk_areFoundAdoptedAndForgottenWhenTheyAreGone() throws Exception {
        Path folder = Files.createDirectories(root.resolve("mine"));
        dev.hal0.testing.TestingGguf.chat().withContextLength(2048).writeTo(folder.resolve("Found-Me.gguf"));
        Files.writeString(folder.resolve("broken.gguf"), "not a model");

        var preview = json(expect(
                200, hal0.send("POST", "/api/models/scan/preview", Map.of("paths", List.of(folder.toString())))));
        assertThat(preview.path("count").asInt()).isEqualTo(1);
        assertThat(preview.path("preview").path(0).path("suggested_id").asString())
                .isEqualTo("found-me");
        assertThat(preview.path("skipped").path(0).path("path").asString()).endsWith("broken.gguf");

        var adopted = json(expect(
                200,
                hal0.send(
                        "POST",
                        "/api/models/scan",
                        Map.of(
                                "rows",
                                List.of(Map.of(
                                        "path", folder.resolve("Found-Me.gguf").toString()))))));
        assertThat(adopted.path("added").path(0).asString()).isEqualTo("found-me");
        var fit = json(expect(200, hal0.send("POST", "/api/models/found-me/fit", Map.of("context_size", 1024))));
        assertThat(fit.path("need_bytes").asLong()).isPositive();
        assertThat(fit.path("verdict").asString()).isIn("fits", "tight", "unknown");

        Files.delete(folder.resolve("Found-Me.gguf"));
        var pruned = json(expect(200, hal0.send("POST", "/api/models/prune", Map.of("apply", true))));
        assertThat(pruned.toString()).contains("found-me");
    }

    /** The fake of the host is tested where the client is; here: nothing secret comes back, and nothing is stored by a test. */
    @Test
    void proxmoxSettings_neverGiveTheTokenBack() {
        var none = json(expect(200, hal0.get("/api/settings/proxmox")));
        assertThat(none.path("configured").asBoolean()).isFalse();

        var body = Map.of(
                "host",
                "127.0.0.1",
                "port",
                1,
                "user",
                "root@pam",
                "token_name",
                "hal0",
                "token_value",
                "top-secret-token");
        var tested = json(expect(200, hal0.send("POST", "/api/settings/proxmox/test", body)));
        assertThat(tested.path("ok").asBoolean()).isFalse();
        assertThat(json(hal0.get("/api/settings/proxmox")).path("configured").asBoolean())
                .isFalse();

        HttpResponse<String> saved = expect(200, hal0.send("PUT", "/api/settings/proxmox", body));
        assertThat(saved.body()).doesNotContain("top-secret-token");
        assertThat(json(saved).path("token_value_set").asBoolean()).isTrue();
        assertThat(hal0.get("/api/settings/proxmox").body()).doesNotContain("top-secret-token");

        HttpResponse<String> moved = hal0.send("PUT", "/api/settings/proxmox", Map.of("host", "127.0.0.2"));
        assertThat(moved.statusCode()).isEqualTo(400);
        assertThat(error(moved).path("code").asString()).isEqualTo("proxmox.config_invalid");
        expect(200, hal0.send("DELETE", "/api/settings/proxmox", ""));
    }

    @Test
    void modelEntry_isChangedWithoutLosingWhatAPersonWrote() throws Exception {
        Path registry = dev.hal0.kernel.HomeDirectory.under(hal0.root).modelRegistry();
        Files.writeString(registry, "# mine\n" + Files.readString(registry));

        var changed = json(expect(
                200,
                hal0.send(
                        "PUT",
                        "/api/models/tiny",
                        Map.of("name", "Tiny one", "labels", List.of("chat", "tool-calling"), "license", "MIT"))));

        assertThat(changed.path("name").asString()).isEqualTo("Tiny one");
        assertThat(changed.path("labels").toString()).contains("tool-calling");
        assertThat(changed.path("license").asString()).isEqualTo("MIT");
        assertThat(Files.readString(registry)).startsWith("# mine\n");
        assertThat(hal0.send("PUT", "/api/models/tiny", Map.of("path", "/elsewhere"))
                        .statusCode())
                .isEqualTo(400);
        assertThat(hal0.send("PUT", "/api/models/nobody", Map.of("name", "x")).statusCode())
                .isEqualTo(404);
        assertThat(hal0.send("PUT", "/api/models/all-minilm-l6-v2", Map.of("name", "x"))
                        .statusCode())
                .isEqualTo(409);
    }
}
