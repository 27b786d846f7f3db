package dev.hal0.gateway;

import static dev.hal0.gateway.GatewayBox.CHAT;
import static dev.hal0.gateway.GatewayBox.body;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.gateway.FakeEngineServer.Behaviour;
import dev.hal0.kernel.Json;
import dev.hal0.slots.CancelRule;
import dev.hal0.slots.RevokeCause;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Whatever an engine or a client does, the answer ends in a way that is understood and the lease is left. */
class GatewayFaultTest {
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

    /** The error event that must be the last but one, before the done marker. */
    private static JsonNode errorAtTheEnd(String stream) {
        assertThat(stream).endsWith("\n\n" + FakeEngineServer.DONE);
        String[] events = stream.split("\n\n");
        String event = events[events.length - 2];
        assertThat(event).startsWith("data: ");
        return Json.LENIENT.readTree(event.substring("data: ".length())).path("error");
    }

    static Stream<Arguments> faults() {
        return Stream.of(
                fault("drop before the reply", FakeEngineServer.dropBeforeReply(), true, 502),
                fault("drop before the reply", FakeEngineServer.dropBeforeReply(), false, 502),
                fault("drop inside a document", FakeEngineServer.dropInsideDocument(), false, 502),
                fault(
                        "drop inside a document that was to be a stream",
                        FakeEngineServer.dropInsideDocument(),
                        true,
                        502),
                fault("drop inside a stream", FakeEngineServer.dropAfter(2), true, 200),
                fault("drop after a stream's head", FakeEngineServer.dropAfter(0), true, 200),
                fault("garbage instead of a head", FakeEngineServer.garbage(), true, 502),
                fault("garbage instead of a head", FakeEngineServer.garbage(), false, 502),
                fault("garbage inside a stream", FakeEngineServer.garbageInsideStream(), true, 200));
    }

