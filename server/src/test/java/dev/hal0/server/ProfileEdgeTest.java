package dev.hal0.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Profiles and capabilities over HTTP, with a real server and the fake engine. */
class ProfileEdgeTest {
    @TempDir
    private Path root;

    private ServerFixture hal0;

    @BeforeEach
    void start() throws Exception {
        hal0 = ServerFixture.withFakeEngine(root.resolve("home"));
    }

    @AfterEach
    void stop() {
        hal0.close();
    }

    @Test
    void freshBox_hasTheSeedsAndNoFileOfProfilesOrCapabilities() {
        JsonNode profiles = ServerFixture.json(hal0.get("/api/profiles"));

        assertThat(profiles)
                .extracting(profile -> profile.path("name").asString(""))
                .contains("cpu-llm", "cuda");
        assertThat(root.resolve("home/etc/hal0/profiles.toml")).doesNotExist();
        assertThat(root.resolve("home/etc/hal0/capabilities.toml")).doesNotExist();
        // No engine of this build speaks: said, and not drawn as a failure.
        assertThat(hal0.slot("tts").path("message").asString("")).contains("No engine for tts");
        assertThat(hal0.slot("tts").path("state").asString("")).isEqualTo("offline");
    }

    @Test
    void editedProfile_isInTheNextLaunchAndResetTakesItBack() {
        hal0.addModel("small");
        ServerFixture.expect(
                200, hal0.send("PUT", "/api/slots/chat/config", Map.of("model", Map.of("default", "small"))));
        ServerFixture.expect(200, hal0.send("PUT", "/api/profiles/cpu-llm", Map.of("flags", "--threads 3")));

        assertThat(hal0.get("/api/slots/chat/resolved").body())
                .contains("\"--threads\",\"3\"", "profile:cpu-llm")
                .doesNotContain("--ubatch-size");
        assertThat(root.resolve("home/etc/hal0/profiles.toml")).hasContent("[cpu-llm]\nflags = \"--threads 3\"\n");

        ServerFixture.expect(200, hal0.send("POST", "/api/profiles/cpu-llm/reset", Map.of()));
        assertThat(hal0.get("/api/slots/chat/resolved").body()).contains("--ubatch-size");
    }

    @Test
    void wrongRequests_areNamedAndChangeNothing() throws Exception {
        assertCode(
                hal0.send("PUT", "/api/profiles/cpu-llm", Map.of("flags", "--port 1")), 400, "slot.managed_arg_denied");
        assertCode(hal0.send("PUT", "/api/profiles/cpu-llm", Map.of("flgas", "x")), 400, "validation.unknown_keys");
        assertCode(hal0.send("PUT", "/api/profiles/nobody", Map.of("flags", "")), 404, "profiles.not_found");
        assertCode(hal0.send("DELETE", "/api/profiles/cpu-llm", ""), 409, "profiles.seed_immutable");
        assertCode(hal0.send("POST", "/api/profiles", Map.of("name", "cpu-llm", "flags", "")), 409, "profiles.exists");
        assertCode(
                hal0.call(hal0.request("/api/profiles/cpu-llm")
                        .header("If-Match", "\"old\"")
                        .PUT(BodyPublishers.ofString("{\"intent\":\"x\"}"))
                        .build()),
                412,
                "resource.precondition_failed");
        assertCode(hal0.send("POST", "/api/capabilities/voice/sing", Map.of()), 400, "capability.unknown_slot");
        assertCode(
                hal0.send("POST", "/api/capabilities/embed/embed", Map.of("model", "nobody")), 404, "model.not_found");
        assertCode(hal0.get("/api/backends/abacus"), 404, "backend.not_found");

        assertThat(Files.exists(root.resolve("home/etc/hal0/profiles.toml"))
                        && !Files.readString(root.resolve("home/etc/hal0/profiles.toml"))
                                .isEmpty())
                .isFalse();
    }

    @Test
    void clone_isOnesOwnAndIsDeletedOnlyUnused() {
        ServerFixture.expect(201, hal0.send("POST", "/api/profiles", Map.of("name", "mine", "cloned_from", "cpu-llm")));
        ServerFixture.expect(200, hal0.send("PUT", "/api/slots/chat/config", Map.of("profile", "mine")));

        HttpResponse<String> used = hal0.send("DELETE", "/api/profiles/mine", "");
        assertCode(used, 409, "profiles.in_use");
        assertThat(used.body()).contains("chat");

        ServerFixture.expect(200, hal0.send("PUT", "/api/slots/chat/config", Map.of("profile", "cpu-llm")));
        ServerFixture.expect(200, hal0.send("DELETE", "/api/profiles/mine", ""));
    }

    private static void assertCode(HttpResponse<String> answer, int status, String code) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(ServerFixture.error(answer).path("code").asString("")).isEqualTo(code);
    }
}
