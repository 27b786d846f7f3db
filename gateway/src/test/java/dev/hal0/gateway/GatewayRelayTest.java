package dev.hal0.gateway;

import static dev.hal0.gateway.GatewayBox.CHAT;
import static dev.hal0.gateway.GatewayBox.body;
import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.SlotName;
import dev.hal0.slots.SlotType;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GatewayRelayTest {
    private final GatewayBox box = new GatewayBox();

    @AfterEach
    void close() {
        box.close();
    }

    @Test
    void document_reachesTheClientByteForByte() throws Exception {
        String reply = "{ \"id\" :1,\n\"model\":\"what-the-engine-says\", \"text\":\"ä\\u0000\" }\n";
        box.engine.behave(FakeEngineServer.json(reply));

        RawClient.Reply got = box.post(CHAT, body("chat", false));

        assertThat(got.status()).isEqualTo(200);
        assertThat(got.body()).isEqualTo(reply);
        assertThat(got.headers())
                .containsEntry("content-type", "application/json")
                .containsEntry("x-hal0-slot", "chat")
                .containsEntry("x-hal0-model", "tiny")
                .doesNotContainKeys("x-hal0-load-ms", "access-control-allow-origin", "server");
    }

    @Test
    void requestBody_reachesTheEngineByteForByte() throws Exception {
        String odd = "{  \"stream\":false , \"unknown\":{\"a\":[1e2,1.0,\"\\u00e9\"]},\"model\":\"chat\" } \n";

        box.post(CHAT, odd);

        assertThat(box.engine.onlyCall().bodyText()).isEqualTo(odd);
        assertThat(box.engine.onlyCall().requestLine).isEqualTo("POST /engine/v1/chat/completions HTTP/1.1");
    }

    @Test
    void stream_isRelayedWithItsHeadersAndEndsProperly() throws Exception {
        try (RawClient client = box.stream()) {
            assertThat(client.head().status()).isEqualTo(200);
            assertThat(client.head().headers())
                    .containsEntry("content-type", "text/event-stream")
                    .containsEntry("cache-control", "no-cache")
                    .containsEntry("x-accel-buffering", "no")
                    .containsEntry("x-hal0-slot", "chat")
                    .containsKey("x-request-id");
            assertThat(client.rest())
                    .isEqualTo(FakeEngineServer.token(0)
                            + FakeEngineServer.token(1)
                            + FakeEngineServer.token(2)
                            + FakeEngineServer.DONE);
        }
    }

    @Test
    void everyToken_arrivesBeforeTheEngineSendsTheNext() throws Exception {
        var arrived = new java.util.concurrent.Semaphore(0);
        box.engine.behave(call -> {
            call.eventStream();
            for (int i = 0; i < 20; i++) {
                call.chunk(FakeEngineServer.token(i));
                assertThat(arrived.tryAcquire(15, TimeUnit.SECONDS)).isTrue();
            }
            call.end();
        });

        try (RawClient client = box.stream()) {
            for (int i = 0; i < 20; i++) {
                assertThat(client.chunk()).isEqualTo(FakeEngineServer.token(i));
                arrived.release();
            }
            assertThat(client.chunk()).isNull();
        }
    }

    @Test
    void streamHead_arrivesBeforeTheFirstToken() throws Exception {
        var headSeen = new CountDownLatch(1);
        box.engine.behave(call -> {
            call.eventStream();
            assertThat(headSeen.await(15, TimeUnit.SECONDS)).isTrue();
            call.chunk(FakeEngineServer.DONE);
            call.end();
        });

        try (RawClient client = box.stream()) {
            assertThat(client.head().status()).isEqualTo(200);
            headSeen.countDown();
            assertThat(client.rest()).isEqualTo(FakeEngineServer.DONE);
        }
    }

    @Test
    void clientsOwnHeaders_doNotReachTheEngine() throws Exception {
        box.post(
                CHAT,
                body("chat", false),
                "Authorization: Bearer users-secret",
                "X-Api-Key: users-secret",
                "Cookie: session=users-secret",
                "X-Forwarded-For: 10.0.0.1",
                "Forwarded: for=10.0.0.1",
                "Origin: http://localhost",
                "Connection: keep-alive, X-Hop",
                "X-Hop: users-secret",
                "TE: trailers",
                "Accept-Encoding: gzip",
                "Content-Type: text/plain",
                "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                "X-Request-ID: mine-1");

        assertThat(box.engine.onlyCall().headers)
                .containsOnlyKeys(
                        "host",
                        "authorization",
                        "content-type",
                        "content-length",
                        "accept-encoding",
                        "x-request-id",
                        "traceparent")
                .containsEntry("host", "127.0.0.1:" + box.engine.port())
                .containsEntry("authorization", "Bearer " + FakeEngineServer.KEY)
                .containsEntry("content-type", "application/json")
                .containsEntry("accept-encoding", "identity")
                .containsEntry("x-request-id", "mine-1");
    }

    @Test
    void compressedReply_keepsItsEncodingHeader() throws Exception {
        box.engine.behave(call -> call.raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"));

        RawClient.Reply got = box.post(CHAT, body("chat", false));

        assertThat(got.headers()).containsEntry("content-encoding", "gzip");
        assertThat(got.body()).isEqualTo("abc");
    }

    @Test
    void engineConnection_isUsedAgain() throws Exception {
        box.engine.behave(FakeEngineServer.json("{}"));
        for (int i = 0; i < 5; i++) {
            assertThat(box.post(CHAT, body("chat", false)).status()).isEqualTo(200);
        }
        assertThat(box.engine.connections()).isEqualTo(1);
    }

    @Test
    void replyWithoutLength_endsWithTheEnginesConnection() throws Exception {
        box.engine.behave(call -> {
            call.raw("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
            call.raw(FakeEngineServer.token(0) + FakeEngineServer.DONE);
            call.finish();
        });

        RawClient.Reply got = box.post(CHAT, body("chat", true));

        assertThat(got.status()).isEqualTo(200);
        assertThat(got.body()).isEqualTo(FakeEngineServer.token(0) + FakeEngineServer.DONE);
        assertThat(box.account().errorCode()).isEmpty();
    }

    @Test
    void replyThatSmugglesAnother_isAnsweredWithoutIt() throws Exception {
        box.engine.behave(call -> call.raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
                + "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"));
        assertThat(box.post(CHAT, body("chat", false)).body()).isEqualTo("{}");
        box.engine.behave(FakeEngineServer.json("{\"mine\":1}"));

        assertThat(box.post(CHAT, body("chat", false)).body()).isEqualTo("{\"mine\":1}");
        assertThat(box.engine.connections()).isEqualTo(2);
    }

    @Test
    void largeRequest_reachesTheEngineWhole() throws Exception {
        String large = "{\"model\":\"chat\",\"x\":\"" + "y".repeat(900_000) + "\"}";

        assertThat(box.post(CHAT, large).status()).isEqualTo(200);

        assertThat(box.engine.onlyCall().bodyText()).isEqualTo(large);
    }

    @Test
    void traceHeaderThatNoRequestMayHold_isLeftOut() throws Exception {
        box.post(CHAT, body("chat", false), "traceparent: caf\u00e9", "tracestate: a=1");

        assertThat(box.engine.onlyCall().headers)
                .doesNotContainKey("traceparent")
                .containsEntry("tracestate", "a=1");
    }

    @Test
    void engineThatRedirects_isNotFollowed() throws Exception {
        box.engine.behave(
                call -> call.raw("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"));

        RawClient.Reply got = box.post(CHAT, body("chat", false));

        assertThat(got.status()).isEqualTo(302);
        assertThat(got.headers()).doesNotContainKey("location");
        assertThat(box.engine.calls).hasSize(1);
    }

    @Test
    void engineRefusal_keepsItsStatusInOurEnvelope() throws Exception {
        box.engine.behave(
                FakeEngineServer.status(
                        400,
                        "application/json",
                        "{\"error\":{\"code\":400,\"message\":\"too long.\",\"type\":\"exceed_context_size_error\",\"n_ctx\":8}}"));

        RawClient.Reply got = box.post(CHAT, body("chat", true));

        assertThat(got.status()).isEqualTo(400);
        assertThat(got.error().path("code").asString()).isEqualTo("dispatch.upstream_failed");
        assertThat(got.error().path("type").asString()).isEqualTo("exceed_context_size_error");
        assertThat(got.error().path("message").asString()).isEqualTo("The engine answered 400: too long.");
        assertThat(got.error()
                        .path("details")
                        .path("upstream")
                        .path("error")
                        .path("n_ctx")
                        .asInt())
                .isEqualTo(8);
        assertThat(got.error().path("request_id").asString())
                .isEqualTo(got.headers().get("x-request-id"));
        assertThat(got.headers()).containsEntry("x-hal0-slot", "chat");
        assertThat(box.account().status()).isEqualTo(400);
        assertThat(box.account().errorCode()).contains("dispatch.upstream_failed");
    }

    @Test
    void engineRefusalWithoutEnd_isAnsweredFromItsBeginning() throws Exception {
        box.engine.behave(call -> {
            call.raw("HTTP/1.1 500 Oh\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n");
            for (int i = 0; i < 10_000 && !call.isClosed(); i++) {
                call.chunk("x".repeat(8192));
            }
        });

        RawClient.Reply got = box.post(CHAT, body("chat", false));

        assertThat(got.status()).isEqualTo(500);
        assertThat(got.error().path("type").asString()).isEqualTo("server_error");
        assertThat(got.error().path("details").path("upstream").asString()).hasSize(EngineRefusal.MOST_BYTES);
        box.engineCall().awaitClosed();
    }

    @Test
    void documentTooLargeToHold_passesThrough() throws Exception {
        String large = "x".repeat(20 << 20);
        box.engine.behave(FakeEngineServer.json(large));

        assertThat(box.post(CHAT, body("chat", false)).body()).isEqualTo(large);
    }

    @Test
    void accounting_hearsOfAnAnsweredRequestOnce() throws Exception {
        box.post(CHAT, body("chat", true), "X-Request-ID: a.b-c_1");

        Accounting.Ended account = box.account();
        assertThat(account.requestId()).isEqualTo("a.b-c_1");
        assertThat(account.route()).isEqualTo(CHAT);
        assertThat(account.slot()).contains(new SlotName("chat"));
        assertThat(account.model()).contains("tiny");
        assertThat(account.streamed()).isTrue();
        assertThat(account.status()).isEqualTo(200);
        assertThat(account.errorCode()).isEmpty();
        assertThat(account.loading()).isZero();
        assertThat(account.requestedModel()).contains("chat");
        assertThat(account.caller()).isEqualTo("127.0.0.1");
        assertThat(account.bytesIn()).isEqualTo(body("chat", true).length());
        assertThat(account.figures()).isEqualTo(EngineFigures.UNKNOWN);
        assertThat(account.firstByte()).isPresent();
        assertThat(account.total()).isGreaterThanOrEqualTo(account.firstByte().get());
        assertThat(account.bytes()).isEqualTo(3L * FakeEngineServer.token(0).length() + FakeEngineServer.DONE.length());
    }

    @Test
    void requestUnderWay_isInTheView() throws Exception {
        box.engine.behave(FakeEngineServer.hangAfter(1));
        try (var client = new RawClient(box.port())) {
            client.send("POST", CHAT, body("tiny", true), "X-Request-ID: seen");
            client.chunk();

            InFlight view = box.gateway.requests().getFirst();
            assertThat(view.requestId()).isEqualTo("seen");
            assertThat(view.slot()).contains(new SlotName("chat"));
            assertThat(view.phase()).isEqualTo("decoding");
            assertThat(view.pieces()).isEqualTo(1);
            assertThat(view.caller()).isEqualTo("127.0.0.1");
            assertThat(view.requestedModel()).contains("tiny");
            assertThat(view.streamed()).isTrue();
            assertThat(view.bytesOut()).isEqualTo(FakeEngineServer.token(0).length());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a b", "x;y", "<script>", "ä", ""})
    void requestIdThatIsNotSane_isReplaced(String id) throws Exception {
        RawClient.Reply got = box.post(CHAT, body("chat", false), "X-Request-ID: " + id);

        assertThat(got.headers().get("x-request-id")).startsWith("req-").isNotEqualTo(id);
    }

    @Test
    void requestIdThatIsTooLong_isReplaced() throws Exception {
        assertThat(box.post(CHAT, body("chat", false), "X-Request-ID: " + "a".repeat(129))
                        .headers()
                        .get("x-request-id"))
                .startsWith("req-");
    }

    @Test
    void engineWithoutThatPath_isACapabilityMismatch() throws Exception {
        RawClient.Reply got = box.post(TestingEngine.UNKNOWN_PATH, body("chat", false));

        assertThat(got.status()).isEqualTo(409);
        assertThat(got.error().path("code").asString()).isEqualTo("dispatch.capability_mismatch");
        assertThat(box.engine.calls).isEmpty();
    }

    @Test
    void modelIdThatNoHeaderMayHold_isWrittenAsAscii() throws Exception {
        box.chat.model("tïny\u0001");

        RawClient.Reply got = box.post(CHAT, body("chat", false));

        assertThat(got.status()).isEqualTo(200);
        assertThat(got.headers().get("x-hal0-model")).isEqualTo("\"t?ny\\u0001\"");
    }

    @Test
    void embeddings_goToTheEmbeddingSlotByDefault() throws Exception {
        var embed = box.slots
                .add("embed", SlotType.EMBEDDING)
                .model("minilm")
                .on(box.engine)
                .byDefault()
                .ready();
        box.engine.behave(FakeEngineServer.json("{\"data\":[]}"));

        RawClient.Reply got = box.post("/v1/embeddings", "{\"input\":\"a\",\"stream\":true}");

        assertThat(got.status()).isEqualTo(200);
        assertThat(got.headers()).containsEntry("x-hal0-slot", "embed").containsEntry("x-hal0-model", "minilm");
        assertThat(embed.gate.inside()).isZero();
    }
}
