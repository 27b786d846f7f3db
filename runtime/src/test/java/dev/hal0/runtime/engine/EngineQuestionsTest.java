package dev.hal0.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.Endpoint;
import dev.hal0.slots.Engine;
import dev.hal0.slots.Health;
import dev.hal0.slots.LaunchPlan;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EngineQuestionsTest {
    private record Scripted(int status, String body) {}

    private final Map<String, Scripted> answers = new ConcurrentHashMap<>();
    private final Engine engine = new LlamaCppEngine();
    private HttpServer http = server();

    @BeforeEach
    void start() {
        http.createContext("/", exchange -> {
            try (exchange) {
                String path = exchange.getRequestURI().getPath();
                String key = exchange.getRequestHeaders().getFirst("Authorization");
                Scripted answer = !path.equals("/health") && !"Bearer secret".equals(key)
                        ? new Scripted(401, "{}")
                        : answers.getOrDefault(path, new Scripted(404, "{}"));
                byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(answer.status(), bytes.length == 0 ? -1 : bytes.length);
                exchange.getResponseBody().write(bytes);
            }
        });
        http.start();
    }

    @AfterEach
    void stop() {
        http.stop(0);
    }

    @Test
    void health200_isReady() {
        answers.put("/health", new Scripted(200, "{\"status\":\"ok\"}"));

        assertThat(engine.health(endpoint())).isEqualTo(new Health.Ready());
    }

    @ParameterizedTest
    @ValueSource(ints = {204, 302, 401, 404, 500, 503})
    void anyOtherHealth_isLoading(int status) {
        answers.put("/health", new Scripted(status, ""));

        assertThat(engine.health(endpoint()))
                .isInstanceOfSatisfying(
                        Health.Loading.class,
                        loading -> assertThat(loading.detail()).contains(Integer.toString(status)));
    }

    @Test
    void silence_isUnreachable() {
        http.stop(0);

        assertThat(engine.health(endpoint())).isInstanceOf(Health.Unreachable.class);
    }

    @Test
    void engineAsPlanned_hasNoDifferences() {
        props("m", "/m.gguf", 2, 4096);

        assertThat(engine.verify(plan(), endpoint())).isEmpty();
    }

    @Test
    void contextRoundedUp_isNoDifference() {
        props("m", "/m.gguf", 2, 4352);

        assertThat(engine.verify(plan(), endpoint())).isEmpty();
    }

    @Test
    void everyDifference_isNamed() {
        props("other", "/other.gguf", 1, 2048);

        assertThat(engine.verify(plan(), endpoint()))
                .containsExactly(
                        "model_alias is 'other' and should be 'm'",
                        "model_path is '/other.gguf' and should be '/m.gguf'",
                        "total_slots is '1' and should be '2'",
                        "n_ctx is 2048 and should be 4096");
    }

    /** Regression: a misspelt name was taken as the template, and a slot that answers nonsense was ready. */
    @Test
    void nameThatTheEngineTakesForATemplate_isADifference() {
        answers.put("/props", new Scripted(200, "{\"chat_template\":\"chatlm\"}"));
        assertThat(engine.verify(plan("--chat-template", "chatlm"), endpoint()))
                .contains("it knows no chat template 'chatlm' and would send that word as every prompt");

        answers.put("/props", new Scripted(200, "{\"chat_template\":\"{{ messages }}\"}"));
        assertThat(engine.verify(plan("--chat-template", "{{ messages }}"), endpoint()))
                .noneMatch(difference -> difference.contains("template"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "not json", "[]", "{\"model_alias\":{}}"})
    void nonsenseFromProps_isADifference(String body) {
        answers.put("/props", new Scripted(200, body));

        assertThat(engine.verify(plan(), endpoint())).isNotEmpty();
        assertThat(new StarterEngine().verify(plan(), endpoint())).isNotEmpty();
        assertThat(engine.describe(endpoint())).isNotNull();
    }

    @Test
    void strangerOnThePort_isADifference() {
        props("m", "/m.gguf", 2, 4096);

        assertThat(engine.verify(
                        plan(), new Endpoint("127.0.0.1", http.getAddress().getPort(), "wrong")))
                .containsExactly("it does not answer /props, so nothing can be compared");
    }

    @Test
    void busy_countsWorkingSlots() {
        answers.put(
                "/slots",
                new Scripted(
                        200, "[{\"is_processing\":true},{\"is_processing\":false},{\"is_processing\":true},{},3]"));

        assertThat(engine.busy(endpoint())).hasValue(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{}", "nonsense"})
    void busyWithoutAList_isUnknown(String body) {
        answers.put("/slots", new Scripted(200, body));

        assertThat(engine.busy(endpoint())).isEmpty();
    }

    @Test
    void endpoint_neverShowsItsKey() {
        assertThat(endpoint().toString()).doesNotContain("secret");
    }

    private void props(String alias, String path, int slots, int context) {
        answers.put("/props", new Scripted(200, """
                        {"model_alias":"%s","model_path":"%s","total_slots":%d,"new_field":[1],
                         "default_generation_settings":{"n_ctx":%d}}""".formatted(alias, path, slots, context)));
    }

    private static LaunchPlan plan(String... arguments) {
        return new LaunchPlan(
                new SlotName("chat"),
                "llama.cpp",
                "llama-server",
                List.of(arguments),
                Map.of(),
                List.of(),
                Path.of("/key"),
                "m",
                "127.0.0.1",
                8081,
                2,
                Map.of("model_alias", "m", "model_path", "/m.gguf", "total_slots", "2", "n_ctx", "4096"));
    }

    private Endpoint endpoint() {
        return new Endpoint("127.0.0.1", http.getAddress().getPort(), "secret");
    }

    private static HttpServer server() {
        try {
            return HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException impossible) {
            throw new java.io.UncheckedIOException(impossible);
        }
    }
}
