package dev.hal0.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.ErrorCode;
import org.junit.jupiter.api.Test;

class RequestsCommandTest extends CliFixture {
    private static final String ROW = """
            {"id":"r1","at":"2026-01-31T12:00:00Z","route":"/v1/chat/completions","requested_model":"chat","slot":"chat",
             "model":"tiny","caller":"10.0.0.7","status":200,"error_code":null,"tokens":{"prompt":32,"completion":3,
             "cached":31},"timings":{"ttft_ms":250,"total_ms":1500,"decode_ms":null},"tokens_per_second":null,
             "outcome":"complete"}""";
    private static final String LIVE = """
            [{"id":"r2","caller":"10.0.0.7","slot":"chat","model":"tiny","requested_model":"chat","phase":"queued",
              "position":2,"prompt_tokens":null,"prompt_done":null,"tokens":null,"age_ms":2500},
             {"id":"r3","caller":"10.0.0.8","slot":"chat","model":"tiny","requested_model":"chat","phase":"prefill",
              "position":null,"prompt_tokens":200,"prompt_done":90,"tokens":null,"age_ms":100}]""";

    @Test
    void endedRequests_showWhatIsKnownAndADashForTheRest() {
        server.on("GET /api/requests?limit=5&slot=chat&min_ms=100", 200, "{\"rows\":[" + ROW + "],\"next\":null}");

        assertThat(run("requests", "-n", "5", "--slot", "chat", "--min-ms", "100")
                        .out())
                .isEqualTo("""
                TIME                  ID  SLOT  MODEL  OUTCOME   IN  OUT  TOK/S  FIRST  TOTAL
                2026-01-31T12:00:00Z  r1  chat  tiny   complete  32  3    -      0.3 s  1.5 s
                """);
    }

    @Test
    void liveRequests_showTheirPhaseAndHowFarItIs() {
        server.on("GET /api/inflight", 200, LIVE);

        assertThat(run("requests", "--live").out()).isEqualTo("""
                ID  CALLER    SLOT  MODEL  PHASE        TOKENS  AGE
                r2  10.0.0.7  chat  tiny   queued #2    -       2.5 s
                r3  10.0.0.8  chat  tiny   prefill 45%  -       0.1 s
                """);
        assertThat(runAsJson("requests", "--live").json().size()).isEqualTo(2);
    }

    @Test
    void followedLiveRequests_areALineForEachChange() {
        server.onStream(
                "GET /api/stream?types=inflight",
                event(LIVE) + event(LIVE) + event("[]"),
                FakeControlPlane.Ending.PROPER);

        assertThat(run("requests", "--live", "-f").out()).isEqualTo("""
                r2  10.0.0.7  chat  tiny  queued #2  -  2.5 s
                r3  10.0.0.8  chat  tiny  prefill 45%  -  0.1 s
                r2  over
                r3  over
                """);
    }

    @Test
    void cancel_endsARequestAndSaysWhenThereIsNone() {
        server.on("DELETE /api/inflight/r%201", 200, "{\"id\":\"r 1\",\"requests\":1}");
        assertThat(run("requests", "cancel", "r 1").out()).isEqualTo("Ended r 1\n");

        server.on(
                "DELETE /api/inflight/r9",
                404,
                envelope(ErrorCode.DISPATCH_NOT_IN_FLIGHT).toString());
        assertThat(runAsJson("requests", "cancel", "r9").code()).isEqualTo("dispatch.not_in_flight");
    }

    @Test
    void show_tellsEverythingOfOneRequest() {
        server.on("GET /api/requests?id=r1", 200, "{\"rows\":[" + ROW + "]}");
        assertThat(run("requests", "show", "r1").out())
                .contains("caller              10.0.0.7\n", "tokens.cached       31\n", "timings.decode_ms   -\n");

        server.on("GET /api/requests?id=r9", 200, "{\"rows\":[]}");
        Result none = run("requests", "show", "r9");
        assertThat(none.exit()).isEqualTo(ExitCode.NOT_FOUND);
        assertThat(none.err()).contains("--live");
    }

    private static String event(String requests) {
        return "event: inflight\ndata: {\"v\":1,\"requests\":" + requests.replace("\n", "") + "}\n\n";
    }
}
