package dev.hal0.gateway;

import static dev.hal0.gateway.GatewayBox.CHAT;
import static dev.hal0.gateway.GatewayBox.PATIENCE;
import static dev.hal0.gateway.GatewayBox.body;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.slots.AdmissionQueue;
import dev.hal0.slots.SlotType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Cold slots and full slots. */
class GatewayWaitTest {
    private @Nullable GatewayBox opened;

    private GatewayBox box(GatewayPolicy policy) {
        var box = new GatewayBox(policy);
        opened = box;
        return box;
    }

    private GatewayBox box() {
        return box(GatewayBox.POLICY);
    }

    @AfterEach
    void close() {
        if (opened != null) {
            opened.close();
        }
    }

    private static TestingSlotControl.Slot cold(GatewayBox box) {
        return box.slots.add("cold", SlotType.LLM).model("big").on(box.engine);
    }

    private static GatewayPolicy holding(Duration hold, Duration budget) {
        GatewayPolicy p = GatewayBox.POLICY;
        return new GatewayPolicy(
                p.maxBodyBytes(),
                budget,
                hold,
                p.progressEvery(),
                p.streamIdle(),
                p.streamTotal(),
                p.nonStreamTotal(),
                false);
    }

    @Test
    void coldSlot_isLoadedAndAnswers() throws Exception {
        var box = box();
        cold(box);

        RawClient.Reply got = box.post(CHAT, body("big", false));

        assertThat(got.status()).isEqualTo(200);
        assertThat(got.headers()).containsEntry("x-hal0-slot", "cold").containsKey("x-hal0-load-ms");
        assertThat(box.slots.loads()).isEqualTo(1);
        assertThat(box.account().loading()).isPositive();
    }

    @Test
    void hundredRequestsToAColdSlot_areOneLoad() throws Exception {
        var box = box();
        cold(box).permits(40);
        box.slots.holdLoads();
        try (var clients = Executors.newVirtualThreadPerTaskExecutor()) {
            var answers = new ArrayList<Future<RawClient.Reply>>();
            for (int i = 0; i < 100; i++) {
                boolean streamed = i % 2 == 0;
                Callable<RawClient.Reply> ask = () -> box.post(CHAT, body("cold", streamed));
                answers.add(clients.submit(ask));
            }
            await().atMost(PATIENCE)
                    .until(() -> box.gateway.requests().stream()
                                    .filter(request -> request.phase().equals("loading"))
                                    .count()
                            == 100);
            slot(box, "cold").loaded();
            for (Future<RawClient.Reply> answer : answers) {
                assertThat(answer.get().status()).isEqualTo(200);
            }
        }
        assertThat(box.slots.loads()).isEqualTo(1);
        assertThat(box.engine.calls).hasSize(100);
        assertThat(slot(box, "cold").gate.inside()).isZero();
    }

    private static TestingSlotControl.Slot slot(GatewayBox box, String name) {
        return box.slots.slot(name);
    }

    @Test
    void loadThatTakesLong_isToldInCommentsThenStreams() throws Exception {
        var box = box();
        TestingSlotControl.Slot cold = cold(box);
        box.slots.holdLoads();
        try (var client = new RawClient(box.port())) {
            client.send("POST", CHAT, body("cold", true));
            assertThat(client.head().status()).isEqualTo(200);
            assertThat(client.head().headers())
                    .containsEntry("content-type", "text/event-stream; charset=utf-8")
                    .containsEntry("x-accel-buffering", "no")
                    .containsEntry("x-hal0-slot", "cold");
            assertThat(client.chunk()).isEqualTo(": slot cold is being loaded\n\n");
            cold.progress("reading\nweights 40 %");
            assertThat(client.until("40 %")).endsWith(": reading weights 40 %\n\n");
            cold.loaded();
            assertThat(client.rest()).endsWith(FakeEngineServer.token(2) + FakeEngineServer.DONE);
        }
    }

    @Test
    void loadThatFailsEarly_hasItsRealStatus() throws Exception {
        var box = box(holding(Duration.ofSeconds(20), Duration.ofSeconds(30)));
        TestingSlotControl.Slot cold = cold(box);
        box.slots.holdLoads();
        try (var client = new RawClient(box.port())) {
            client.send("POST", CHAT, body("cold", true));
            await().atMost(PATIENCE).until(cold::isLoading);
            cold.loadFailed(new Hal0Exception(ErrorCode.SLOT_SPAWN_FAILED, "no such device"));
            RawClient.Reply got = client.reply();
            assertThat(got.status()).isEqualTo(502);
            assertThat(got.error().path("code").asString()).isEqualTo("slot.spawn_failed");
            assertThat(got.error().path("message").asString()).isEqualTo("no such device");
        }
        assertThat(box.engine.calls).isEmpty();
    }

