package dev.hal0.gateway;

import static dev.hal0.gateway.GatewayBox.CHAT;
import static dev.hal0.gateway.GatewayBox.PATIENCE;
import static dev.hal0.gateway.GatewayBox.body;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is refused before a slot is looked for, and routes that do not exist. */
class GatewayBodyTest {
    private final GatewayBox box = new GatewayBox();

    @AfterEach
    void close() {
        assertThat(box.engine.calls).hasSizeLessThanOrEqualTo(1);
        box.close();
    }

    @Test
    void malformedJson_is400WithItsPosition() throws Exception {
        RawClient.Reply got = box.post(CHAT, "{\n  \"model\": \"chat\",,\n}");

        assertThat(got.status()).isEqualTo(400);
        assertThat(got.error().path("code").asString()).isEqualTo("request.invalid_json");
        assertThat(got.error().path("type").asString()).isEqualTo("invalid_request_error");
        assertThat(got.error().path("details").path("line").asInt()).isEqualTo(2);
        assertThat(got.error().path("details").path("column").asInt()).isGreaterThan(10);
        assertThat(box.account().errorCode()).contains("request.invalid_json");
        assertThat(box.account().slot()).isEmpty();
    }

    @Test
    void emptyBody_is400() throws Exception {
        assertThat(box.post(CHAT, "").error().path("code").asString()).isEqualTo("request.invalid_json");
    }

    @Test
    void arrayAsBody_is400() throws Exception {
        assertThat(box.post(CHAT, "[]").error().path("code").asString()).isEqualTo("request.not_an_object");
    }

    @Test
    void modelOfAnotherType_is400NamingIt() throws Exception {
        RawClient.Reply got = box.post(CHAT, "{\"model\":7}");

        assertThat(got.status()).isEqualTo(400);
        assertThat(got.error().path("param").asString()).isEqualTo("model");
    }

    @Test
    void unknownModel_is404AndNothingIsAskedOfTheEngine() throws Exception {
        RawClient.Reply got = box.post(CHAT, body("cat", false));

        assertThat(got.status()).isEqualTo(404);
        assertThat(got.error().path("code").asString()).isEqualTo("dispatch.no_route");
        assertThat(got.error().path("type").asString()).isEqualTo("not_found_error");
        assertThat(got.error().path("message").asString()).contains("Did you mean 'chat'?", "chat, tiny");
        assertThat(box.account().slot()).isEmpty();
        assertThat(box.engine.calls).isEmpty();
    }

    @Test
    void largeBody_isParsedElsewhereAndReachesTheEngineWhole() throws Exception {
        String large = "{\"messages\":\"" + "x".repeat(300_000) + "\",\"model\":\"chat\",\"stream\":true}";
        try (var client = new RawClient(box.port())) {
            client.send("POST", CHAT, large);
            assertThat(client.rest()).endsWith(FakeEngineServer.DONE);
        }
        assertThat(box.engine.onlyCall().bodyText()).isEqualTo(large);
    }

    @Test
    void largeMalformedBody_is400() throws Exception {
        assertThat(box.post(CHAT, "{\"messages\":\"" + "x".repeat(300_000)).status())
                .isEqualTo(400);
    }

    @Test
    void deeplyNestedBody_is400AndHarmsNobody() throws Exception {
        RawClient.Reply got = box.post(CHAT, "{\"a\":" + "[".repeat(100_000));

        assertThat(got.status()).isEqualTo(400);
    }

    @Test
    void announcedBodyOverTheLimit_is413BeforeItIsRead() throws Exception {
        try (var client = new RawClient(box.port())) {
            client.raw("POST " + CHAT + " HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n{");
            RawClient.Reply got = client.reply();
            assertThat(got.status()).isEqualTo(413);
            assertThat(got.headers()).containsEntry("connection", "close").containsKey("x-request-id");
            assertThat(got.error().path("code").asString()).isEqualTo("request.too_large");
        }
    }

