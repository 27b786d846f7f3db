package dev.hal0.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ProfileCommandsTest extends CliFixture {
    private static final String SEED = """
            {"name":"vulkan","device_class":"gpu","backend":"vulkan","engine":"llama.cpp","flags":"-fa on","image":null,
             "intent":"fast","seed":true,"edited":true,"used_by":["chat"],"problem":null}""";
    private static final String OWN = """
            {"name":"mine","device_class":"gpu","backend":null,"engine":"llama.cpp","flags":"-ub 512 --alias 'a b'",
             "image":null,"intent":null,"seed":false,"edited":false,"used_by":[],"problem":null}""";

    @Test
    void list_saysWhereEachIsFromAndWhoUsesIt() {
        server.on("GET /api/profiles", 200, "[" + SEED + "," + OWN + "]");

        Result result = run("profile", "list");

        assertThat(result.exit()).isEqualTo(ExitCode.OK);
        assertThat(result.out().lines().toList())
                .hasSize(3)
                .anySatisfy(line -> assertThat(line).contains("vulkan", "hal0, edited", "chat", "-fa on"))
                .anySatisfy(line -> assertThat(line).contains("mine", "gpu", "yours"));
    }

    @Test
    void set_changesWhatIsThereAndSaysWhoNeedsARestart() {
        server.on("GET /api/profiles", 200, "[" + SEED + "]");
        server.on("PUT /api/profiles/vulkan", 200, SEED);

        Result result = run("profile", "set", "vulkan", "--flags=-fa on");

        assertThat(result.exit()).isEqualTo(ExitCode.OK);
        assertThat(server.bodies().getLast().toString()).isEqualTo("{\"flags\":\"-fa on\"}");
        assertThat(result.out() + result.err()).contains("A restart applies it to: chat");
    }

    @Test
    void set_makesWhatIsNotThere() {
        server.on("GET /api/profiles", 200, "[" + SEED + "]");
        server.on("POST /api/profiles", 201, OWN);

        assertThat(run("profile", "set", "mine", "--from", "vulkan").exit()).isEqualTo(ExitCode.OK);
        assertThat(server.bodies().getLast().toString()).isEqualTo("{\"cloned_from\":\"vulkan\",\"name\":\"mine\"}");
    }

    @Test
    void setOfNothing_asksForAKeyAndSendsNothing() {
        assertThat(runAsJson("profile", "set", "vulkan").code()).isEqualTo("cli.usage");
        assertThat(server.requests()).isEmpty();
    }

    @Test
    void reset_tellsWhatItTookBack() {
        server.on("GET /api/profiles/vulkan", 200, SEED);
        server.on("POST /api/profiles/vulkan/reset", 200, SEED);

        Result result = run("profile", "reset", "vulkan");

        assertThat(result.out() + result.err()).contains("Its flags were: -fa on");
    }

    @Test
    void remove_needsAWord_andSaysHowToHaveItBack() {
        server.on("GET /api/profiles/mine", 200, OWN);
        server.on("DELETE /api/profiles/mine", 200, "{\"deleted\":\"mine\"}");

        assertThat(runAsJson("profile", "rm", "mine").code()).isEqualTo("cli.confirmation_needed");
        assertThat(server.requests()).noneMatch(request -> request.startsWith("DELETE"));

        Result result = run("profile", "rm", "mine", "--yes");
        assertThat(result.out() + result.err())
                .contains("hal0 profile set mine --engine=llama.cpp --flags='-ub 512 --alias '\\''a b'\\'''");
    }
}
