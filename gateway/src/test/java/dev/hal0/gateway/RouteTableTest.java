package dev.hal0.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.Json;
import dev.hal0.slots.SlotType;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class RouteTableTest {
    private static final String DOCUMENT = "{\"ok\":true}";

    private GatewayBox box = new GatewayBox();

    @AfterEach
    void close() {
        box.close();
    }

    /** Spec pitfall 11: clients spell it in every way, and each but one was a 405. */
    @ParameterizedTest
    @ValueSource(strings = {"/v1/rerank", "/v1/rerankings", "/v1/reranking", "/v2/rerank", "/rerank", "/reranking"})
    void everySpellingOfRerank_reachesTheSamePathOfTheEngine(String path) throws Exception {
        box.slots
                .add("rerank", SlotType.RERANKING)
                .model("ranker")
                .on(box.engine)
                .byDefault()
                .ready();
        box.engine.behave(FakeEngineServer.json(DOCUMENT));

        RawClient.Reply got = box.post(path, "{\"query\":\"q\",\"documents\":[\"a\"]}");

        assertThat(got.status()).isEqualTo(200);
        assertThat(got.headers()).containsEntry("x-hal0-slot", "rerank").containsEntry("x-hal0-resolved-by", "default");
        assertThat(box.engineCall().requestLine).isEqualTo("POST /engine/v1/rerank HTTP/1.1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/responses", "/v1/messages", "/v1/messages/count_tokens", "/infill", "/tokenize"})
    void nativePath_passesTheBodyAsItCame(String path) throws Exception {
        box.engine.behave(FakeEngineServer.json(DOCUMENT));
        String body = "{\"model\":\"chat\", \"unknown\":[1, 2]}";

        assertThat(box.post(path, body).body()).isEqualTo(DOCUMENT);
        assertThat(box.engineCall().requestLine).isEqualTo("POST /engine" + path + " HTTP/1.1");
        assertThat(box.engineCall().bodyText()).isEqualTo(body);
    }

    @Test
    void props_areAskedWithoutABody_ofTheSlotInTheQuery() throws Exception {
        box.engine.behave(FakeEngineServer.json(DOCUMENT));

        assertThat(box.get("/props?model=tiny").body()).isEqualTo(DOCUMENT);

        assertThat(box.engineCall().requestLine).isEqualTo("GET /engine/props HTTP/1.1");
        assertThat(box.engineCall().headers).doesNotContainKeys("content-length", "content-type");
    }

    @Test
    void upstreamPath_meansThatSlot_whateverTheBodySays() throws Exception {
        box.engine.behave(FakeEngineServer.json(DOCUMENT));

        RawClient.Reply got = box.post("/upstream/chat/v1/chat/completions", "{\"model\":\"something else\"}");

        assertThat(got.status()).isEqualTo(200);
        assertThat(got.headers()).containsEntry("x-hal0-slot", "chat");
    }

    /** An engine's own paths can save a prompt to disk, unload a model or show what others ask. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "/upstream/chat/slots",
                "/upstream/chat/slots/0?action=save",
                "/upstream/chat/models/unload",
                "/upstream/chat/metrics",
                "/upstream/chat/",
                "/upstream/chat/v1/chat/completions/../../../slots",
                "/upstream/chat/%2e%2e/slots"
            })
    void pathOutsideTheTable_isNeverPassedOn(String path) throws Exception {
        assertThat(box.post(path, "{}").status()).isEqualTo(404);
        assertThat(box.get(path).status()).isEqualTo(404);
        assertThat(box.engine.calls).isEmpty();
    }

    @Test
    void upstreamOfAnUnknownSlot_is404() throws Exception {
        RawClient.Reply got = box.post("/upstream/chot/v1/completions", "{}");
        assertThat(got.status()).isEqualTo(404);
        assertThat(got.error().path("message").asString()).contains("slot:chot");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/files", "/v1/files/abc/content", "/v1/assistants", "/v1/images/edits", "/v1/realtime"})
    void whatSdksProbe_is501WithAReason(String path) throws Exception {
        for (RawClient.Reply got : new RawClient.Reply[] {box.post(path, "{}"), box.get(path)}) {
            assertThat(got.status()).isEqualTo(501);
            assertThat(got.error().path("code").asString()).isEqualTo("system.not_implemented");
            assertThat(got.error().path("message").asString()).contains(path);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/messages", "/v1/responses"})
    void streamOfNamedEvents_whoseEngineDies_endsWithANamedError(String path) throws Exception {
        box.engine.behave(FakeEngineServer.dropAfter(2));

        RawClient.Reply got = box.post(path, "{\"model\":\"chat\",\"stream\":true}");

        assertThat(got.body()).contains("event: error\ndata: {\"type\":\"error\",\"error\":{");
        assertThat(got.body()).doesNotContain("[DONE]").endsWith("}\n\n");
    }

    /** Regression: Anthropic's clients read the type of an error where only our envelope was. */
    @ParameterizedTest
    @ValueSource(strings = {"/v1/messages", "/v1/messages/count_tokens", "/upstream/chat/v1/messages"})
    void failureOfAnthropicsRoutes_hasItsShape(String path) throws Exception {
        box.engine.behave(FakeEngineServer.status(
                400, "application/json", "{\"error\":{\"message\":\"too long\",\"type\":\"exceeded\"}}"));

        JsonNode broken = Json.STRICT.readTree(box.post(path, "{").body());
        JsonNode refused =
                Json.STRICT.readTree(box.post(path, "{\"model\":\"chat\"}").body());

        for (JsonNode answer : List.of(broken, refused)) {
            assertThat(answer.path("type").asString()).isEqualTo("error");
            assertThat(answer.path("error").path("type").asString()).isEqualTo("invalid_request_error");
            assertThat(answer.path("request_id").asString()).startsWith("req-");
        }
        assertThat(broken.path("error").path("code").asString()).isEqualTo("request.invalid_json");
        assertThat(refused.path("error").path("message").asString()).contains("too long");
    }

    @Test
    void unknownModel_hasTheTypeOfTheClientsThatAsk() throws Exception {
        String ask = "{\"model\":\"nobody\"}";

        assertThat(box.post("/v1/messages", ask).error().path("type").asString())
                .isEqualTo("not_found_error");
        assertThat(box.post("/v1/responses", ask).body()).doesNotContain("\"type\":\"error\"");
    }

    @Test
    void wrongMethod_namesTheRightOne_alsoForAnotherSpelling() throws Exception {
        RawClient.Reply got = box.get("/rerank");
        assertThat(got.status()).isEqualTo(405);
        assertThat(got.headers()).containsEntry("allow", "POST");
    }

    @Test
    void unknownName_goesToTheDefaultSlot_onlyWhereTheSettingsSaySo() throws Exception {
        String ask = "{\"model\":\"gpt-4o\"}";
        assertThat(box.post("/v1/chat/completions", ask).status()).isEqualTo(404);
        box.close();
        var policy = GatewayBox.POLICY;
        box = new GatewayBox(new GatewayPolicy(
                policy.maxBodyBytes(),
                policy.loadBudget(),
                policy.holdHeaders(),
                policy.progressEvery(),
                policy.streamIdle(),
                policy.streamTotal(),
                Duration.ofSeconds(30),
                true));
        box.engine.behave(FakeEngineServer.json(DOCUMENT));

        RawClient.Reply got = box.post("/v1/chat/completions", ask);

        assertThat(got.status()).isEqualTo(200);
        assertThat(got.headers())
                .containsEntry("x-hal0-slot", "chat")
                .containsEntry("x-hal0-resolved-by", "unknown-to-default");
    }

    // Where it would go

    @Test
    void explanation_ofAReadySlot_saysWhyAndWhatTheEngineIsAsked() {
        RouteExplanation found = box.gateway.explain("/v1/chat/completions", Optional.of("tiny"));
        assertThat(found.slot()).isEqualTo("chat");
        assertThat(found.resolvedBy()).isEqualTo("model");
        assertThat(found.enginePath()).isEqualTo("/engine/v1/chat/completions");
        assertThat(found.wouldLoad()).isFalse();
        assertThat(found.reasons()).hasSize(3);
        assertThat(box.engine.calls).isEmpty();
    }

    @Test
    void explanation_ofAColdSlot_saysThatItWouldLoad_andLoadsNothing() {
        box.slots.add("cold", SlotType.LLM).model("big");
        RouteExplanation found = box.gateway.explain("/v1/chat/completions", Optional.of("big"));
        assertThat(found.wouldLoad()).isTrue();
        assertThat(found.reasons().getLast()).contains("loads it and waits");
        assertThat(box.slots.loads()).isZero();
    }

    @Test
    void explanation_ofAnUnknownModel_hasTheClientsError() {
        RouteExplanation found = box.gateway.explain("/v1/chat/completions", Optional.of("chot"));
        assertThat(found.slot()).isNull();
        assertThat(found.error()).isNotNull();
        assertThat(found.reasons().getLast()).contains("Did you mean 'chat'?");
    }

    @Test
    void explanation_ofAnEngineThatDoesNotSpeakThePath_saysSo() {
        RouteExplanation found = box.gateway.explain(TestingEngine.UNKNOWN_PATH, Optional.empty());
        assertThat(found.slot()).isEqualTo("chat");
        assertThat(found.error()).isNotNull();
        assertThat(found.reasons().getLast()).contains("does not serve");
    }

    @Test
    void explanation_ofTheWrongKindOfSlot_namesBoth() {
        RouteExplanation found = box.gateway.explain("/v1/embeddings", Optional.of("chat"));
        assertThat(found.error()).isNotNull();
        assertThat(found.reasons().getLast()).contains("serves llm", "needs embedding");
    }
}
