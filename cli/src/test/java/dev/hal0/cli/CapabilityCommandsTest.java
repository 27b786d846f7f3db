package dev.hal0.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CapabilityCommandsTest extends CliFixture {
    @Test
    void list_showsWhatIsOnAndWhatDiffers() {
        server.on("GET /api/capabilities", 200, """
                {"selections":[{"group":"voice","child":"stt","enabled":true,"model":"ears","device":"cpu","slot":"stt",
                  "status":"ready","differs":"the slot's file says base"}],"problem":"line 3: no such table"}""");

        Result result = run("capabilities", "list");

        assertThat(result.out()).contains("voice/stt", "yes", "ears", "the slot's file says base");
        assertThat(result.err()).contains("capabilities.toml is not in force: line 3");
    }

    @Test
    void set_sendsOnlyWhatWasGiven_andTellsWhatCameOfIt() {
        server.on("POST /api/capabilities/voice/stt", 200, """
                {"selection":{"enabled":false,"model":"ears","slot":"stt"},"lifecycle_problem":"no engine","pending_reload":true}""");

        Result result = run("capabilities", "set", "voice/stt", "--off");

        assertThat(server.bodies().getLast().toString()).isEqualTo("{\"enabled\":false}");
        assertThat(result.exit()).isEqualTo(ExitCode.OK);
        assertThat(result.out() + result.err())
                .contains("voice/stt is off, model ears, slot stt.", "could not be started: no engine", "Restart");
    }

    @Test
    void onAndOff_areNotBothMeant() {
        assertThat(run("capabilities", "set", "voice/stt", "--on", "--off").exit())
                .isEqualTo(ExitCode.USAGE);
        assertThat(server.requests()).isEmpty();
    }

    @Test
    void wordThatIsNoPair_isRefusedWithTheWayOut() {
        Result result = run("capabilities", "set", "stt", "--on");

        assertThat(result.exit()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("hal0 capabilities list");
        assertThat(server.requests()).isEmpty();
    }
}
