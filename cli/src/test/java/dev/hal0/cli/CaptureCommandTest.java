package dev.hal0.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CaptureCommandTest extends CliFixture {
    private static final String ON =
            "{\"until\":\"2026-11-23T10:00:00Z\",\"kept\":0,\"most\":100,\"most_body_bytes\":65536}";
    private static final String OFF = "{\"until\":null,\"kept\":0,\"most\":100,\"most_body_bytes\":65536}";

    @Test
    void minutes_switchItOn_andTheNextStepIsTold() {
        server.on("PUT /api/captures", 200, ON);

        Result result = run("requests", "capture", "--minutes", "10");

        assertThat(server.bodies().getLast().toString()).isEqualTo("{\"minutes\":10}");
        assertThat(result.out() + result.err()).contains("On until 2026-11-23T10:00:00Z", "hal0 requests capture ID");
    }

    @Test
    void off_forgets_andWithoutAnythingItIsOnlyAsked() {
        server.on("DELETE /api/captures", 200, OFF);
        server.on("GET /api/captures", 200, OFF);

        assertThat(run("requests", "capture", "--off").out()).startsWith("Off; 0 captured");
        assertThat(runAsJson("requests", "capture").json().path("kept").asInt()).isZero();
    }

    @Test
    void captured_isShownWithoutWhatATerminalWouldObey() {
        server.on("GET /api/captures/req-1", 200, """
                {"id":"req-1","at":"2026-11-23T10:00:00Z","route":"/v1/chat/completions","status":200,
                 "request":{"text":"one\\ntwo\\u001b[2J","bytes":7},"response":{"text":"","bytes":9000000}}""");

        Result result = run("requests", "capture", "req-1");

        assertThat(result.out()).contains("-- request, 7 bytes", "one\n", "-- answer, 9000000 bytes, not kept");
        terminals = terminal(80);
        assertThat(run("requests", "capture", "req-1").out()).doesNotContain("\u001b");
    }

    @Test
    void idAndOption_areNotBothMeant() {
        assertThat(run("requests", "capture", "req-1", "--off").exit()).isEqualTo(ExitCode.USAGE);
        assertThat(server.requests()).isEmpty();
    }
}
