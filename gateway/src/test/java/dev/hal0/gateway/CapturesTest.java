package dev.hal0.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CapturesTest {
    private final GatewayBox box = new GatewayBox();

    @AfterEach
    void close() {
        box.close();
    }

    private Captures captures() {
        return box.gateway.captures();
    }

    private Captures.Captured captured(RawClient.Reply got) {
        String id = got.headers().getOrDefault("x-request-id", "");
        await().atMost(GatewayBox.PATIENCE).until(() -> captures().find(id).isPresent());
        return captures().find(id).orElseThrow();
    }

    @Test
    void unlessAskedFor_nothingIsKept() throws Exception {
        box.engine.behave(FakeEngineServer.json("{\"choices\":[]}"));

        box.post(GatewayBox.CHAT, "{\"model\":\"chat\"}");

        await().atMost(GatewayBox.PATIENCE).until(() -> box.ended.size() == 1);
        assertThat(captures().status().until()).isNull();
        assertThat(captures().status().kept()).isZero();
    }

    @Test
    void requestAndAnswer_areThereWithoutTheirSecrets() throws Exception {
        box.engine.behave(FakeEngineServer.json("{\"choices\":[\"sk-0123456789abcdef\"]}"));
        captures().begin(Duration.ofMinutes(1));
        String body = "{\"model\":\"chat\",\"api_key\":\"hush\",\"prompt\":\"why?\"}";

        Captures.Captured captured = captured(box.post(GatewayBox.CHAT, body));

        assertThat(captured.request().text())
                .isEqualTo("{\"model\":\"chat\",\"api_key\":\"[redacted]\",\"prompt\":\"why?\"}");
        assertThat(captured.request().bytes()).isEqualTo(body.length());
        assertThat(captured.response().text()).isEqualTo("{\"choices\":[\"[redacted]\"]}");
        assertThat(captured.status()).isEqualTo(200);
        assertThat(captured.route()).isEqualTo(GatewayBox.CHAT);
    }

    @Test
    void stream_isKeptWithTheErrorThatEndedIt() throws Exception {
        box.engine.behave(FakeEngineServer.dropAfter(2));
        captures().begin(Duration.ofMinutes(1));

        RawClient.Reply got = box.post(GatewayBox.CHAT, "{\"model\":\"chat\",\"stream\":true}");

        assertThat(captured(got).response().text())
                .contains("data: {\"error\":")
                .endsWith("data: [DONE]\n\n");
    }

    @Test
    void longBody_isCutAndSaysHowLongItWas() throws Exception {
        box.engine.behave(FakeEngineServer.json("{}"));
        captures().begin(Duration.ofMinutes(1));
        String body = "{\"model\":\"chat\",\"prompt\":\"" + "so long ".repeat(20_000) + "\"}";

        Captures.Captured captured = captured(box.post(GatewayBox.CHAT, body));

        assertThat(captured.request().text()).hasSize(Captures.MOST_BODY_BYTES);
        assertThat(captured.request().bytes()).isEqualTo(body.length());
    }

    @Test
    void soManyAreKept_theOldestGo() throws Exception {
        box.engine.behave(FakeEngineServer.json("{}"));
        captures().begin(Duration.ofMinutes(1));
        for (int i = 0; i < Captures.MOST_KEPT + 3; i++) {
            box.post(GatewayBox.CHAT, "{\"model\":\"nobody\"}");
        }

        await().atMost(GatewayBox.PATIENCE).until(() -> captures().status().kept() == Captures.MOST_KEPT);
    }

    @Test
    void end_forgetsEverything() throws Exception {
        box.engine.behave(FakeEngineServer.json("{}"));
        captures().begin(Duration.ofMinutes(1));
        String id = captured(box.post(GatewayBox.CHAT, "{\"model\":\"chat\"}")).id();

        captures().end();

        assertThat(captures().find(id)).isEmpty();
        assertThat(captures().status())
                .isEqualTo(new Captures.Status(null, 0, Captures.MOST_KEPT, Captures.MOST_BODY_BYTES));
    }
}
