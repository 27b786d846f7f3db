package dev.hal0.server;

import static dev.hal0.server.ServerFixture.chat;
import static dev.hal0.server.ServerFixture.error;
import static dev.hal0.server.ServerFixture.expect;
import static dev.hal0.server.ServerFixture.freePort;
import static dev.hal0.server.ServerFixture.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hal0.kernel.HomeDirectory;
import dev.hal0.kernel.Json;
import dev.hal0.testing.Fact;
import dev.hal0.testing.InvariantChecker;
import dev.hal0.testing.Violation;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Breaks a box on purpose; each scenario ends with the invariants, held against the journal. */
@Tag("chaos")
class ChaosTest {
    private static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final Pattern URL = Pattern.compile("listening on (http://\\S+)");
    private static final String QUICK = "[slots]\nstop_grace_s = 1\n";
    private static final List<String> table = Collections.synchronizedList(new ArrayList<>());

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path root;

    @SuppressWarnings("NullAway.Init")
    private ServerFixture hal0;

    private final List<AutoCloseable> cleanUps = new ArrayList<>();
    private final List<Fact> asked = Collections.synchronizedList(new ArrayList<>());
    private boolean closed;

    @AfterEach
    void stop() throws Exception {
        closeBox();
        for (AutoCloseable cleanUp : cleanUps.reversed()) {
            cleanUp.close();
        }
    }

    @AfterAll
    static void printTable() {
        table.forEach(row -> System.out.println("chaos | " + row));
    }

    private void begin(String settings) throws IOException {
        hal0 = ServerFixture.withFakeEngine(root.resolve("home"), settings);
        hal0.addModel("tiny");
    }

    private void slot(String name, String more) throws IOException {
        hal0.slotFile(name, "type = \"llm\"\nport = " + freePort() + "\n" + more + "[model]\ndefault = \"tiny\"\n");
        await().atMost(PATIENCE)
                .until(() -> json(hal0.get("/api/slots"))
                        .valueStream()
                        .anyMatch(slot -> slot.path("name").asString().equals(name)));
        expect(200, hal0.send("PUT", "/api/slots/" + name + "/config", Map.of()));
    }

    private void chatSlot(String more) throws IOException {
        slot("chat", "default = true\n" + more);
    }

    private void closeBox() {
        if (!closed) {
            closed = true;
            hal0.close();
        }
    }

    /** The box is stopped, and its journal is read to the end. */
    private void finish(ChaosScenario scenario, String observed) throws Exception {
        closeBox();
        Path journal = HomeDirectory.under(hal0.root).journal();
        List<Fact> facts = JournalFacts.read(journal);
        var violations = new ArrayList<Violation>(JournalFacts.check(journal));
        violations.addAll(InvariantChecker.check(List.copyOf(asked), PATIENCE));
        table.add(scenario.done() + " | " + observed + " | "
                + (violations.isEmpty() ? "all hold over " + facts.size() + " facts" : violations.toString()));
        assertThat(violations).isEmpty();
        // A journal in which nothing happened proves nothing.
        assertThat(facts).hasAtLeastOneElementOfType(Fact.StateChanged.class);
        assertThat(facts).hasAtLeastOneElementOfType(Fact.OperationEnded.class);
    }

    private String incarnation(String slot) {
        return hal0.slot(slot).path("incarnation").asString();
    }

    private void awaitState(String slot, String state) {
        await().atMost(PATIENCE)
                .until(() -> hal0.slot(slot).path("state").asString().equals(state));
    }

    private void signalEngine(String slot, String name) throws Exception {
        signal(Long.parseLong(incarnation(slot).split(":", -1)[1]), name);
    }

    private static void signal(long pid, String name) throws Exception {
        var kill = new ProcessBuilder("/bin/sh", "-c", "kill -" + name + " " + pid).start();
        assertThat(kill.waitFor(10, TimeUnit.SECONDS)).isTrue();
    }

