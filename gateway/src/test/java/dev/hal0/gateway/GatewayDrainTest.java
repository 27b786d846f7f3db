package dev.hal0.gateway;

import static dev.hal0.gateway.GatewayBox.CHAT;
import static dev.hal0.gateway.GatewayBox.PATIENCE;
import static dev.hal0.gateway.GatewayBox.body;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hal0.slots.SlotType;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GatewayDrainTest {
    private final GatewayBox box = new GatewayBox();

    @AfterEach
    void close() {
        box.close();
    }

    @Test
    void idleGateway_isDrainedAtOnce() {
        assertThat(GatewayBox.get(box.gateway.drain(Duration.ofSeconds(60)))).isEqualTo(new Gateway.Drained(0, 0));
    }

    @Test
    void newRequestsDuringADrain_areRefused() throws Exception {
        var goOn = new CountDownLatch(1);
        box.engine.behave(call -> {
            call.eventStream();
            call.chunk(FakeEngineServer.token(0));
            assertThat(goOn.await(15, TimeUnit.SECONDS)).isTrue();
            call.chunk(FakeEngineServer.DONE);
            call.end();
        });
        try (RawClient client = box.stream()) {
            client.chunk();
            Future<Gateway.Drained> drained = box.gateway.drain(Duration.ofSeconds(60));

            RawClient.Reply refused = box.post(CHAT, body("chat", false));
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.error().path("code").asString()).isEqualTo("dispatch.shutting_down");
            assertThat(refused.headers()).containsEntry("retry-after", "5");
            assertThat(box.get("/v1/models").status()).isEqualTo(503);
            assertThat(drained.isComplete()).isFalse();

            goOn.countDown();
            assertThat(client.rest()).isEqualTo(FakeEngineServer.DONE);
            assertThat(GatewayBox.get(drained)).isEqualTo(new Gateway.Drained(1, 0));
        }
    }

    @Test
    void streamAtTheDeadline_endsWithAnErrorEvent() throws Exception {
        box.engine.behave(FakeEngineServer.hangAfter(1));
        try (RawClient client = box.stream()) {
            client.chunk();

            Gateway.Drained drained = GatewayBox.get(box.gateway.drain(Duration.ofMillis(100)));

            assertThat(drained).isEqualTo(new Gateway.Drained(0, 1));
            assertThat(client.rest())
                    .startsWith("data: {\"error\":{\"code\":\"dispatch.shutting_down\"")
                    .endsWith("}\n\n" + FakeEngineServer.DONE);
        }
        box.engineCall().awaitClosed();
    }

    @Test
    void requestWhoseSlotLoadsAtTheDeadline_is503() throws Exception {
        box.slots.add("cold", SlotType.LLM).model("big").on(box.engine);
        box.slots.holdLoads();
        try (var client = new RawClient(box.port())) {
            client.send("POST", CHAT, body("cold", false));
            await().atMost(PATIENCE).until(() -> box.gateway.inFlight() == 1);
            box.gateway.drain(Duration.ofMillis(100));
            RawClient.Reply got = client.reply();
            assertThat(got.status()).isEqualTo(503);
            assertThat(got.error().path("code").asString()).isEqualTo("dispatch.shutting_down");
        }
        box.slots.slot("cold").loaded();
    }

    @Test
    void requestWhoseBodyComesDuringTheDrain_isRefused() throws Exception {
        try (var client = new RawClient(box.port())) {
            String body = body("chat", false);
            client.raw("POST " + CHAT + " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: "
                    + body.length() + "\r\n\r\n");
            assertThat(client.interim()).isEqualTo(100);
            GatewayBox.get(box.gateway.drain(Duration.ofSeconds(60)));
            client.raw(body);
            assertThat(client.reply().status()).isEqualTo(503);
        }
        assertThat(box.engine.calls).isEmpty();
    }

    @Test
    void secondDrain_hasTheFirstOnesResult() throws Exception {
        box.engine.behave(FakeEngineServer.hangAfter(1));
        try (RawClient client = box.stream()) {
            client.chunk();
            Future<Gateway.Drained> first = box.gateway.drain(Duration.ofSeconds(60));
            Future<Gateway.Drained> second = box.gateway.drain(Duration.ofMillis(1));
            client.close();
            assertThat(GatewayBox.get(second)).isEqualTo(GatewayBox.get(first));
        }
    }
}
