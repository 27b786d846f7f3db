package dev.hal0.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.ErrorEnvelope;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Every command from its arguments to its output, against a server that answers by script. */
class CliTest {
    private static final String SLOT = """
            {"name":"chat","type":"llm","state":"ready","model":"qwen","engine":"llama.cpp","port":8081,
             "memory_bytes":1073741824,"message":"","config_dirty":false,"actions":["unload"],"incarnation":null}""";
    private static final String MODEL = """
            {"id":"qwen","architecture":"qwen3","quantization":"Q4_K_M","size_bytes":2048,"context_length":4096,
             "capabilities":["chat"],"engines":["llama.cpp"],"path":null,"file_state":"present"}""";
    private static final String SSE = "text/event-stream";

    private record Scripted(int status, String type, String body, boolean breaksOff) {
        static Scripted json(int status, String body) {
            return new Scripted(status, "application/json", body, false);
        }
    }

    private record Result(int exit, String out, String err) {
        JsonNode json() {
            assertThat(out).doesNotContain("\u001b");
            return Json.STRICT.readTree(out);
        }

        String code() {
            return json().path("error").path("code").asString("");
        }
    }

    private final Map<String, ArrayDeque<Scripted>> script = new ConcurrentHashMap<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final List<JsonNode> bodies = new CopyOnWriteArrayList<>();
    private final HttpServer http = server();

    @BeforeEach
    void start() {
        http.createContext("/", this::answer);
        http.start();
    }

    @AfterEach
    void stop() {
        http.stop(0);
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String request = exchange.getRequestMethod() + " " + exchange.getRequestURI();
            requests.add(request);
            byte[] body = exchange.getRequestBody().readAllBytes();
            if (body.length > 0) {
                bodies.add(Json.LENIENT.readTree(body));
            }
            ArrayDeque<Scripted> answers = script.getOrDefault(request, new ArrayDeque<>());
            Scripted next = answers.size() > 1 ? answers.poll() : answers.peek();
            if (next == null) {
                next = Scripted.json(500, "{\"unscripted\":\"" + request + "\"}");
            }
            if (next.status() == 0) {
                return;
            }
            byte[] bytes = next.body().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", next.type());
            exchange.sendResponseHeaders(next.status(), next.breaksOff() ? bytes.length + 100 : bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.getResponseBody().flush();
        }
    }

    @Test
    void status_isATableAndTheNextStep() {
        on(
                "GET /api/status",
                200,
                "{\"version\":\"1\",\"runtime\":\"process\",\"models\":2,\"home\":\"/h\",\"slots\":[" + SLOT
                        + "],\"next\":\"hal0 chat\"}");

        Result result = run("status");

        assertThat(result.exit()).isZero();
        assertThat(result.out())
                .contains("hal0 1 at http://127.0.0.1:", "2 models", "home /h", "Next: hal0 chat")
                .containsPattern("NAME +STATE +MODEL")
                .containsPattern("chat +ready +qwen +llama.cpp +8081 +1.0 GiB");
        assertThat(result.err()).isEmpty();
        assertThat(run("status", "--json").json().path("models").asInt()).isEqualTo(2);
    }

    @Test
    void slotList_showsEachSlotAlsoUnderItsShortName() {
        on("GET /api/slots", 200, "[" + SLOT + "]");

        assertThat(run("slot", "list").out()).containsPattern("chat +ready");
        assertThat(run("slot", "ls").exit()).isZero();
        assertThat(run("slot", "list", "--json").json().path(0).path("name").asString())
                .isEqualTo("chat");
    }

    @Test
    void emptyList_isAHeaderOnly() {
        on("GET /api/slots", 200, "[]");

        assertThat(run("slot", "list").out().lines()).hasSize(1);
    }

    @Test
    void slotShow_hasStatusAndConfig() {
        on("GET /api/slots/chat", 200, SLOT);
        on("GET /api/slots/chat/config", 200, "{\"name\":\"chat\",\"model\":{\"default\":\"qwen\"}}");

        assertThat(run("slot", "show", "chat").out())
                .containsPattern("state +ready")
                .containsPattern("actions +\\[\"unload\"]")
                .doesNotContain("incarnation")
                .containsPattern("model +\\{\"default\":\"qwen\"}");
        JsonNode json = run("slot", "show", "chat", "--json").json();
        assertThat(json.path("status").path("port").asInt()).isEqualTo(8081);
        assertThat(json.path("config").path("name").asString()).isEqualTo("chat");
    }