    @Test
    void chunkedBodyOverTheLimit_isReadFromTheAnswerAlthoughTheClientStillWrites() throws Exception {
        try (var client = new RawClient(box.port())) {
            client.raw("POST " + CHAT + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
            String piece = "10000\r\n" + "x".repeat(1 << 16) + "\r\n";
            for (int i = 0; i < 40; i++) {
                client.raw(piece);
            }
            client.raw("0\r\n\r\n");
            assertThat(client.reply().status()).isEqualTo(413);
            assertThat(client.isClosedByServer()).isTrue();
        }
        assertThat(box.account().errorCode()).contains("request.too_large");
    }

    @Test
    void clientThatExpectsAContinue_getsIt() throws Exception {
        try (var client = new RawClient(box.port())) {
            String body = body("chat", false);
            client.raw("POST " + CHAT + " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: "
                    + body.length() + "\r\n\r\n");
            assertThat(client.interim()).isEqualTo(100);
            client.raw(body);
            assertThat(client.reply().status()).isEqualTo(200);
        }
    }

    @Test
    void clientThatExpectsAContinueForTooMuch_gets413() throws Exception {
        try (var client = new RawClient(box.port())) {
            client.raw("POST " + CHAT
                    + " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
            assertThat(client.reply().status()).isEqualTo(413);
        }
    }

    @Test
    void compressedBody_is400NamingTheHeader() throws Exception {
        RawClient.Reply got = box.post(CHAT, "\u001f\u008b", "Content-Encoding: gzip");

        assertThat(got.status()).isEqualTo(400);
        assertThat(got.error().path("param").asString()).isEqualTo("Content-Encoding");
    }

    @Test
    void clientThatLeavesInTheMiddleOfItsBody_isAccountedFor() throws Exception {
        try (var client = new RawClient(box.port())) {
            client.raw("POST " + CHAT + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"model\":");
        }
        assertThat(box.account().errorCode()).contains(Accounting.CLIENT_CLOSED);
        assertThat(box.account().status()).isEqualTo(499);
    }

    @Test
    void unknownRoute_is404InTheEnvelope() throws Exception {
        for (String path : new String[] {"/v1", "/v1/", "/v1/chat", "/v1/nothing", "/v1/chat/completions/x"}) {
            RawClient.Reply got = box.post(path, "{}");
            assertThat(got.status()).as(path).isEqualTo(404);
            assertThat(got.error().path("code").asString()).isEqualTo("route.not_found");
            assertThat(got.headers()).containsKey("x-request-id");
        }
    }

    @Test
    void wrongMethod_is405WithAllow() throws Exception {
        RawClient.Reply got = box.get(CHAT);
        assertThat(got.status()).isEqualTo(405);
        assertThat(got.headers()).containsEntry("allow", "POST");
        assertThat(got.error().path("code").asString()).isEqualTo("route.method_not_allowed");

        assertThat(box.post("/v1/models", "{}").headers()).containsEntry("allow", "GET");
        assertThat(box.post("/v1/models/a/b", "{}").status()).isEqualTo(405);
    }

    @Test
    void brokenPercentEscape_is400InTheEnvelope() throws Exception {
        RawClient.Reply got = box.get("/v1/models/%zz");

        assertThat(got.status()).isEqualTo(400);
        assertThat(got.error().path("code").asString()).isEqualTo("request.invalid");
    }

    @Test
    void connection_servesTheNextRequestAfterARefusal() throws Exception {
        try (var client = new RawClient(box.port())) {
            client.send("POST", CHAT, "{");
            assertThat(client.reply().status()).isEqualTo(400);
            client.send("POST", CHAT, body("nobody", false));
            assertThat(client.reply().status()).isEqualTo(404);
            client.send("POST", CHAT, body("chat", false));
            assertThat(client.reply().status()).isEqualTo(200);
        }
        await().atMost(PATIENCE).until(() -> box.ended.size() == 3);
    }
}
