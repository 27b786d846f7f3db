package dev.hal0.server;

import static dev.hal0.server.ServerFixture.expect;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.ResponseFormatJsonSchema;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionFunctionTool;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import dev.hal0.kernel.Json;
import dev.hal0.testing.TestingGguf;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * LangChain4j, and what {@link RealEngineTest} leaves out of the official Java client, against the real llama.cpp: what
 * their users do. The tool calls are forced by the engine's grammar, so they are valid whatever the weights are.
 */
@Tag("engine")
class JavaClientsTest {
    private static final List<String> CITIES = List.of("Paris", "Rome");

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
        Path tools = TestingGguf.callingTools().writeTo(root.resolve("tools.gguf"));
        expect(201, hal0.send("POST", "/api/models", Map.of("path", tools.toString(), "id", "calling")));
        Path vectors = TestingGguf.embedding().writeTo(root.resolve("vectors.gguf"));
        expect(201, hal0.send("POST", "/api/models", Map.of("path", vectors.toString(), "id", "vectors")));
        hal0.load("chat", "tiny");
        hal0.load("vectors", "vectors");
        hal0.load("tools", "calling");
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

    @Test
    void openai_callsATool() {
        var completion = openai.chat()
                .completions()
                .create(ChatCompletionCreateParams.builder()
                        .model("tools")
                        .addUserMessage("How is the weather?")
                        .addTool(ChatCompletionFunctionTool.builder()
                                .function(FunctionDefinition.builder()
                                        .name("weather")
                                        .parameters(FunctionParameters.builder()
                                                .putAllAdditionalProperties(schema())
                                                .build())
                                        .build())
                                .build())
                        .toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED)
                        .parallelToolCalls(false)
                        .maxCompletionTokens(400)
                        .build());
        var calls = completion.choices().getFirst().message().toolCalls().orElseThrow();
        assertThat(calls).isNotEmpty().allSatisfy(call -> {
            assertThat(call.asFunction().function().name()).isEqualTo("weather");
            assertThat(call.asFunction().function().arguments()).containsAnyOf("Paris", "Rome");
        });
    }

    @Test
    void openai_getsStructuredOutput() {
        var completion = openai.chat()
                .completions()
                .create(ChatCompletionCreateParams.builder()
                        .model("chat")
                        .addUserMessage("How is the weather?")
                        .responseFormat(ResponseFormatJsonSchema.builder()
                                .jsonSchema(ResponseFormatJsonSchema.JsonSchema.builder()
                                        .name("forecast")
                                        .strict(true)
                                        .schema(ResponseFormatJsonSchema.JsonSchema.Schema.builder()
                                                .putAllAdditionalProperties(schema())
                                                .build())
                                        .build())
                                .build())
                        .maxCompletionTokens(200)
                        .build());
        var text = completion.choices().getFirst().message().content().orElseThrow();
        assertThat(Json.STRICT.readTree(text).path("city").asString()).isIn(CITIES);
    }

    private static Map<String, JsonValue> schema() {
        return Map.of(
                "type",
                JsonValue.from("object"),
                "properties",
                JsonValue.from(Map.of("city", Map.of("type", "string", "enum", CITIES))),
                "required",
                JsonValue.from(List.of("city")),
                "additionalProperties",
                JsonValue.from(false));
    }

    private static OpenAiChatModel langChain(String slot) {
        return OpenAiChatModel.builder()
                .baseUrl(hal0.url("/v1"))
                .apiKey("any")
                .modelName(slot)
                .maxRetries(0)
                .maxTokens(400)
                .timeout(Duration.ofSeconds(60))
                .build();
    }

    private static ToolSpecification weather() {
        return ToolSpecification.builder()
                .name("weather")
                .parameters(forecast())
                .build();
    }

    private static JsonObjectSchema forecast() {
        return JsonObjectSchema.builder()
                .addEnumProperty("city", CITIES)
                .required("city")
                .additionalProperties(false)
                .build();
    }

    @Test
    void langChain_chats() {
        ChatResponse response = langChain("chat").chat(UserMessage.from("hello"));
        assertThat(response.aiMessage().text()).isNotEmpty();
        assertThat(response.tokenUsage().outputTokenCount()).isBetween(1, 400);
    }

    @Test
    void langChain_callsATool_andSendsItsResultBack() {
        var model = langChain("tools");
        var question = UserMessage.from("How is the weather?");
        AiMessage call = model.chat(ChatRequest.builder()
                        .messages(question)
                        .toolSpecifications(weather())
                        .toolChoice(ToolChoice.REQUIRED)
                        .build())
                .aiMessage();
        assertThat(call.toolExecutionRequests()).isNotEmpty();
        ToolExecutionRequest first = call.toolExecutionRequests().getFirst();
        assertThat(first.name()).isEqualTo("weather");
        assertThat(first.arguments()).containsAnyOf("Paris", "Rome");
        var results = call.toolExecutionRequests().stream()
                .map(request -> ToolExecutionResultMessage.from(request, "sunny"))
                .toList();
        var messages = new ArrayList<ChatMessage>(List.of(question, call));
        messages.addAll(results);
        assertThat(model.chat(ChatRequest.builder()
                                .messages(messages)
                                .toolSpecifications(weather())
                                .build())
                        .aiMessage())
                .isNotNull();
    }

    @Test
    void langChain_getsStructuredOutput() {
        String text = langChain("chat")
                .chat(ChatRequest.builder()
                        .messages(UserMessage.from("How is the weather?"))
                        .responseFormat(ResponseFormat.builder()
                                .type(ResponseFormatType.JSON)
                                .jsonSchema(JsonSchema.builder()
                                        .name("forecast")
                                        .rootElement(forecast())
                                        .build())
                                .build())
                        .build())
                .aiMessage()
                .text();
        assertThat(Json.STRICT.readTree(text).path("city").asString()).isIn(CITIES);
    }

    private static OpenAiStreamingChatModel streaming(int tokens) {
        return OpenAiStreamingChatModel.builder()
                .baseUrl(hal0.url("/v1"))
                .apiKey("any")
                .modelName("chat")
                .maxTokens(tokens)
                .timeout(Duration.ofSeconds(60))
                .build();
    }

    @Test
    void langChain_streams() throws Exception {
        var text = new StringBuffer();
        var ended = new CompletableFuture<ChatResponse>();
        streaming(16).chat("hello", new StreamingChatResponseHandler() {
            @Override
            public void onPartialResponse(String part) {
                text.append(part);
            }

            @Override
            public void onCompleteResponse(ChatResponse response) {
                ended.complete(response);
            }

            @Override
            public void onError(Throwable failure) {
                ended.completeExceptionally(failure);
            }
        });
        ChatResponse response = ended.get(60, TimeUnit.SECONDS);
        assertThat(text).isNotEmpty().hasToString(response.aiMessage().text());
        assertThat(response.tokenUsage().outputTokenCount()).isPositive();
    }

    @Test
    void langChain_cancelsAStream_andTheEngineStopsWorking() throws Exception {
        var begun = new CompletableFuture<Boolean>();
        streaming(100_000).chat("hello", new StreamingChatResponseHandler() {
            @Override
            public void onPartialResponse(PartialResponse part, PartialResponseContext context) {
                context.streamingHandle().cancel();
                begun.complete(true);
            }

            @Override
            public void onCompleteResponse(ChatResponse response) {
                begun.complete(false);
            }

            @Override
            public void onError(Throwable failure) {
                begun.completeExceptionally(failure);
            }
        });
        assertThat(begun.get(60, TimeUnit.SECONDS)).isTrue();
        await().atMost(Duration.ofSeconds(10))
                .until(() -> hal0.slot("chat").path("inside").asInt() == 0);
    }

    @Test
    void langChain_embeds() {
        var model = OpenAiEmbeddingModel.builder()
                .baseUrl(hal0.url("/v1"))
                .apiKey("any")
                .modelName("vectors")
                .build();
        var rows = model.embedAll(List.of(TextSegment.from("a cat"), TextSegment.from("a dog")))
                .content();
        assertThat(rows)
                .hasSize(2)
                .allSatisfy(row -> assertThat(row.dimension()).isEqualTo(64));
    }

    @Test
    void langChain_readsOurErrors() {
        assertThatThrownBy(() -> langChain("nobody").chat("hello"))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessageContaining("nobody");
    }
}