    private BufferedReader streamFrom(String url, Object... more) throws Exception {
        var body = new ArrayList<Object>(List.of("stream", true));
        body.addAll(List.of(more));
        HttpResponse<InputStream> response = hal0.client.send(
                HttpRequest.newBuilder(URI.create(url + "/v1/chat/completions"))
                        .timeout(PATIENCE)
                        .POST(HttpRequest.BodyPublishers.ofString(Json.STRICT.writeValueAsString(chat(body.toArray()))))
                        .build(),
                HttpResponse.BodyHandlers.ofInputStream());
        assertThat(response.statusCode()).isEqualTo(200);
        return new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
    }

    private BufferedReader stream(Object... more) throws Exception {
        return streamFrom(hal0.url(""), more);
    }

    private static String rest(BufferedReader stream) throws IOException {
        var lines = new ArrayList<String>();
        for (String line = stream.readLine(); line != null; line = stream.readLine()) {
            if (!line.isEmpty()) {
                lines.add(line);
            }
        }
        return String.join("\n", lines);
    }

    private String answer(Object... more) {
        return expect(200, hal0.send("POST", "/v1/chat/completions", chat(more)))
                .body();
    }

    @Test
    void apiKilled_engineIsAdopted() throws Exception {
        begin(QUICK);
        hal0.load("chat", "tiny");
        String before = incarnation("chat");
        hal0.endControlPlane();
        Process serve = hal0.serveAsProcess();
        cleanUps.add(() -> serve.destroyForcibly().waitFor());
        String url = "";
        BufferedReader output = serve.inputReader();
        for (String line = output.readLine(); url.isEmpty(); line = output.readLine()) {
            assertThat(line).as("what serve prints").isNotNull();
            var found = URL.matcher(line);
            url = found.find() ? found.group(1) : "";
        }
        try (BufferedReader stream = streamFrom(url, "fake_tokens", 100_000, "fake_spacing_ms", 25)) {
            assertThat(stream.readLine()).contains("t0 ");
            signal(serve.pid(), "KILL");
            assertThat(serve.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
        hal0.beginControlPlane();
        answer();
        assertThat(incarnation("chat")).isEqualTo(before);
        assertThat(engineStarts("chat")).isEqualTo(1);
        finish(ChaosScenario.API_KILLED, "adopted, same incarnation, 1 engine start");
    }

    private long engineStarts(String slot) {
        return json(hal0.get("/api/slots/" + slot + "/logs?lines=5000"))
                .path("logs")
                .valueStream()
                .filter(line -> line.asString().contains("started with"))
                .count();
    }

    @Test
    void engineKilledInLoad_failsAndComesBack() throws Exception {
        begin(QUICK);
        chatSlot("[server]\nenv = { FAKE_LOAD_MS = \"60000\" }\n");
        String load = json(hal0.send("POST", "/api/slots/chat/load", Map.of()))
                .path("operation")
                .path("id")
                .asString();
        awaitState("chat", "warming");
        signalEngine("chat", "KILL");
        var ended = json(hal0.get("/api/operations/" + load + "?wait=20"));
        assertThat(ended.path("status").asString()).isEqualTo("failed");
        assertThat(ended.path("error").path("code").asString()).isEqualTo("slot.crashed");
        chatSlot("");
        await().atMost(PATIENCE)
                .until(() -> hal0.send("POST", "/v1/chat/completions", chat()).statusCode() == 200);
        finish(ChaosScenario.ENGINE_KILLED_IN_LOAD, "slot.crashed; answered by a new engine");
    }

    /** Pitfall P4: an engine that dies over and over must not be shown as warming. */
    @Test
    void outOfMemory_saysSo() throws Exception {
        begin(QUICK);
        chatSlot("[server]\nenv = { FAKE_LOAD_MS = \"60000\", FAKE_EXIT = \"137\", FAKE_EXIT_AFTER_MS = \"500\" }\n");
        HttpResponse<String> load = hal0.send("POST", "/api/slots/chat/load?wait=30", Map.of());
        assertThat(load.statusCode()).isEqualTo(502);
        assertThat(error(load).path("message").asString()).contains("137");
        assertThat(hal0.slot("chat").path("state").asString()).isNotEqualTo("ready");
        finish(
                ChaosScenario.OUT_OF_MEMORY,
                "502, \"" + error(load).path("message").asString() + "\"");
    }

    @Test
    void engineKilledInStream_endsTheStreamProperly() throws Exception {
        begin(QUICK);
        killInStream();
        finish(ChaosScenario.ENGINE_KILLED_IN_STREAM, "error event, [DONE], then a new engine");
    }

    @Test
    void realEngineKilledInStream_endsTheStreamProperly() throws Exception {
        String given = System.getenv("HAL0_TEST_LLAMA_SERVER");
        hal0 = given == null
                ? ServerFixture.withInstalledEngine(root.resolve("home"))
                : ServerFixture.withLlamaServer(root.resolve("home"), Path.of(given));
        hal0.addModel("tiny");
        killInStream();
        finish(ChaosScenario.REAL_ENGINE_KILLED_IN_STREAM, "error event, [DONE], then a new engine");
    }

    private void killInStream() throws Exception {
        hal0.load("chat", "tiny");
        String before = incarnation("chat");
        try (BufferedReader stream =
                stream("fake_tokens", 100_000, "fake_spacing_ms", 10, "max_tokens", 100_000, "ignore_eos", true)) {
            assertThat(stream.readLine()).startsWith("data: ");
            signalEngine("chat", "KILL");
            assertThat(rest(stream)).contains("\"error\"").endsWith("data: [DONE]");
        }
        await().atMost(PATIENCE)
                .until(() -> hal0.send("POST", "/v1/chat/completions", chat("max_tokens", 1))
                                .statusCode()
                        == 200);
        assertThat(incarnation("chat")).isNotEqualTo(before);
    }

    @Test
    void engineFrozen_isReplacedAndOthersDoNotNotice() throws Exception {
        begin(QUICK + "hung_after_s = 3\n");
        slot("coder", "");
        hal0.load("chat", "tiny");
        hal0.load("coder", "tiny");
        String frozen = incarnation("chat");
        String other = incarnation("coder");
        try (BufferedReader inside = stream("fake_tokens", 100_000, "fake_spacing_ms", 20);
                BufferedReader beside = stream("model", "coder", "fake_tokens", 1_000, "fake_spacing_ms", 20)) {
            assertThat(inside.readLine()).contains("t0 ");
            signalEngine("chat", "STOP");
            assertThat(rest(inside)).contains("\"error\"").endsWith("data: [DONE]");
            assertThat(rest(beside))
                    .contains("t999 ")
                    .doesNotContain("\"error\"")
                    .endsWith("data: [DONE]");
        }
        await().atMost(PATIENCE).untilAsserted(() -> {
            assertThat(hal0.slot("chat").path("state").asString()).isEqualTo("ready");
            assertThat(incarnation("chat")).isNotEqualTo(frozen);
        });
        assertThat(incarnation("coder")).isEqualTo(other);
        finish(
                ChaosScenario.ENGINE_FROZEN,
                "revoked with an error event, a new engine; the other slot's 1000 tokens whole");
    }

    @Test
    void diskFull_startsNothingThatIsNotRecorded() throws Exception {
        Path variable = root.resolve("home/var");
        Files.createDirectories(variable);
        Assumptions.assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", variable.toString()) == 0,
                "a small file system can only be mounted by root");
        cleanUps.add(() -> run("umount", "-l", variable.toString()));
        begin(QUICK);
        slot("coder", "");
        hal0.load("chat", "tiny");
        String before = incarnation("chat");
        Path filler = variable.resolve("filler");
        try (BufferedReader stream = stream("fake_tokens", 200, "fake_spacing_ms", 20)) {
            assertThat(stream.readLine()).contains("t0 ");
            fill(filler);
            HttpResponse<String> refused = hal0.send("POST", "/api/slots/coder/load?wait=30", Map.of());
            assertThat(refused.statusCode()).isGreaterThanOrEqualTo(500);
            assertThat(hal0.slot("coder").path("incarnation").isNull()).isTrue();
            assertThat(rest(stream)).doesNotContain("\"error\"").endsWith("data: [DONE]");
            Files.delete(filler);
            hal0.restartControlPlane();
            awaitState("chat", "ready");
            assertThat(incarnation("chat")).isEqualTo(before);
            expect(200, hal0.send("POST", "/api/slots/coder/load?wait=30", Map.of()));
            finish(
                    ChaosScenario.DISK_FULL,
                    "load refused with " + error(refused).path("code").asString() + ", stream whole, loads again");
        }
    }

    private static int run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getInputStream().readAllBytes();
        return process.waitFor();
    }

