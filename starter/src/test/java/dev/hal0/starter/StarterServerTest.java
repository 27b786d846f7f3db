package dev.hal0.starter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.hal0.kernel.Json;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** With the real model, over HTTP. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StarterServerTest {
    private final HttpClient client = HttpClient.newHttpClient();
    private StarterServer server = start();

    private record Reply(int status, JsonNode body) {
        String param() {
            return body.path("error").path("param").asString("");
        }
    }

    @BeforeAll
    void load() {
        server.ready(new MiniLm());
    }

    @AfterAll
    void stop() {
        server.close();
        client.close();
    }

    @Test
    void beforeTheModelIsThere_everythingIs503() throws Exception {
        try (var loading = start()) {
            assertThat(get(loading, "/health", "").status()).isEqualTo(503);
            Reply reply = post(loading, "secret", "{\"input\":\"a\"}");
            assertThat(reply.status()).isEqualTo(503);
            assertThat(reply.body().path("error").path("code").asString()).isEqualTo("slot.loading");
        }
    }

    @Test
    void health_needsNoKey() throws Exception {
        assertThat(get(server, "/health", "").status()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "secre", "secret2", "Secret"})
    void wrongKey_isRefusedEverywhereElse(String key) throws Exception {
        assertThat(get(server, "/props", key).status()).isEqualTo(401);
        assertThat(get(server, "/v1/models", key).status()).isEqualTo(401);
        assertThat(get(server, "/nothing", key).status()).isEqualTo(401);
        assertThat(post(server, key, "{\"input\":\"a\"}").status()).isEqualTo(401);
    }

    @Test
    void unknownRouteAndMethod_areNamed() throws Exception {
        assertThat(get(server, "/v1/chat/completions", "secret").status()).isEqualTo(404);
        assertThat(get(server, "/v1/embeddings", "secret").status()).isEqualTo(405);
    }

    @Test
    void props_tellWhatRuns() throws Exception {
        JsonNode props = get(server, "/props", "secret").body();

        assertThat(props.path("model_alias").asString()).isEqualTo("minilm");
        assertThat(props.path("dimensions").asInt()).isEqualTo(384);
    }

    @Test
    void vector_has384DimensionsAndLengthOne() throws Exception {
        float[] vector = vector(embed("{\"input\":\"A cat sleeps.\"}"), 0);

        assertThat(vector).hasSize(384);
        assertThat(dot(vector, vector)).isEqualTo(1, within(1e-5));
    }

    @Test
    void relatedTexts_areNearerThanUnrelatedOnes() throws Exception {
        JsonNode reply = embed(
                "{\"input\":[\"A cat sleeps on the sofa.\",\"A kitten naps on the couch.\",\"Quarterly tax return\"]}");

        double near = dot(vector(reply, 0), vector(reply, 1));
        double far = dot(vector(reply, 0), vector(reply, 2));
        assertThat(near).isGreaterThan(far + 0.3);
    }

    @Test
    void batch_equalsSingles() throws Exception {
        List<String> texts = List.of("one", "a much longer second text about rivers", "żółw €", "one");

        JsonNode batch = embed(Json.STRICT.writeValueAsString(Map.of("input", texts)));

        assertThat(batch.path("data").size()).isEqualTo(4);
        for (int i = 0; i < texts.size(); i++) {
            assertThat(batch.path("data").path(i).path("index").asInt()).isEqualTo(i);
            assertThat(vector(batch, i))
                    .isEqualTo(vector(embed(Json.STRICT.writeValueAsString(Map.of("input", texts.get(i)))), 0));
        }
    }

    @Test
    void base64_holdsTheSameFloats() throws Exception {
        JsonNode encoded = embed("{\"input\":\"rivers\",\"encoding_format\":\"base64\"}");

        var floats = ByteBuffer.wrap(Base64.getDecoder()
                        .decode(encoded.path("data").path(0).path("embedding").asString()))
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer();
        var decoded = new float[floats.remaining()];
        floats.get(decoded);
        assertThat(decoded).isEqualTo(vector(embed("{\"input\":\"rivers\",\"encoding_format\":\"float\"}"), 0));
    }

    @Test
    void usage_countsTokensWithTheTwoMarks() throws Exception {
        assertThat(embed("{\"input\":\"hello\"}")
                        .path("usage")
                        .path("prompt_tokens")
                        .asInt())
                .isEqualTo(3);
        JsonNode usage = embed("{\"input\":[\"hello\",\"hello hello\"]}").path("usage");
        assertThat(usage.path("prompt_tokens").asInt()).isEqualTo(7);
        assertThat(usage.path("total_tokens").asInt()).isEqualTo(7);
    }

    @Test
    void inputLongerThanTheWindow_isAveragedAndSaid() throws Exception {
        String longText = "river ".repeat(1200).strip();

        JsonNode reply = embed(Json.STRICT.writeValueAsString(Map.of("input", List.of("short", longText))));

        assertThat(reply.path("hal0").path("window").asInt()).isEqualTo(512);
        assertThat(reply.path("hal0").path("averaged_inputs").toString()).isEqualTo("[1]");
        assertThat(reply.path("usage").path("prompt_tokens").asInt()).isEqualTo(3 + 1202);
        assertThat(dot(vector(reply, 1), vector(reply, 1))).isEqualTo(1, within(1e-5));
    }

    @Test
    void inputOfExactlyTheWindow_isNotAveraged() throws Exception {
        String text = "river ".repeat(510).strip();

        JsonNode reply = embed(Json.STRICT.writeValueAsString(Map.of("input", text)));

        assertThat(reply.path("usage").path("prompt_tokens").asInt()).isEqualTo(512);
        assertThat(reply.has("hal0")).isFalse();
    }

    @Test
    void model_isEchoed() throws Exception {
        assertThat(embed("{\"input\":\"a\",\"model\":\"embed\"}").path("model").asString())
                .isEqualTo("embed");
        assertThat(embed("{\"input\":\"a\"}").path("model").asString()).isEqualTo("minilm");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{}|input",
                "{\"input\":null}|input",
                "{\"input\":\"\"}|input",
                "{\"input\":\"  \"}|input",
                "{\"input\":\"\\u0000\\u0007\"}|input",
                "{\"input\":[]}|input",
                "{\"input\":5}|input",
                "{\"input\":{}}|input",
                "{\"input\":[\"a\",\"\"]}|input[1]",
                "{\"input\":[\"a\",\"\\n\\t\"]}|input[1]",
                "{\"input\":[\"a\",1]}|input[1]",
                "{\"input\":[[1,2]]}|input[0]",
                "{\"input\":\"a\",\"encoding_format\":\"hex\"}|encoding_format",
                "{\"input\":\"a\",\"encoding_format\":1}|encoding_format",
                "{\"input\":\"a\",\"encoding_format\":[]}|encoding_format",
                "{\"input\":\"a\",\"dimensions\":128}|dimensions",
                "{\"input\":\"a\",\"dimensions\":\"many\"}|dimensions",
                "{\"input\":\"a\",\"dimensions\":1e99}|dimensions",
                "{\"input\":\"a\",\"model\":{}}|model",
            })
    void wrongField_isNamed(String body, String param) throws Exception {
        Reply reply = post(server, "secret", body);

        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.param()).isEqualTo(param);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"input\":\"a\",\"dimensions\":384}",
                "{\"input\":\"a\",\"dimensions\":null,\"encoding_format\":null,\"model\":null}",
                "{\"input\":\"a\",\"user\":\"u\",\"unknown\":1}",
                "{\"input\":\"a\\u0000\\u0007\"}",
                "{\"input\":\"\\ud83d\\ude00 ☃ \\u202e\"}",
            })
    void unusualButValidBody_isTaken(String body) throws Exception {
        assertThat(vector(embed(body), 0)).hasSize(384);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "nope", "[]", "{\"input\":\"a\"", "{\"input\":\"a\"} x", "\"a\""})
    void bodyThatIsNoObject_isRefused(String body) throws Exception {
        Reply reply = post(server, "secret", body);

        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.body().path("error").path("code").asString()).startsWith("request.");
    }

    @Test
    void tooManyInputs_areRefused() throws Exception {
        String body = "{\"input\":[" + "\"a\",".repeat(2048) + "\"a\"]}";

        assertThat(post(server, "secret", body).param()).isEqualTo("input");
    }

    @Test
    void bodyBeyond8MiB_isRefused() throws Exception {
        assertThat(post(server, "secret", "{\"input\":\"" + "a".repeat(8 << 20) + "\"}")
                        .status())
                .isEqualTo(413);
    }

    private JsonNode embed(String body) throws Exception {
        Reply reply = post(server, "secret", body);
        assertThat(reply.status()).as(reply.body().toString()).isEqualTo(200);
        return reply.body();
    }

    private Reply get(StarterServer target, String path, String key) throws Exception {
        return send(target, path, key, HttpRequest.newBuilder().GET());
    }

    private Reply post(StarterServer target, String key, String body) throws Exception {
        return send(
                target,
                "/v1/embeddings",
                key,
                HttpRequest.newBuilder().POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    private Reply send(StarterServer target, String path, String key, HttpRequest.Builder request) throws Exception {
        request.uri(URI.create("http://127.0.0.1:" + target.port() + path));
        if (!key.isEmpty()) {
            request.header("Authorization", "Bearer " + key);
        }
        HttpResponse<String> response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        return new Reply(response.statusCode(), Json.LENIENT.readTree(response.body()));
    }

    private static float[] vector(JsonNode reply, int index) {
        JsonNode values = reply.path("data").path(index).path("embedding");
        var vector = new float[values.size()];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = values.get(i).floatValue();
        }
        return vector;
    }

    private static double dot(float[] one, float[] other) {
        double sum = 0;
        for (int i = 0; i < one.length; i++) {
            sum += (double) one[i] * other[i];
        }
        return sum;
    }

    private static StarterServer start() {
        try {
            return new StarterServer("127.0.0.1", 0, "minilm", "secret", 2);
        } catch (IOException impossible) {
            throw new java.io.UncheckedIOException(impossible);
        }
    }
}