    @Test
    void loadThatFailsLate_isAnErrorEvent() throws Exception {
        var box = box();
        TestingSlotControl.Slot cold = cold(box);
        box.slots.holdLoads();
        try (var client = new RawClient(box.port())) {
            client.send("POST", CHAT, body("cold", true));
            client.chunk();
            cold.loadFailed(new Hal0Exception(ErrorCode.SLOT_SPAWN_FAILED, "no such device"));
            assertThat(client.rest())
                    .contains("data: {\"error\":{\"code\":\"slot.spawn_failed\"")
                    .endsWith("}\n\n" + FakeEngineServer.DONE);
        }
        assertThat(box.account().status()).isEqualTo(200);
        assertThat(box.account().errorCode()).contains("slot.spawn_failed");
    }

    @Test
    void engineThatRefusesAfterProgressWasTold_isAnErrorEvent() throws Exception {
        var box = box();
        TestingSlotControl.Slot cold = cold(box);
        box.slots.holdLoads();
        box.engine.behave(FakeEngineServer.status(429, "text/plain", "slow\ndown"));
        try (var client = new RawClient(box.port())) {
            client.send("POST", CHAT, body("cold", true));
            client.chunk();
            cold.loaded();
            assertThat(client.rest())
                    .contains("\"upstream_status\":429")
                    .contains("slow down")
                    .endsWith("}\n\n" + FakeEngineServer.DONE);
        }
    }

    @Test
    void engineThatAnswersADocumentAfterProgressWasTold_isAnErrorEvent() throws Exception {
        var box = box();
        TestingSlotControl.Slot cold = cold(box);
        box.slots.holdLoads();
        box.engine.behave(FakeEngineServer.json("{\"no\":\"stream\"}"));
        try (var client = new RawClient(box.port())) {
            client.send("POST", CHAT, body("cold", true));
            client.chunk();
            cold.loaded();
            assertThat(client.rest()).contains("dispatch.upstream_failed").doesNotContain("{\"no\"");
        }
    }

    @Test
    void loadBeyondTheBudget_is503WithRetryAfter() throws Exception {
        var box = box(holding(Duration.ofSeconds(20), Duration.ofMillis(300)));
        TestingSlotControl.Slot cold = cold(box);
        box.slots.holdLoads();

        RawClient.Reply got = box.post(CHAT, body("cold", false));

        assertThat(got.status()).isEqualTo(503);
        assertThat(got.headers()).containsEntry("retry-after", "15");
        assertThat(got.error().path("code").asString()).isEqualTo("slot.loading");
        cold.loaded();
        assertThat(cold.gate.inside()).isZero();
    }

    @Test
    void clientThatLeavesWhileItsSlotLoads_costsTheEngineNothing() throws Exception {
        var box = box();
        TestingSlotControl.Slot cold = cold(box);
        box.slots.holdLoads();
        try (var client = new RawClient(box.port())) {
            client.send("POST", CHAT, body("cold", false));
            await().atMost(PATIENCE).until(cold::isLoading);
        }
        assertThat(box.account().errorCode()).contains(Accounting.CLIENT_CLOSED);
        cold.loaded();
        assertThat(box.engine.calls).isEmpty();
        assertThat(cold.gate.inside()).isZero();
    }

    @Test
    void slotDeletedWhileItLoads_isNoRoute() throws Exception {
        var box = box();
        TestingSlotControl.Slot cold = cold(box);
        box.slots.holdLoads();
        try (var client = new RawClient(box.port())) {
            client.send("POST", CHAT, body("cold", false));
            await().atMost(PATIENCE).until(cold::isLoading);
            box.slots.remove(cold);
            cold.loaded();
            assertThat(client.reply().status()).isEqualTo(404);
        }
    }

    @Test
    void slotThatGotAnotherModelMeanwhile_isNotASubstitute() throws Exception {
        var box = box();
        TestingSlotControl.Slot cold = cold(box);
        box.slots.holdLoads();
        try (var client = new RawClient(box.port())) {
            client.send("POST", CHAT, body("big", false));
            await().atMost(PATIENCE).until(cold::isLoading);
            cold.model("another");
            cold.loaded();
            assertThat(client.reply().status()).isEqualTo(404);
        }
        assertThat(box.engine.calls).isEmpty();
    }

