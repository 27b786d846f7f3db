package dev.hal0.server;

import static dev.hal0.server.ServerFixture.chat;
import static dev.hal0.server.ServerFixture.error;
import static dev.hal0.server.ServerFixture.expect;
import static dev.hal0.server.ServerFixture.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.NotFoundException;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.embeddings.EmbeddingCreateParams;
import dev.hal0.testing.TestingGguf;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The real llama.cpp, installed by hal0 itself from the machine's Debian mirror, with models of random weights: protocol and
 * lifecycle, not quality. Driven by the official Java client.
 */
@Tag("engine")
class RealEngineTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path root;

    @SuppressWarnings("NullAway.Init")
    private static ServerFixture hal0;

    @SuppressWarnings("NullAway.Init")
    private static OpenAIClient openai;

    @BeforeAll
    static void installAndLoad() throws Exception {
        hal0 = ServerFixture.withInstalledEngine(root.resolve("home"));
        hal0.addModel("tiny");
        Path embedding = root.resolve("embedding.gguf");
        TestingGguf.embedding().writeTo(embedding);
        expect(201, hal0.send("POST", "/api/models", Map.of("path", embedding.toString(), "id", "tiny-embedding")));
        // The first load fetches the engine: the same call that a person makes.
        hal0.load("chat", "tiny");
        hal0.load("vectors", "tiny-embedding");
        openai = OpenAIOkHttpClient.builder()
                .baseUrl(hal0.url("/v1"))
                .apiKey("any")
                .maxRetries(0)
                .timeout(Duration.ofSeconds(60))
                .build();
    }

    @AfterAll
    static void stop() {
        if (openai != null) {
            openai.close();
        }
        hal0.close();
    }

    private static ChatCompletionCreateParams.Builder hello() {
        return ChatCompletionCreateParams.builder().model("chat").addUserMessage("hello");
    }

    @Test
    void installedEngine_isListedWithItsVersionAndSource() {
        var llama = json(hal0.get("/api/engines/llama.cpp"));
        assertThat(llama.path("installed").asBoolean()).isTrue();
        assertThat(llama.path("source").asString()).isEqualTo("installed");
        assertThat(llama.path("version").asString()).isNotEmpty();
    }

    @Test
    void officialClient_listsModels() {
        var ids = new ArrayList<String>();
        openai.models().list().data().forEach(model -> ids.add(model.id()));
        assertThat(ids).contains("chat", "tiny", "vectors", "tiny-embedding");
        assertThat(openai.models().retrieve("tiny").id()).isEqualTo("tiny");
    }

    @Test
    void officialClient_chats() {
        var completion = openai.chat()
                .completions()
                .create(hello().maxCompletionTokens(8).build());
        assertThat(completion.choices().getFirst().message().content()).isPresent();
        assertThat(completion.usage().orElseThrow().completionTokens()).isBetween(1L, 8L);
    }

    @Test
    void officialClient_streamsWithUsage() {
        var text = new StringBuilder();
        var usage = new ArrayList<Long>();
        try (StreamResponse<ChatCompletionChunk> stream = openai.chat()
                .completions()
                .createStreaming(hello().maxCompletionTokens(8)
                        .streamOptions(ChatCompletionStreamOptions.builder()
                                .includeUsage(true)
                                .build())
                        .build())) {
            stream.stream().forEach(chunk -> {
                chunk.choices().forEach(choice -> choice.delta().content().ifPresent(text::append));
                chunk.usage().ifPresent(figures -> usage.add(figures.completionTokens()));
            });
        }
        assertThat(text).isNotEmpty();
        assertThat(usage).hasSize(1);
    }

    @Test
    void officialClient_abortsAStream_andTheEngineStopsWorking() {
        try (StreamResponse<ChatCompletionChunk> stream = openai.chat()
                .completions()
                .createStreaming(hello().maxCompletionTokens(100_000).build())) {
            assertThat(stream.stream().findFirst()).isPresent();
        }
        await().atMost(Duration.ofSeconds(10))
                .until(() -> hal0.slot("chat").path("inside").asInt() == 0);
        expect(200, hal0.send("POST", "/v1/chat/completions", chat("max_tokens", 1)));
    }

    @Test
    void officialClient_embeds() {
        var reply = openai.embeddings()
                .create(EmbeddingCreateParams.builder()
                        .model("vectors")
                        .inputOfArrayOfStrings(List.of("one", "two"))
                        .build());
        assertThat(reply.data()).hasSize(2);
        assertThat(reply.data().getFirst().embedding()).isNotEmpty();
    }

    @Test
    void officialClient_readsOurErrors() {
        assertThatThrownBy(() -> openai.chat()
                        .completions()
                        .create(ChatCompletionCreateParams.builder()
                                .model("no-such-model")
                                .addUserMessage("x")
                                .build()))
                .isInstanceOf(NotFoundException.class)
                .hasMessageContaining("no-such-model");
    }

    @Test
    void tooLongPrompt_keepsTheEnginesRefusal() {
        HttpResponse<String> response =
                hal0.send("POST", "/v1/completions", Map.of("model", "chat", "prompt", "word ".repeat(20_000)));
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(error(response).path("code").asString()).isEqualTo("dispatch.upstream_failed");
        assertThat(error(response)
                        .path("details")
                        .path("upstream")
                        .path("error")
                        .path("type")
                        .asString())
                .isEqualTo("exceed_context_size_error");
    }

    @Test
    void engineKilledFromOutside_isSeenAndLoadedAgainByTheNextRequest() {
        expect(200, hal0.send("POST", "/v1/chat/completions", chat("max_tokens", 1)));
        long pid =
                Long.parseLong(hal0.slot("chat").path("incarnation").asString().split(":")[1]);
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
        await().atMost(Duration.ofSeconds(10))
                .until(() -> hal0.slot("chat").path("state").asString().equals("offline"));
        assertThat(hal0.slot("chat").path("cause").asString()).isEqualTo("engine_exited");
        expect(200, hal0.send("POST", "/v1/chat/completions", chat("max_tokens", 1)));
    }

    @Test
    void templateAndThinking_areWhatTheEngineUses() throws Exception {
        options("chat_template = \"chatml\"\nenable_thinking = false\n");
        hal0.load("options", "tiny");

        assertThat(json(hal0.get("/upstream/options/props"))
                        .path("chat_template")
                        .asString())
                .contains("<|im_start|>");
        expect(200, hal0.send("POST", "/api/slots/options/unload?wait=60", Map.of()));
    }

    @Test
    void optionsThatTheModelCannotHave_areToldByTheEngine() throws Exception {
        options("mtp = true\n");
        HttpResponse<String> load = hal0.send("POST", "/api/slots/options/load?wait=60", Map.of("model", "tiny"));

        assertThat(load.statusCode()).isEqualTo(502);
        assertThat(error(load).path("details").path("last_lines").toString()).contains("MTP");
    }

    private static void options(String fields) throws IOException {
        hal0.editSlot("options", "type = \"llm\"\nport = " + ServerFixture.freePort() + "\n" + fields);
    }

    @Test
    void fileThatIsNoModel_neverBecomesReady() throws Exception {
        Path file = root.resolve("noise.gguf");
        TestingGguf.chat().withoutKey("llama.attention.head_count").writeTo(file);
        HttpResponse<String> added = hal0.send("POST", "/api/models", Map.of("path", file.toString(), "id", "noise"));
        if (added.statusCode() == 201) {
            HttpResponse<String> load =
                    hal0.send("POST", "/api/slots/bad/load?wait=60", Map.of("model", "noise", "create", true));
            assertThat(load.statusCode()).isEqualTo(502);
            assertThat(error(load).path("details").path("last_lines").toString())
                    .contains("failed to load model");
        } else {
            assertThat(error(added).path("code").asString()).isEqualTo("model.file_invalid");
        }
    }
}
