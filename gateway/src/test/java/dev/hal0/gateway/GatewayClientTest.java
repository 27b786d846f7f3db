package dev.hal0.gateway;

import static dev.hal0.gateway.GatewayBox.CHAT;
import static dev.hal0.gateway.GatewayBox.PATIENCE;
import static dev.hal0.gateway.GatewayBox.body;
import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.slots.CancelRule;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that leave and clients that hardly read. */
class GatewayClientTest {
    private @Nullable GatewayBox opened;

    private GatewayBox box(GatewayPolicy policy) {
        var box = new GatewayBox(policy);
        opened = box;
        return box;
    }

    private GatewayBox box() {
        return box(GatewayBox.POLICY);
    }

    /** Which proves that no lease, place or exchange is left, after every test here. */
    @AfterEach
    void close() {
        if (opened != null) {
            opened.close();
        }
    }

    // A client that leaves

    @Test
    void clientThatLeavesMidStream_isSeenByTheEngineBeforeItsNextByte() throws Exception {
        var box = box();
        box.engine.behave(FakeEngineServer.hangAfter(2));
        try (RawClient client = box.stream()) {
            client.until(FakeEngineServer.token(1));
        }
        FakeEngineServer.Call call = box.engineCall();
        call.awaitClosed();
        // The engine had nothing to say meanwhile: it was told by a close, not by a failing write.
        assertThat(call.events).containsExactly("sent", "sent", "sent", "closed");
        assertThat(box.account().errorCode()).contains(Accounting.CLIENT_CLOSED);
        assertThat(box.account().status()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void clientThatLeavesInASilentPrefill_isSeenByTheEngineAtOnce(boolean streamed) throws Exception {
        var box = box();
        box.engine.behave(FakeEngineServer.silent());
        try (var client = new RawClient(box.port())) {
            client.send("POST", CHAT, body("chat", streamed));
            box.engineCall();
        }
        box.engineCall().awaitClosed();
        assertThat(box.engineCall().events).containsExactly("closed");
        assertThat(box.account().status()).isEqualTo(499);
        box.awaitInside(0);
    }

    @Test
    void http2ClientThatResetsItsStream_isSeenByTheEngineAndKeepsItsConnection() throws Exception {
        var box = box();
        box.engine.behave(FakeEngineServer.silent());
        HttpClient client = box.vertx.createHttpClient(
                new HttpClientOptions().setProtocolVersion(HttpVersion.HTTP_2).setHttp2ClearTextUpgrade(false));
        HttpClientRequest request = GatewayBox.get(client.request(HttpMethod.POST, box.port(), "127.0.0.1", CHAT));
        var unused = request.send(body("chat", true));
        box.engineCall();

        GatewayBox.get(request.reset());

        box.engineCall().awaitClosed();
        HttpClientRequest next = GatewayBox.get(client.request(HttpMethod.GET, box.port(), "127.0.0.1", "/v1/models"));
        assertThat(GatewayBox.get(next.send()).statusCode()).isEqualTo(200);
    }

    @Test
    void clientThatIsKilled_isSeenByTheEngine() throws Exception {
        var box = box();
        box.engine.behave(FakeEngineServer.hangAfter(1));
        try (RawClient client = box.stream()) {
            client.chunk();
            client.reset();
        }
        box.engineCall().awaitClosed();
    }

    @Test
    void clientThatLeavesAnEngineThatMustNotBeInterrupted_keepsTheLeaseToTheEnd() throws Exception {
        var box = box();
        box.chat.cancels(CancelRule.NEVER);
        var goOn = new CountDownLatch(1);
        box.engine.behave(call -> {
            call.eventStream();
            call.chunk(FakeEngineServer.token(0));
            assertThat(opened(goOn)).isTrue();
            // More than any buffer on the way holds: somebody must be reading.
            for (int i = 0; i < 2_000; i++) {
                call.chunk("x".repeat(8192) + "\n\n");
            }
            call.end();
        });
        try (RawClient client = box.stream()) {
            client.chunk();
        }
        box.account();
        assertThat(box.chat.gate.inside()).isEqualTo(1);
        assertThat(box.gateway.requests())
                .singleElement()
                .extracting(InFlight::phase)
                .isEqualTo("ending");
        assertThat(box.engineCall().isClosed()).isFalse();

        goOn.countDown();

        box.awaitInside(0);
        assertThat(box.engineCall().isClosed()).isFalse();
    }

    @Test
    void engineThatMustNotBeInterruptedAndHangs_isHungUpOnAtTheTotalLimit() throws Exception {
        var box = box(GatewayBox.policy(
                Duration.ofSeconds(30), Duration.ZERO, Duration.ofMillis(400), Duration.ofMillis(400)));
        box.chat.cancels(CancelRule.NEVER);
        box.engine.behave(FakeEngineServer.silent());
        try (RawClient client = box.stream()) {
            box.engineCall();
        }
        box.engineCall().awaitClosed();
        box.awaitInside(0);
    }

    // A slow client

    /** @param closes whether the engine ends its answer by closing, long before the reader has come to the end */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void slowReader_holdsTheEngineBackAndGetsEverything(boolean closes) throws Exception {
        var box = box();
        long total = 64L << 20;
        String event = "data: " + "x".repeat(8184) + "\n\n";
        var sent = new AtomicLong();
        box.engine.behave(call -> {
            if (closes) {
                call.raw("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
            } else {
                call.eventStream();
            }
            for (long i = 0; i < total; i += event.length()) {
                if (closes) {
                    call.raw(event);
                } else {
                    call.chunk(event);
                }
                sent.addAndGet(event.length());
            }
            if (closes) {
                call.finish();
            } else {
                call.end();
            }
        });
        try (var client = new RawClient(box.port(), 16 << 10)) {
            client.send("POST", CHAT, body("chat", true));
            client.head();
            // It stands still, although nobody stops it: what was taken in fits into buffers of fixed size.
            var before = new AtomicLong(-1);
            Awaitility.await()
                    .atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(300))
                    .until(() -> before.getAndSet(sent.get()) == sent.get() && sent.get() > 0);
            assertThat(sent.get()).isLessThan(24L << 20);
            long read = 0;
            for (String chunk = client.chunk(); chunk != null; chunk = client.chunk()) {
                read += chunk.length();
            }
            assertThat(read).isEqualTo(total);
        }
    }

    @Test
    void readerThatStopsForGood_isGivenUpAtTheIdleLimit() throws Exception {
        var box = box(GatewayBox.policy(
                Duration.ofSeconds(30), Duration.ofMillis(400), Duration.ofSeconds(60), Duration.ofSeconds(60)));
        String event = "data: " + "x".repeat(8184) + "\n\n";
        box.engine.behave(call -> {
            call.eventStream();
            while (!call.isClosed()) {
                call.chunk(event);
            }
        });
        try (var client = new RawClient(box.port(), 16 << 10)) {
            client.send("POST", CHAT, body("chat", true));
            client.head();
            box.engineCall().awaitClosed();
            box.awaitInside(0);
            // Its last words cannot reach it: the connection goes too.
            Awaitility.await().atMost(PATIENCE).until(() -> box.gateway.inFlight() == 0);
            assertThat(box.account().errorCode()).contains("dispatch.stream_limit");
        }
    }

    @Test
    void http10Client_getsItsStreamUntilTheConnectionCloses() throws Exception {
        var box = box();
        try (var client = new RawClient(box.port())) {
            String body = body("chat", true);
            client.raw("POST " + CHAT + " HTTP/1.0\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
            assertThat(client.head().headers()).doesNotContainKey("transfer-encoding");
            assertThat(client.untilClosed()).endsWith(FakeEngineServer.token(2) + FakeEngineServer.DONE);
        }
    }

    private static boolean opened(CountDownLatch latch) throws InterruptedException {
        return latch.await(15, TimeUnit.SECONDS);
    }
}