    @Test
    void gateThatIsClosedForAMoment_isWaitedFor() throws Exception {
        var box = box();
        box.chat.closeGateOnly();
        try (var client = new RawClient(box.port())) {
            client.send("POST", CHAT, body("chat", false));
            await().atMost(PATIENCE).until(() -> !box.gateway.requests().isEmpty());
            box.chat.openGate();
            assertThat(client.reply().status()).isEqualTo(200);
        }
    }

    @Test
    void gateThatStaysClosed_is503AtTheBudget() throws Exception {
        var box = box(holding(Duration.ofSeconds(20), Duration.ofMillis(300)));
        box.chat.closeGateOnly();

        RawClient.Reply got = box.post(CHAT, body("chat", false));

        assertThat(got.status()).isEqualTo(503);
        assertThat(got.headers()).containsKey("retry-after");
    }

    // Full slots

    private static List<RawClient> fill(GatewayBox box, int count) throws Exception {
        var clients = new ArrayList<RawClient>();
        for (int i = 0; i < count; i++) {
            clients.add(box.stream());
        }
        return clients;
    }

    private static void leave(List<RawClient> clients) throws Exception {
        for (RawClient client : clients) {
            client.close();
        }
    }

    @Test
    void fullSlot_letsTheNextInWhenOneLeaves() throws Exception {
        var box = box();
        box.chat.permits(1).openGate();
        box.engine.behave(FakeEngineServer.hangAfter(1));
        try (RawClient first = box.stream()) {
            first.chunk();
            try (RawClient second = box.stream()) {
                await().atMost(PATIENCE).until(() -> box.chat.queue.length() == 1);
                assertThat(second.chunk()).isEqualTo(": waiting for a turn on slot chat\n\n");
                box.engine.behave(FakeEngineServer.tokens(1));
                first.close();
                assertThat(second.rest()).endsWith(FakeEngineServer.token(0) + FakeEngineServer.DONE);
            }
        }
        await().atMost(PATIENCE).until(() -> box.ended.size() == 2);
        assertThat(box.ended.getLast().queued()).isPositive();
    }

    @Test
    void clientThatLeavesTheQueue_givesUpItsPlaceAtOnce() throws Exception {
        var box = box();
        box.chat.permits(1).openGate();
        box.engine.behave(FakeEngineServer.hangAfter(1));
        try (RawClient first = box.stream()) {
            first.chunk();
            RawClient second = box.stream();
            await().atMost(PATIENCE).until(() -> box.chat.queue.length() == 1);
            second.close();
            await().atMost(PATIENCE).until(() -> box.chat.queue.length() == 0);
            assertThat(box.engine.calls).hasSize(1);
        }
    }

    @Test
    void fullQueue_isBusyWithRetryAfter() throws Exception {
        var box = box();
        box.chat.permits(1).openGate();
        box.engine.behave(FakeEngineServer.hangAfter(1));
        try (RawClient first = box.stream()) {
            first.chunk();
            List<RawClient> waiting = fill(box, AdmissionQueue.CAPACITY);
            await().atMost(PATIENCE).until(() -> box.chat.queue.length() == AdmissionQueue.CAPACITY);

            RawClient.Reply got = box.post(CHAT, body("chat", false));

            assertThat(got.status()).isEqualTo(503);
            assertThat(got.headers()).containsEntry("retry-after", "5");
            assertThat(got.error().path("code").asString()).isEqualTo("slot.busy");
            leave(waiting);
            await().atMost(PATIENCE).until(() -> box.chat.queue.length() == 0);
        }
    }

    @Test
    void turnThatDoesNotCome_isBusyAtTheBudget() throws Exception {
        var box = box(holding(Duration.ofSeconds(20), Duration.ofMillis(300)));
        box.chat.permits(1).openGate();
        box.engine.behave(FakeEngineServer.hangAfter(1));
        try (RawClient first = box.stream()) {
            first.chunk();
            RawClient.Reply got = box.post(CHAT, body("chat", true));
            assertThat(got.status()).isEqualTo(503);
            assertThat(got.error().path("code").asString()).isEqualTo("slot.busy");
        }
    }
}