    @Test
    void slotName_isEscapedInThePath() {
        run("slot", "resolved", "a b/c?d");

        assertThat(requests).containsExactly("GET /api/slots/a%20b%2Fc%3Fd/resolved");
    }

    @Test
    void slotCreate_sendsWhatWasSaid() {
        on("POST /api/slots", 201, SLOT);

        Result result = run(
                "slot",
                "create",
                "chat",
                "--type",
                "llm",
                "-m",
                "qwen",
                "-p",
                "8081",
                "--ctx-size",
                "512",
                "--parallel",
                "2");

        assertThat(result.exit()).isZero();
        assertThat(result.out()).contains("Created slot chat on port 8081");
        assertThat(bodies.getFirst()).isEqualTo(Json.LENIENT.readTree("""
                                {"name":"chat","type":"llm","device":"cpu","parallel":2,"model":"qwen","port":8081,
                                 "context_size":512}"""));
    }

    @Test
    void slotLoad_followsTheOperationAndShowsTheSlot() {
        on(
                "POST /api/slots/chat/load",
                202,
                "{\"operation\":" + operation("running", "starting") + ",\"slot\":" + SLOT + "}");
        on("GET /api/operations/op1?wait=1", 200, operation("running", "warming"));
        on("GET /api/operations/op1?wait=1", 200, operation("running", "warming"));
        on("GET /api/operations/op1?wait=1", 200, operation("succeeded", "ready"));
        on("GET /api/slots/chat", 200, SLOT);

        Result result = run("slot", "load", "chat", "--model", "qwen");

        assertThat(result.exit()).isZero();
        assertThat(result.out()).isEqualTo("Loaded chat: ready, model qwen\n");
        assertThat(result.err()).isEqualTo("  starting\n  warming\n");
        assertThat(bodies.getFirst().toString()).isEqualTo("{\"model\":\"qwen\",\"create\":true}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"load", "unload", "restart"})
    void lifecycleInJson_isOneDocument(String verb) {
        on("POST /api/slots/chat/" + verb, 202, "{\"operation\":" + operation("running", "starting") + "}");
        on("GET /api/operations/op1?wait=1", 200, operation("succeeded", "done"));
        on("GET /api/slots/chat", 200, SLOT);

        Result result = run("slot", verb, "chat", "--json");

        assertThat(result.exit()).isZero();
        assertThat(result.err()).isEmpty();
        assertThat(result.json().path("operation").path("status").asString()).isEqualTo("succeeded");
        assertThat(result.json().path("slot").path("name").asString()).isEqualTo("chat");
    }

    @Test
    void failedOperation_hasItsOwnExitCodeAndRemedy() {
        on("POST /api/slots/chat/load", 202, "{\"operation\":" + operation("running", "starting") + "}");
        on(
                "GET /api/operations/op1?wait=1",
                200,
                "{\"id\":\"op1\",\"status\":\"failed\",\"message\":\"x\",\"error\":"
                        + envelope(ErrorCode.SLOT_PORT_CONFLICT).path("error") + "}");

        Result result = run("slot", "load", "chat");

        assertThat(result.exit()).isEqualTo(ExitCode.CONFLICT);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).contains("Error: said", ErrorCode.SLOT_PORT_CONFLICT.remedy());
    }

    @Test
    void noWait_returnsAtOnce() {
        on("POST /api/slots/chat/unload", 202, "{\"operation\":" + operation("running", "draining") + "}");

        assertThat(run("slot", "unload", "chat", "--no-wait", "--force").out()).isEqualTo("Accepted as op1.\n");
        assertThat(bodies.getFirst().path("force").asBoolean()).isTrue();
        assertThat(requests).hasSize(1);
    }

    @Test
    void slotDelete_tellsHowToUndoIt() {
        on("GET /api/slots/chat/config", 200, "{\"type\":\"llm\",\"port\":8081,\"model\":{\"default\":\"qwen\"}}");
        on("DELETE /api/slots/chat?force=true", 200, "{\"deleted\":true}");

        Result result = run("slot", "delete", "chat", "--force");

        assertThat(result.exit()).isZero();
        assertThat(result.out()).contains("hal0 slot create chat --type llm --port 8081 --model qwen");
    }

    @ParameterizedTest
    @CsvSource({"slot,delete,chat", "slot,rm,chat", "model,rm,qwen", "model,delete,qwen"})
    void destructiveWithoutForceOffATerminal_isUsageAndChangesNothing(String group, String verb, String name) {
        on("GET /api/slots/chat/config", 200, "{}");
        on("GET /api/models/qwen", 200, MODEL);

        Result human = run(group, verb, name);
        Result json = run(group, verb, name, "--json");

        assertThat(human.exit()).isEqualTo(ExitCode.USAGE);
        assertThat(human.err()).contains("--force");
        assertThat(json.exit()).isEqualTo(ExitCode.USAGE);
        assertThat(json.code()).isEqualTo("cli.confirmation_needed");
        assertThat(requests).noneMatch(request -> request.startsWith("DELETE"));
    }

    @Test
    void logs_areLines() {
        on("GET /api/slots/chat/logs?lines=5", 200, "{\"logs\":[\"one\",\"zwei €\"]}");

        assertThat(run("slot", "logs", "chat", "-n", "5").out()).isEqualTo("one\nzwei €\n");
        assertThat(run("slot", "logs", "chat", "-n", "5", "--json")
                        .json()
                        .path("logs")
                        .size())
                .isEqualTo(2);
    }

    @Test
    void followedLogs_endWithTheStream() {
        onStream("GET /api/slots/chat/logs/stream?backfill=200", ": hello\n\ndata: \"one\"\n\ndata: \"  two\"\n\n");

        Result result = run("slot", "logs", "chat", "-f");

        assertThat(result.exit()).isZero();
        assertThat(result.out()).isEqualTo("one\n  two\n");
    }

    @Test
    void resolved_isTheArgumentVector() {
        on("GET /api/slots/chat/resolved", 200, "{\"argv\":[\"llama-server\",\"--port\"]}");

        assertThat(run("slot", "resolved", "chat").out()).isEqualTo("llama-server\n--port\n");
    }

    @Test
    void modelCommands_showWhatTheServerSays() {
        on("POST /api/models", 201, MODEL);
        on("GET /api/models", 200, "[" + MODEL + "]");
        on("GET /api/models/qwen", 200, MODEL);
        on("DELETE /api/models/qwen?force=true", 200, "{\"id\":\"qwen\",\"restore\":{\"path\":\"/m.gguf\"}}");

        assertThat(run("model", "add", "rel.gguf", "--id", "qwen").out())
                .contains("Added qwen: qwen3 Q4_K_M, 2.0 KiB, context 4096, chat", "hal0 slot load chat --model qwen");
        assertThat(bodies.getFirst().path("path").asString())
                .isEqualTo(Path.of("rel.gguf").toAbsolutePath().toString());
        assertThat(run("model", "list").out()).containsPattern("qwen +2.0 KiB +qwen3 +Q4_K_M +4096 +chat +present");
        assertThat(run("model", "show", "qwen").out())
                .containsPattern("capabilities +chat")
                .containsPattern("path +-?");
        assertThat(run("model", "rm", "qwen", "-f").out()).contains("hal0 model add /m.gguf --id qwen");
        for (String[] command : List.of(
                new String[] {"model", "add", "x", "--json"},
                new String[] {"model", "list", "--json"},
                new String[] {"model", "show", "qwen", "--json"},
                new String[] {"model", "rm", "qwen", "-f", "--json"})) {
            assertThat(run(command).json().isMissingNode()).isFalse();
        }
    }

    @Test
    void engineList_showsUse() {
        on(
                "GET /api/engines",
                200,
                "[{\"name\":\"llama.cpp\",\"installed\":true,\"version\":\"1\",\"source\":\"path\",\"used_by\":[\"chat\",\"b\"]}]");

        assertThat(run("engine", "list").out()).containsPattern("llama.cpp +yes +1 +path +chat,b");
        assertThat(run("engine", "list", "--json").json().size()).isEqualTo(1);
    }

    @Test
    void engineInstall_showsProgressThenTheResult() {
        onStream(
                "POST /api/engines/llama.cpp/install",
                "event: progress\ndata: {\"message\":\"fetching\"}\n\nevent: done\ndata: {\"version\":\"7\",\"source\":\"installed\"}\n\n");

        Result result = run("engine", "install", "llama.cpp");

        assertThat(result.exit()).isZero();
        assertThat(result.err()).isEqualTo("  fetching\n");
        assertThat(result.out()).isEqualTo("Installed llama.cpp 7 (installed).\n");
        assertThat(run("engine", "install", "llama.cpp", "--json")
                        .json()
                        .path("version")
                        .asString())
                .isEqualTo("7");
    }

    @Test
    void engineInstallThatFailsOrBreaks_isNoSuccess() {
        onStream(
                "POST /api/engines/a/install",
                "event: error\ndata: " + envelope(ErrorCode.ENGINE_MIRROR_UNSUITABLE) + "\n\n");
        onStream("POST /api/engines/b/install", "event: progress\ndata: {\"message\":\"fetching\"}\n\n");

        assertThat(run("engine", "install", "a").exit()).isEqualTo(ExitCode.CONFLICT);
        assertThat(run("engine", "install", "a", "--json").code()).isEqualTo("engine.mirror_unsuitable");
        assertThat(run("engine", "install", "b").exit()).isEqualTo(ExitCode.TIMED_OUT);
    }

    @Test
    void chat_streamsTheWordsOnly() {
        onStream(
                "POST /v1/chat/completions",
                word("Hel") + word("lo €")
                        + "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n: keep\n\ndata: [DONE]\n\n");

        Result result = run("chat", "--system", "be brief", "--max-tokens", "5", "say", "hello");

        assertThat(result.exit()).isZero();
        assertThat(result.out()).isEqualTo("Hello €\n");
        assertThat(result.err()).isEmpty();
        JsonNode body = bodies.getFirst();
        assertThat(body.path("model").asString()).isEqualTo("chat");
        assertThat(body.path("max_tokens").asInt()).isEqualTo(5);
        assertThat(body.path("messages").toString()).contains("be brief", "say hello");
    }

    @Test
    void chatInJson_isTheWholeAnswer() {
        on("POST /v1/chat/completions", 200, "{\"choices\":[{\"message\":{\"content\":\"hi\"}}]}");

        Result result = run("chat", "--json", "-m", "qwen", "hello");

        assertThat(result.json().path("choices").size()).isEqualTo(1);
        assertThat(bodies.getFirst().path("stream").asBoolean(true)).isFalse();
        assertThat(bodies.getFirst().path("model").asString()).isEqualTo("qwen");
    }

    @Test
    void chatWithAnErrorEvent_failsWithItsCode() {
        onStream("POST /v1/chat/completions", word("Hel") + "data: " + envelope(ErrorCode.SLOT_NOT_FOUND) + "\n\n");

        Result result = run("chat", "hello");

        assertThat(result.exit()).isEqualTo(ExitCode.NOT_FOUND);
        assertThat(result.out()).isEqualTo("Hel");
        assertThat(result.err()).contains("Error: said");
    }

    @Test
    void chatWhoseConnectionBreaks_fails() {
        script.put("POST /v1/chat/completions", new ArrayDeque<>(List.of(new Scripted(200, SSE, word("Hel"), true))));

        Result result = run("chat", "hello");

        assertThat(result.exit()).isEqualTo(ExitCode.FAILED);
        assertThat(result.err()).contains("broke off");
    }

    @Test
    void chatThatEndsWithoutItsEnd_fails() {
        onStream("POST /v1/chat/completions", word("Hel"));

        Result result = run("chat", "hello");

        assertThat(result.exit()).isEqualTo(ExitCode.FAILED);
        assertThat(result.err()).contains("before it was complete");
    }

    @ParameterizedTest
    @CsvSource({
        "400,6", "401,7", "403,7", "404,3", "405,1", "408,8", "409,4", "412,4", "413,1", "422,6", "500,1", "502,1",
        "503,1", "504,8"
    })
    void status_decidesTheExitCode(int status, int exit) {
        on("GET /api/slots", status, "not ours");

        assertThat(run("slot", "list").exit()).isEqualTo(exit);
        Result json = run("slot", "list", "--json");
        assertThat(json.exit()).isEqualTo(exit);
        assertThat(json.code()).isEqualTo("http." + status);
        assertThat(json.err()).isEmpty();
    }

    @Test
    void serversOwnError_isPassedOnWholeInJson() {
        JsonNode error = envelope(ErrorCode.SLOT_NOT_FOUND);
        on("GET /api/slots/x/resolved", 404, error.toString());

        assertThat(run("slot", "resolved", "x", "--json").json()).isEqualTo(error);
        assertThat(run("slot", "resolved", "x").err()).contains("Error: said", ErrorCode.SLOT_NOT_FOUND.remedy());
    }

    @Test
    void nobodyThere_isUnreachable() throws IOException {
        int port;
        try (var socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        String url = "http://127.0.0.1:" + port;

        assertThat(execute("status", "--api-url", url).exit()).isEqualTo(ExitCode.UNREACHABLE);
        Result json = execute("status", "--json", "--api-url", url);
        assertThat(json.exit()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(json.code()).isEqualTo("cli.unreachable");
    }

    @Test
    void brokenConnection_doesNotRepeatAPost() {
        script.put("POST /api/slots/chat/load", new ArrayDeque<>(List.of(Scripted.json(0, ""))));

        assertThat(run("slot", "load", "chat").exit()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(requests).containsExactly("POST /api/slots/chat/load");
    }

    @Test
    void somethingElseThatAnswers_isSaid() {
        on("GET /api/slots", 200, "<html>");

        assertThat(run("slot", "list", "--json").code()).isEqualTo("cli.not_hal0");
    }

    @Test
    void wrongUse_isExit2AndJsonWhereAsked() {
        for (List<String> wrong : List.of(
                List.of("slot", "list", "--nonsense"),
                List.of("nonsense"),
                List.of("slot", "show"),
                List.of("slot", "create", "x", "--port", "many"))) {
            Result human = execute(wrong.toArray(String[]::new));
            assertThat(human.exit()).isEqualTo(ExitCode.USAGE);
            assertThat(human.out()).isEmpty();
            assertThat(human.err()).isNotEmpty();

            var withJson = new ArrayList<>(wrong);
            withJson.add("--json");
            Result json = execute(withJson.toArray(String[]::new));
            assertThat(json.exit()).isEqualTo(ExitCode.USAGE);
            assertThat(json.code()).isEqualTo("cli.usage");
        }
        assertThat(execute("status", "--api-url", "not a url").exit()).isEqualTo(ExitCode.USAGE);
        assertThat(execute("completion", "fish").exit()).isEqualTo(ExitCode.USAGE);
        assertThat(execute("serve").exit()).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void helpAndVersion_areOnStandardOutput() {
        assertThat(execute("--help").out()).contains("Usage: hal0", "slot", "chat");
        assertThat(execute().out()).contains("Usage: hal0");
        assertThat(execute("slot").out()).contains("Usage: hal0 slot");
        assertThat(execute("slot", "load", "--help").out()).contains("--no-wait");
        assertThat(execute("--version").out()).startsWith("hal0 ");
        assertThat(execute("--version").exit()).isZero();
    }

    @Test
    void completionScript_isValidBash(@TempDir Path folder) throws Exception {
        Result result = execute("completion");
        Path script = Files.writeString(folder.resolve("hal0.bash"), result.out());

        Process bash = new ProcessBuilder("bash", "-n", script.toString())
                .redirectErrorStream(true)
                .start();

        assertThat(new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEmpty();
        assertThat(bash.waitFor()).isZero();
        assertThat(result.out()).contains("slot", "--no-wait").doesNotContain("train");
    }

    private static String operation(String status, String message) {
        return "{\"id\":\"op1\",\"status\":\"" + status + "\",\"message\":\"" + message + "\",\"error\":null}";
    }

    private static String word(String text) {
        return "data: {\"choices\":[{\"delta\":{\"content\":\"" + text + "\"}}]}\n\n";
    }

    private static JsonNode envelope(ErrorCode code) {
        return Json.LENIENT.valueToTree(ErrorEnvelope.of(new Hal0Exception(code, "said"), "r1"));
    }

    private void on(String request, int status, String body) {
        script.computeIfAbsent(request, ignored -> new ArrayDeque<>()).add(Scripted.json(status, body));
    }

    private void onStream(String request, String events) {
        script.put(request, new ArrayDeque<>(List.of(new Scripted(200, SSE, events, false))));
    }

    private Result run(String... arguments) {
        var all = new ArrayList<>(List.of(arguments));
        all.add("--api-url");
        all.add("http://127.0.0.1:" + http.getAddress().getPort());
        return execute(all.toArray(String[]::new));
    }

    private static Result execute(String... arguments) {
        var out = new ByteArrayOutputStream();
        var err = new ByteArrayOutputStream();
        var console = new Console(
                new PrintStream(out, false, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false,
                false);
        int exit = Main.run(console, arguments);
        return new Result(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private static HttpServer server() {
        try {
            return HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }
}
