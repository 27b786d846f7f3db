package dev.hal0.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RouteCommandTest extends CliFixture {
    @Test
    void servedName_isExplainedStepByStep() {
        server.on("GET /api/route?path=%2Fv1%2Fembeddings&model=a%2Fb", 200, """
                {"slot":"embed","served_model":"a/b","reasons":["one.","two."]}""");
        Result result = run("route", "a/b", "--path", "/v1/embeddings");
        assertThat(result.exit()).isEqualTo(ExitCode.OK);
        assertThat(result.out()).isEqualTo("1. one.\n2. two.\n→ slot embed, model a/b\n");
    }

    @Test
    void unservedName_fails_withTheReasons() {
        server.on("GET /api/route?path=%2Fv1%2Fchat%2Fcompletions&model=x", 200, """
                {"reasons":["Nothing serves 'x'."],"error":{"code":"dispatch.no_route"}}""");
        Result result = run("route", "x");
        assertThat(result.exit()).isEqualTo(ExitCode.FAILED);
        assertThat(result.out()).isEqualTo("1. Nothing serves 'x'.\n");
    }
}