    private static void fill(Path file) throws IOException {
        byte[] block = new byte[64 * 1024];
        try (var output = Files.newOutputStream(file)) {
            for (int size = block.length; size > 0; size /= 16) {
                try {
                    while (true) {
                        output.write(block, 0, size);
                    }
                } catch (IOException full) {
                    // Goes on with smaller pieces.
                }
            }
        }
    }

    @Test
    void clockJumps_changeNothing() throws Exception {
        var clock = new MovableClock();
        hal0 = ServerFixture.withFakeEngine(root.resolve("home"), QUICK, clock);
        hal0.addModel("tiny");
        chatSlot("unload_after_s = 3600\n");
        slot("coder", "");
        hal0.load("chat", "tiny");
        String before = incarnation("chat");
        try (BufferedReader stream = stream("fake_tokens", 150, "fake_spacing_ms", 20)) {
            assertThat(stream.readLine()).contains("t0 ");
            clock.jump(Duration.ofHours(2));
            expect(200, hal0.send("POST", "/api/slots/coder/load?wait=30", Map.of()));
            clock.jump(Duration.ofHours(-4));
            expect(200, hal0.send("POST", "/api/slots/coder/unload?wait=30", Map.of()));
            expect(200, hal0.send("POST", "/api/slots/coder/load?wait=30", Map.of()));
            assertThat(rest(stream))
                    .contains("t149 ")
                    .doesNotContain("\"error\"")
                    .endsWith("data: [DONE]");
        }
        // Nobody is inside any more: by the wall clock it would now have been unused for hours.
        clock.jump(Duration.ofHours(8));
        expect(200, hal0.send("POST", "/api/slots/coder/unload?wait=30", Map.of()));
        expect(200, hal0.send("POST", "/api/slots/coder/load?wait=30", Map.of()));
        assertThat(incarnation("chat")).isEqualTo(before);
        finish(ChaosScenario.CLOCK_JUMPS, "stream whole, same engine, another slot loaded after each jump");
    }