    private static Arguments fault(String name, Behaviour behaviour, boolean streamed, int status) {
        return Arguments.of(name + (streamed ? ", streamed" : ""), behaviour, streamed, status);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("faults")
    void engineFault_endsTheAnswerAndLeavesTheLease(String name, Behaviour fault, boolean streamed, int status)
            throws Exception {
        var box = box();
        box.engine.behave(fault);

        RawClient.Reply got = box.post(CHAT, body("chat", streamed));

        assertThat(got.status()).isEqualTo(status);
        JsonNode error = status == 200 ? errorAtTheEnd(got.body()) : got.error();
        assertThat(error.path("code").asString()).isEqualTo("dispatch.upstream_unavailable");
        assertThat(error.path("request_id").asString()).isEqualTo(got.headers().get("x-request-id"));
        box.awaitInside(0);
        assertThat(box.engine.calls)
                .as("a request that the engine has is never sent twice")
                .hasSize(1);
        box.engineCall().awaitClosed();
        assertThat(box.slots.doubts).hasSize(1);
        assertThat(box.account().errorCode()).contains("dispatch.upstream_unavailable");
        assertThat(box.account().status()).isEqualTo(status);
        // One client's bad luck is not the next one's.
        box.engine.behave(FakeEngineServer.tokens(1));
        assertThat(box.post(CHAT, body("chat", true)).status()).isEqualTo(200);
    }

    @Test
    void engineThatDiesInsideAnEvent_leavesNoHalfEvent() throws Exception {
        var box = box();
        var seen = new CountDownLatch(1);
        box.engine.behave(call -> {
            call.eventStream();
            call.chunk(FakeEngineServer.token(0) + "data: {\"half");
            assertThat(opened(seen)).isTrue();
            call.drop();
        });
        try (RawClient client = box.stream()) {
            assertThat(client.chunk()).isEqualTo(FakeEngineServer.token(0));
            seen.countDown();
            String rest = client.rest();
            assertThat(rest).startsWith("data: {\"error\"").doesNotContain("half");
            errorAtTheEnd("\n\n" + rest);
        }
    }

    @Test
    void documentTooLargeToHoldThatBreaksOff_isCutNotEnded() throws Exception {
        var box = box();
        var headSeen = new CountDownLatch(1);
        box.engine.behave(call -> {
            call.raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n");
            call.raw("x".repeat(9 << 20));
            assertThat(opened(headSeen)).isTrue();
            call.drop();
        });
        try (var client = new RawClient(box.port())) {
            client.send("POST", CHAT, body("chat", false));
            assertThat(client.head().status()).isEqualTo(200);
            headSeen.countDown();
            assertThatThrownBy(client::reply).isInstanceOf(IOException.class);
        }
        assertThat(box.account().errorCode()).contains("dispatch.upstream_unavailable");
    }

    // An engine that is not there

    @Test
    void refusedConnection_isDoubtedAndTriedOnceMore() throws Exception {
        var box = box();
        box.engine.die();
        box.slots.beforeLoad(box.engine::listenAgain);

        RawClient.Reply got = box.post(CHAT, body("chat", true));

        assertThat(got.status()).isEqualTo(200);
        assertThat(got.headers()).containsKey("x-hal0-load-ms");
        assertThat(box.slots.doubts).singleElement().asString().contains("refused");
        assertThat(box.slots.loads()).isEqualTo(1);
        assertThat(box.engine.calls).hasSize(1);
    }

    /** Guards against a fake engine whose freed port another engine took: the answer was 200 in whole runs. */
    @Test
    void engineThatRefusesTwice_isUnavailable() throws Exception {
        var box = box();
        box.engine.die();

        RawClient.Reply got = box.post(CHAT, body("chat", false));

        assertThat(got.status()).isEqualTo(502);
        assertThat(got.error().path("code").asString()).isEqualTo("dispatch.upstream_unavailable");
        assertThat(box.slots.doubts).hasSize(2);
        assertThat(box.slots.loads()).isEqualTo(1);
    }

    @Test
    void engineThatDiedBetweenTwoRequests_isNotSentTheSecondOnItsOldConnection() throws Exception {
        var box = box();
        box.engine.behave(call -> {
            call.document(200, "application/json", "{}");
            call.finish();
        });
        box.post(CHAT, body("chat", false));
        // Only from here on the death is known, so that the second request cannot cross it on the wire.
        box.engineCall().awaitClosed();
        box.engine.die();
        box.slots.beforeLoad(box.engine::listenAgain);

        assertThat(box.post(CHAT, body("chat", false)).status()).isEqualTo(200);
    }

    @Test
    void keptConnectionThatEndsWithoutAByte_isTriedOnceMore() throws Exception {
        var box = box();
        box.engine.behave(FakeEngineServer.json("{}"));
        box.post(CHAT, body("chat", false));
        box.engine.behave(call -> {
            if (box.engine.connections() == 1) {
                call.drop();
            } else {
                call.document(200, "application/json", "{}");
            }
        });

        assertThat(box.post(CHAT, body("chat", false)).status()).isEqualTo(200);
        assertThat(box.engine.connections()).isEqualTo(2);
        // It closes kept connections when it likes, which is no reason to doubt it.
        assertThat(box.slots.doubts).isEmpty();
    }

    /** Guards against 502 from a healthy engine: two kept connections, both closed by it, were taken one after the other. */
    @Test
    void severalKeptConnectionsThatEndWithoutAByte_costOneNewOne() throws Exception {
        var box = box();
        var both = new java.util.concurrent.CyclicBarrier(2);
        box.engine.behave(call -> {
            try {
                both.await(20, java.util.concurrent.TimeUnit.SECONDS);
            } catch (java.util.concurrent.BrokenBarrierException | java.util.concurrent.TimeoutException alone) {
                throw new IllegalStateException(alone);
            }
            call.document(200, "application/json", "{}");
        });
        var first = java.util.concurrent.CompletableFuture.supplyAsync(() -> postQuietly(box));
        assertThat(postQuietly(box)).isEqualTo(200);
        assertThat(first.join()).isEqualTo(200);
        assertThat(box.engine.connections()).isEqualTo(2);
        box.engine.behave(call -> {
            if (box.engine.connections() == 2) {
                call.drop();
            } else {
                call.document(200, "application/json", "{}");
            }
        });

        assertThat(postQuietly(box)).isEqualTo(200);
        assertThat(box.engine.connections()).isEqualTo(3);
        assertThat(box.slots.doubts).isEmpty();
    }

    private static int postQuietly(GatewayBox box) {
        try {
            return box.post(CHAT, body("chat", false)).status();
        } catch (Exception failure) {
            throw new IllegalStateException(failure);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"H", "HTTP/1.1 100 Continue\r\n\r\n"})
    void keptConnectionThatEndsAfterAByte_isNotTriedAgain(String begun) throws Exception {
        var box = box();
        box.engine.behave(FakeEngineServer.json("{}"));
        box.post(CHAT, body("chat", false));
        box.engine.behave(call -> {
            call.raw(begun);
            call.finish();
        });

        assertThat(box.post(CHAT, body("chat", false)).status()).isEqualTo(502);
        assertThat(box.engine.calls).hasSize(2);
    }

    // Limits

    @Test
    void streamThatStandsStill_endsWithAnErrorEvent() throws Exception {
        var box = box(GatewayBox.policy(
                Duration.ofSeconds(30), Duration.ofMillis(300), Duration.ofSeconds(60), Duration.ofSeconds(60)));
        box.engine.behave(FakeEngineServer.hangAfter(1));
        try (RawClient client = box.stream()) {
            assertThat(client.chunk()).isEqualTo(FakeEngineServer.token(0));
            JsonNode error = errorAtTheEnd("\n\n" + client.rest());
            assertThat(error.path("code").asString()).isEqualTo("dispatch.stream_limit");
            assertThat(error.path("message").asString()).startsWith("The engine sent nothing");
        }
        box.engineCall().awaitClosed();
    }

    @Test
    void streamThatIsTooLong_endsWithAnErrorEvent() throws Exception {
        var box = box(GatewayBox.policy(
                Duration.ofSeconds(30), Duration.ZERO, Duration.ofMillis(300), Duration.ofSeconds(60)));
        box.engine.behave(FakeEngineServer.hangAfter(1));
        try (RawClient client = box.stream()) {
            JsonNode error = errorAtTheEnd(client.rest());
            assertThat(error.path("code").asString()).isEqualTo("dispatch.stream_limit");
        }
        box.engineCall().awaitClosed();
    }

    @Test
    void documentThatTakesTooLong_isATimeout() throws Exception {
        var box = box(GatewayBox.policy(
                Duration.ofSeconds(30), Duration.ZERO, Duration.ofSeconds(60), Duration.ofMillis(300)));
        box.engine.behave(FakeEngineServer.silent());

        RawClient.Reply got = box.post(CHAT, body("chat", false));

        assertThat(got.status()).isEqualTo(504);
        assertThat(got.error().path("code").asString()).isEqualTo("dispatch.stream_limit");
        box.engineCall().awaitClosed();
    }

    // A workload that is taken away

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void revoke_endsTheStreamProperlyWhateverTheFamilySays(boolean interruptible) throws Exception {
        var box = box();
        box.chat.cancels(interruptible ? CancelRule.ON_DISCONNECT : CancelRule.NEVER);
        box.engine.behave(FakeEngineServer.hangAfter(1));
        try (RawClient client = box.stream()) {
            client.chunk();

            box.chat.revoke(RevokeCause.OPERATOR_FORCE);

            JsonNode error = errorAtTheEnd("\n\n" + client.rest());
            assertThat(error.path("code").asString()).isEqualTo("slot.revoked");
            assertThat(error.path("details").path("cause").asString()).isEqualTo("operator_force");
        }
        box.engineCall().awaitClosed();
        assertThat(box.slots.doubts)
                .as("our own close is no news about the engine")
                .isEmpty();
    }

    @Test
    void revokeOfADocument_isA503() throws Exception {
        var box = box();
        box.engine.behave(FakeEngineServer.silent());
        try (var client = new RawClient(box.port())) {
            client.send("POST", CHAT, body("chat", false));
            box.engineCall();
            box.chat.revoke(RevokeCause.ENGINE_HUNG);
            RawClient.Reply got = client.reply();
            assertThat(got.status()).isEqualTo(503);
            assertThat(got.error().path("code").asString()).isEqualTo("slot.revoked");
        }
    }

    @Test
    void streamThatEndedWithAnError_leavesItsConnectionUsable() throws Exception {
        var box = box();
        box.engine.behave(FakeEngineServer.dropAfter(1));
        try (RawClient client = box.stream()) {
            client.reply();
            client.send("GET", "/v1/models", "");
            assertThat(client.reply().status()).isEqualTo(200);
        }
    }

    private static boolean opened(CountDownLatch latch) throws InterruptedException {
        return latch.await(15, TimeUnit.SECONDS);
    }
}
