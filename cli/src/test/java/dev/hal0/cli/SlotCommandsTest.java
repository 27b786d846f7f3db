package dev.hal0.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Json;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class SlotCommandsTest extends CliFixture {
    @Test
    void status_isATableAndTheNextStep() {
        server.on(
                "GET /api/status",
                200,
                "{\"version\":\"1\",\"runtime\":\"process\",\"models\":2,\"home\":\"/h\",\"slots\":[" + SLOT
                        + "],\"next\":\"hal0 chat\"}");

        Result result = run("status");

        assertThat(result.exit()).isZero();
        assertThat(result.out()).isEqualTo("""
                hal0 1 at %s, runtime process, 2 models
                home /h

                NAME  STATE  MODEL  ENGINE     PORT  MEMORY   MESSAGE
                chat  ready  qwen   llama.cpp  8081  1.0 GiB

                Next: hal0 chat
                """.formatted(server.url()));
        assertThat(result.err()).isEmpty();
        assertThat(runAsJson("status").json().path("models").asInt()).isEqualTo(2);
    }

    @Test
    void slotList_showsEachSlotAlsoUnderItsShortName() {
        server.on("GET /api/slots", 200, "[" + SLOT + "]");

        assertThat(run("slot", "list").out()).containsPattern("chat +ready");
        assertThat(run("slot", "ls").exit()).isZero();
        assertThat(runAsJson("slot", "list").json()).isEqualTo(Json.LENIENT.readTree("[" + SLOT + "]"));
        assertThat(run("--json", "slot", "list").json().size()).isEqualTo(1);
    }

    @Test
    void emptyList_isAHeaderAndAHint() {
        server.on("GET /api/slots", 200, "[]");

        Result result = run("slot", "list");

        assertThat(result.out().lines()).hasSize(1);
        assertThat(result.err()).contains("hal0 slot create");
        assertThat(runAsJson("slot", "list").json().isEmpty()).isTrue();
    }

    @Test
    void slotShow_hasStatusAndConfig() {
        server.on("GET /api/slots/chat", 200, SLOT);
        server.on("GET /api/slots/chat/config", 200, "{\"name\":\"chat\",\"model\":{\"default\":\"qwen\"}}");

        assertThat(run("slot", "show", "chat").out())
                .containsPattern("state +ready")
                .containsPattern("actions +\\[\"unload\"]")
                .doesNotContain("incarnation")
                .containsPattern("model +\\{\"default\":\"qwen\"}");
        JsonNode json = runAsJson("slot", "show", "chat").json();
        assertThat(json.path("status").path("port").asInt()).isEqualTo(8081);
        assertThat(json.path("config").path("name").asString()).isEqualTo("chat");
    }

    @Test
    void slotName_isEscapedInThePath() {
        run("slot", "resolved", "a b/c?d");

        assertThat(server.requests()).containsExactly("GET /api/slots/a%20b%2Fc%3Fd/resolved");
    }

    @Test
    void slotCreate_sendsWhatWasSaidAndNothingElse() {
        server.on("POST /api/slots", 201, SLOT);

        Result result = run("slot", "create", "chat");
        run(
                "slot",
                "create",
                "chat",
                "-t",
                "llm",
                "-m",
                "qwen",
                "-p",
                "8081",
                "--ctx-size",
                "512",
                "--parallel",
                "2",
                "--device",
                "cpu",
                "--default");

        assertThat(result.exit()).isZero();
        assertThat(result.out())
                .isEqualTo("Created slot chat on port 8081. Load it with: hal0 slot load chat --model ID\n");
        assertThat(server.bodies().getFirst()).isEqualTo(Json.LENIENT.readTree("{\"name\":\"chat\"}"));
        assertThat(server.bodies().getLast()).isEqualTo(Json.LENIENT.readTree("""
                                {"name":"chat","type":"llm","device":"cpu","parallel":2,"model":"qwen","port":8081,
                                 "context_size":512,"default":true}"""));
        assertThat(runAsJson("slot", "create", "chat").json().path("port").asInt())
                .isEqualTo(8081);
    }

    @Test
    void slotLoad_followsTheOperationAndShowsTheSlot() {
        loadThatTakesItsTime();

        Result result = run("slot", "load", "chat", "--model", "qwen");

        assertThat(result.exit()).isZero();
        assertThat(result.out()).isEqualTo("Loaded chat: ready, model qwen\n");
        assertThat(result.err()).isEqualTo("  starting\n  warming\n");
        assertThat(server.bodies().getFirst().toString()).isEqualTo("{\"model\":\"qwen\",\"create\":true}");
        assertThat(interrupts.isUnhandled()).isTrue();
    }

    @Test
    void slotLoadAtATerminal_clearsItsSpinner() {
        terminals = terminal(80);
        loadThatTakesItsTime();

        Result result = run("slot", "load", "chat", "--model", "qwen");

        assertThat(result.err()).contains("  starting\n", "  warming\n", "⠋").endsWith("\r\u001b[K");
        assertThat(result.out()).isEqualTo("Loaded chat: ready, model qwen\n");
    }

    private void loadThatTakesItsTime() {
        server.on(
                "POST /api/slots/chat/load",
                202,
                "{\"operation\":" + operation("running", "starting") + ",\"slot\":" + SLOT + "}");
        server.on("GET /api/operations/op1?wait=1", 200, operation("running", "warming"));
        server.on("GET /api/operations/op1?wait=1", 200, operation("running", "warming"));
        server.on("GET /api/operations/op1?wait=1", 200, operation("succeeded", "ready"));
        server.on("GET /api/slots/chat", 200, SLOT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"load", "unload", "restart"})
    void lifecycleInJson_isOneDocument(String verb) {
        server.on("POST /api/slots/chat/" + verb, 202, "{\"operation\":" + operation("running", "starting") + "}");
        server.on("GET /api/operations/op1?wait=1", 200, operation("succeeded", "done"));
        server.on("GET /api/slots/chat", 200, SLOT);

        Result result = runAsJson("slot", verb, "chat");

        assertThat(result.exit()).isZero();
        assertThat(result.json().path("operation").path("status").asString()).isEqualTo("succeeded");
        assertThat(result.json().path("slot").path("name").asString()).isEqualTo("chat");
    }

    @Test
    void failedOperation_hasItsOwnExitCodeAndRemedy() {
        server.on("POST /api/slots/chat/load", 202, "{\"operation\":" + operation("running", "starting") + "}");
        server.on(
                "GET /api/operations/op1?wait=1",
                200,
                "{\"id\":\"op1\",\"status\":\"failed\",\"message\":\"x\",\"error\":"
                        + envelope(ErrorCode.SLOT_PORT_CONFLICT).path("error") + "}");

        Result result = run("slot", "load", "chat");

        assertThat(result.exit()).isEqualTo(ExitCode.CONFLICT);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).contains("Error: said", ErrorCode.SLOT_PORT_CONFLICT.remedy());
        assertThat(runAsJson("slot", "load", "chat").code()).isEqualTo(ErrorCode.SLOT_PORT_CONFLICT.code());
    }

    /** Its error is null: reading it as one would end in "Unexpected: NullPointerException". */
    @ParameterizedTest
    @CsvSource({"cancelled,4", "failed,1"})
    void operationThatEndsWithoutAnError_isToldByItsMessage(String status, int exit) {
        server.on("POST /api/slots/chat/load", 202, "{\"operation\":" + operation(status, "a newer unload") + "}");

        Result result = run("slot", "load", "chat");

        assertThat(result.exit()).isEqualTo(exit);
        assertThat(result.err()).contains("op1 was " + status + ": a newer unload");
        assertThat(runAsJson("slot", "load", "chat").code()).isEqualTo("operation." + status);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void interruptWhileWaiting_leavesTheOperationAndSaysSo(boolean json) throws Exception {
        server.on("POST /api/slots/chat/load", 202, "{\"operation\":" + operation("running", "starting") + "}");
        server.onSilence("GET /api/operations/op1?wait=1");

        CompletableFuture<Result> run = json ? start("slot", "load", "chat", "--json") : start("slot", "load", "chat");
        server.silent().await(20, TimeUnit.SECONDS);
        interrupts.interrupt();
        Result result = ended(run);

        assertThat(result.exit()).isEqualTo(ExitCode.TIMED_OUT);
        if (json) {
            assertThat(result.code()).isEqualTo("cli.interrupted");
        } else {
            assertThat(result.err()).contains("operation op1 goes on");
        }
        assertThat(server.requests()).noneMatch(request -> request.contains("unload"));
    }

    @Test
    void noWait_returnsAtOnce() {
        server.on("POST /api/slots/chat/unload", 202, "{\"operation\":" + operation("running", "draining") + "}");

        assertThat(run("slot", "unload", "chat", "--no-wait", "--force").out()).isEqualTo("Accepted as op1.\n");
        assertThat(server.bodies().getFirst().path("force").asBoolean()).isTrue();
        assertThat(server.requests()).hasSize(1);
    }

    @Test
    void slotDelete_tellsHowToUndoIt() {
        server.on(
                "GET /api/slots/chat/config",
                200,
                "{\"type\":\"llm\",\"device\":\"cpu\",\"port\":8081,\"parallel\":2,\"default\":true,"
                        + "\"model\":{\"default\":\"qwen 3\",\"context_size\":512}}");
        server.on("DELETE /api/slots/chat?force=true", 200, "{\"deleted\":true}");

        Result result = run("slot", "delete", "chat", "--force");

        assertThat(result.exit()).isZero();
        assertThat(result.out())
                .isEqualTo(
                        "Deleted slot chat. To have it back: hal0 slot create chat --type llm --device cpu --port 8081"
                                + " --model 'qwen 3' --ctx-size 512 --parallel 2 --default\n");
        assertThat(runAsJson("slot", "delete", "chat", "-f")
                        .json()
                        .path("deleted")
                        .asBoolean())
                .isTrue();
    }

    /** Agreeing is not forcing: a request that is inside is waited for. */
    @Test
    void yes_doesNotAskAndDoesNotForce() {
        server.on("GET /api/slots/chat/config", 200, "{}");
        server.on("DELETE /api/slots/chat?force=false", 200, "{\"deleted\":true}");

        assertThat(run("slot", "delete", "chat", "--yes").exit()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"y,0", "Yes,0", "n,1", "'',1"})
    void deleteAtATerminal_asksFirst(String answer, int exit) {
        terminals = terminal(80);
        input = answer + "\n";
        server.on("GET /api/slots/chat/config", 200, "{}");
        server.on("DELETE /api/slots/chat?force=false", 200, "{\"deleted\":true}");

        Result result = run("slot", "delete", "chat");

        assertThat(result.exit()).isEqualTo(exit);
        assertThat(result.err()).startsWith("Delete slot chat and its log? [y/N] ");
        assertThat(server.requests().stream().anyMatch(request -> request.startsWith("DELETE")))
                .isEqualTo(exit == 0);
    }

    @ParameterizedTest
    @CsvSource({"slot,delete,chat", "slot,rm,chat", "model,rm,qwen", "model,delete,qwen", "engine,remove,llama.cpp"})
    void destructiveWithoutForceOffATerminal_isUsageAndChangesNothing(String group, String verb, String name) {
        server.on("GET /api/slots/chat/config", 200, "{}");
        server.on("GET /api/models/qwen", 200, MODEL);
        server.on(
                "GET /api/engines",
                200,
                "[{\"name\":\"llama.cpp\",\"versions\":[{\"version\":\"7\",\"current\":true}]}]");

        Result human = run(group, verb, name);
        Result json = runAsJson(group, verb, name);

        assertThat(human.exit()).isEqualTo(ExitCode.USAGE);
        assertThat(human.err()).contains("--force");
        assertThat(json.exit()).isEqualTo(ExitCode.USAGE);
        assertThat(json.code()).isEqualTo("cli.confirmation_needed");
        assertThat(server.requests()).noneMatch(request -> request.startsWith("DELETE"));
    }

    @Test
    void logs_areLines() {
        server.on("GET /api/slots/chat/logs?lines=5", 200, "{\"logs\":[\"one\",\"zwei €\",\"\\u001b[2J\"]}");

        assertThat(run("slot", "logs", "chat", "-n", "5").out()).isEqualTo("one\nzwei €\n\u001b[2J\n");
        terminals = terminal(80);
        assertThat(run("slot", "logs", "chat", "-n", "5").out()).isEqualTo("one\nzwei €\n[2J\n");
        terminals = Terminals.NONE;
        assertThat(runAsJson("slot", "logs", "chat", "-n", "5")
                        .json()
                        .path("logs")
                        .size())
                .isEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "5001", "many"})
    void logLinesOutOfRange_areUsage(String lines) {
        assertThat(run("slot", "logs", "chat", "-n", lines).exit()).isEqualTo(ExitCode.USAGE);
        assertThat(server.requests()).isEmpty();
    }

    @Test
    void followedLogs_endWithTheStream() {
        server.onStream(
                "GET /api/slots/chat/logs/stream?backfill=200",
                ": hello\n\ndata: \"one\"\n\nid: 7\ndata:\"  zwei €\"\n\n",
                FakeControlPlane.Ending.PROPER);

        assertThat(run("slot", "logs", "chat", "-f")).isEqualTo(new Result(0, "one\n  zwei €\n", ""));
        assertThat(run("slot", "logs", "chat", "-f", "--json").out()).isEqualTo("\"one\"\n\"  zwei €\"\n");
    }

    @Test
    void followedLogsThatBreak_fail() {
        server.onStream(
                "GET /api/slots/chat/logs/stream?backfill=200", "data: \"one\"\n\n", FakeControlPlane.Ending.BROKEN);

        Result result = run("slot", "logs", "chat", "-f");

        assertThat(result.exit()).isEqualTo(ExitCode.FAILED);
        assertThat(result.out()).isEqualTo("one\n");
        assertThat(result.err()).contains("broke off");
    }

    @Test
    void resolved_isTheProgram_andItsFlagsWithTheirSources() {
        server.on("GET /api/slots/chat/resolved", 200, """
                {"argv":["ld.so","llama-server","--port","8081","--jinja"],"arguments":[
                 {"flag":"--port","values":["8081"],"source":"port"},
                 {"flag":"--jinja","values":[],"source":"type"}]}""");

        assertThat(run("slot", "resolved", "chat").out().lines().map(String::strip))
                .containsExactly(
                        "ld.so",
                        "llama-server",
                        "FLAG     VALUE  FROM",
                        "--port   8081   port",
                        "--jinja         type");
        assertThat(runAsJson("slot", "resolved", "chat").json().path("argv").size())
                .isEqualTo(5);
    }
}