    @Test
    void hundredToOneColdSlot_loadItOnce() throws Exception {
        begin(QUICK);
        // With the line of 64 in front of it, everybody is inside or in line.
        chatSlot("parallel = 40\n");
        var answers = new ArrayList<CompletableFuture<HttpResponse<String>>>();
        for (int i = 0; i < 100; i++) {
            String waiter = "request " + i;
            asked.add(
                    new Fact.Queued(Instant.now(), waiter, "chat", Instant.now().plus(PATIENCE)));
            answers.add(hal0.client
                    .sendAsync(
                            hal0.request("/v1/chat/completions")
                                    .POST(HttpRequest.BodyPublishers.ofString(Json.STRICT.writeValueAsString(chat())))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .whenComplete((response, failure) ->
                            asked.add(new Fact.Answered(Instant.now(), waiter, String.valueOf(response)))));
        }
        assertThat(answers.stream().map(CompletableFuture::join).map(HttpResponse::statusCode))
                .containsOnly(200);
        assertThat(engineStarts("chat")).isEqualTo(1);
        closeBox();
        assertThat(JournalFacts.read(HomeDirectory.under(hal0.root).journal()))
                .filteredOn(Fact.Launched.class::isInstance)
                .hasSize(1);
        finish(ChaosScenario.HUNDRED_TO_ONE_COLD_SLOT, "1 load, 100 answers of 200");
    }

    @Test
    void threeSlotsInRoomForTwo_takeTurns() throws Exception {
        hal0 = ServerFixture.withFakeEngine(root.resolve("measuring"), "[slots]\nmemory_budget_mb = 40\n");
        hal0.addModel("tiny");
        long need = error(hal0.send("POST", "/api/slots/chat/load?wait=30", Map.of("model", "tiny")))
                .path("details")
                .path("evidence")
                .path("need_bytes")
                .asLong();
        hal0.close();
        assertThat(need).isPositive();
        begin(QUICK + "memory_budget_mb = " + ((need * 5 / 2) >> 20) + "\n");
        List<String> slots = List.of("chat", "coder", "writer");
        chatSlot("");
        slot("coder", "");
        slot("writer", "");
        Map<String, Long> longest = new ConcurrentHashMap<>();
        Map<String, Integer> served = new ConcurrentHashMap<>();
        Instant end = Instant.now().plusSeconds(Integer.getInteger("hal0.chaos.traffic_s", 25));
        try (var clients = Executors.newVirtualThreadPerTaskExecutor()) {
            var done = new ArrayList<CompletableFuture<Void>>();
            for (int client = 0; client < 6; client++) {
                String slot = slots.get(client % slots.size());
                String name = "client " + client;
                done.add(CompletableFuture.runAsync(() -> traffic(slot, name, end, longest, served), clients));
            }
            CompletableFuture.allOf(done.toArray(CompletableFuture[]::new)).get(170, TimeUnit.SECONDS);
        }
        closeBox();
        var evicted = new TreeMap<String, Integer>();
        for (Fact fact : JournalFacts.read(HomeDirectory.under(hal0.root).journal())) {
            if (fact instanceof Fact.StateChanged changed && changed.cause().equals("evicted")) {
                evicted.merge(changed.slot(), 1, Integer::sum);
            }
        }
        assertThat(served).containsOnlyKeys(slots);
        assertThat(evicted).isNotEmpty();
        finish(
                ChaosScenario.THREE_SLOTS_IN_ROOM_FOR_TWO,
                "evicted " + evicted + ", served whole " + new TreeMap<>(served) + ", longest wait in ms "
                        + new TreeMap<>(longest));
    }

    private void traffic(
            String slot, String client, Instant end, Map<String, Long> longest, Map<String, Integer> served) {
        for (int i = 0; Instant.now().isBefore(end); i++) {
            String waiter = client + " request " + i;
            Instant begun = Instant.now();
            asked.add(new Fact.Queued(begun, waiter, slot, begun.plusSeconds(150)));
            try (BufferedReader stream = stream("model", slot, "fake_tokens", 10, "fake_spacing_ms", 20)) {
                String line = stream.readLine();
                while (line != null && (line.isEmpty() || line.startsWith(":"))) {
                    line = stream.readLine();
                }
                longest.merge(slot, Duration.between(begun, Instant.now()).toMillis(), Math::max);
                assertThat(line + "\n" + rest(stream))
                        .contains("t0 ", "t9 ")
                        .doesNotContain("\"error\"")
                        .endsWith("data: [DONE]");
            } catch (Exception failure) {
                throw new AssertionError(waiter + " to " + slot, failure);
            }
            asked.add(new Fact.Answered(Instant.now(), waiter, "whole"));
            served.merge(slot, 1, Integer::sum);
        }
    }
}
