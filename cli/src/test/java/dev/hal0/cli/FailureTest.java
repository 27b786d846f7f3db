package dev.hal0.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.ErrorCode;
import java.io.IOException;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Every way to fail, its exit code, and what is said. */
class FailureTest extends CliFixture {
    @ParameterizedTest
    @CsvSource({
        "302,1", "400,6", "401,7", "403,7", "404,3", "405,1", "408,8", "409,4", "412,4", "413,1", "422,6", "429,1",
        "500,1", "502,1", "503,1", "504,8", "507,1"
    })
    void status_decidesTheExitCode(int status, int exit) {
        server.on("GET /api/slots", status, "not ours");

        Result human = run("slot", "list");
        assertThat(human.exit()).isEqualTo(exit);
        assertThat(human.out()).isEmpty();
        assertThat(human.err()).contains("Error: GET " + server.url() + "/api/slots answered " + status);
        Result json = runAsJson("slot", "list");
        assertThat(json.exit()).isEqualTo(exit);
        assertThat(json.code()).isEqualTo("http." + status);
    }

    @Test
    void serversOwnError_isPassedOnWholeInJson() {
        JsonNode error = envelope(ErrorCode.SLOT_NOT_FOUND);
        server.on("GET /api/slots/x/resolved", 404, error.toString());

        assertThat(runAsJson("slot", "resolved", "x").json()).isEqualTo(error);
        assertThat(run("slot", "resolved", "x").err())
                .isEqualTo("Error: said\n       " + ErrorCode.SLOT_NOT_FOUND.remedy() + "\n");
    }

    @Test
    void nobodyThere_isUnreachableAndNamesTheAddressAndTheWayOut() throws IOException {
        int port;
        try (var socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        String url = "http://127.0.0.1:" + port;

        Result human = execute("status", "--api-url", url + "/");
        assertThat(human.exit()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(human.err()).contains("not running at " + url + " ", "hal0 serve");
        Result json = execute("status", "--json", "--api-url", url);
        assertThat(json.exit()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(json.code()).isEqualTo("cli.unreachable");
        assertThat(execute("chat", "hello", "--api-url", url).exit()).isEqualTo(ExitCode.UNREACHABLE);
    }

    @Test
    void brokenConnection_doesNotRepeatAPost() {
        server.onHangUp("POST /api/slots/chat/load");

        Result result = run("slot", "load", "chat");

        assertThat(result.exit()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(result.err()).contains("whether it did what was asked is unknown");
        assertThat(server.requests()).containsExactly("POST /api/slots/chat/load");
    }

    @Test
    void noAnswerInTime_isTimedOut() {
        deadlines = impatient();
        server.onSilence("GET /api/slots");
        server.onSilence("POST /api/slots");

        assertThat(run("slot", "list").exit()).isEqualTo(ExitCode.TIMED_OUT);
        Result changing = run("slot", "create", "chat");
        assertThat(changing.exit()).isEqualTo(ExitCode.TIMED_OUT);
        assertThat(changing.err()).contains("is unknown");
    }

    @ParameterizedTest
    @ValueSource(strings = {"<html>", "{\"a\":", ""})
    void somethingElseThatAnswers_isSaid(String body) {
        server.on("GET /api/slots/x/resolved", 200, body);

        if (body.isEmpty()) {
            assertThat(runAsJson("slot", "resolved", "x").json().isEmpty()).isTrue();
        } else {
            assertThat(runAsJson("slot", "resolved", "x").code()).isEqualTo("cli.not_hal0");
        }
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
        assertThat(execute("completion", "fish").exit()).isEqualTo(ExitCode.USAGE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"not a url", "localhost:8080", "ftp://127.0.0.1", "http://", "file:///etc"})
    void addressThatIsNone_isUsage(String address) {
        Result result = execute("status", "--api-url", address);

        assertThat(result.exit()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("'" + address.replaceAll("/+$", "") + "'", "HAL0_API_URL");
    }

    @Test
    void serve_pointsToTheLauncher() {
        Result result = execute("serve", "--port", "9000");

        assertThat(result.exit()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("hal0 serve");
    }

    @Test
    void readerWhoLeaves_isNoFailure() {
        output = new BrokenPipe();
        server.on("GET /api/slots", 200, "[" + SLOT + "]");

        assertThat(run("slot", "list")).isEqualTo(new Result(0, "", ""));
    }

    /** Guards against remedies that cannot be typed: from a checkout there is no hal0 on PATH. */
    @Test
    void calledFromACheckout_commandsToTypeAreNamedThatWay() {
        environment.put("HAL0_COMMAND", "./hal0");
        server.on("GET /api/slots", 200, "[]");

        assertThat(run("slot", "list").err()).contains("Next: ./hal0 slot create NAME");
    }
}
