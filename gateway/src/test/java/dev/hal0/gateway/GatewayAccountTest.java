package dev.hal0.gateway;

import static dev.hal0.gateway.GatewayBox.CHAT;
import static dev.hal0.gateway.GatewayBox.PATIENCE;
import static dev.hal0.gateway.GatewayBox.body;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hal0.slots.AdmissionQueue;
import dev.hal0.slots.Priority;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is told of requests while they run and when they have ended; who is next. */
class GatewayAccountTest {
    private static final String USAGE =
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":1,\"total_tokens\":8}}\n\n";

    private final GatewayBox box = new GatewayBox();

    @AfterEach
    void close() {
        box.close();
    }

    @Test
    void engineThatMustBeAsked_isAskedAndItsUsageEventIsTakenOut() throws Exception {
        box.chat.includesUsage();
        box.engine.behave(call -> {
            call.eventStream();
            call.chunk(FakeEngineServer.token(0));
            call.chunk(USAGE + FakeEngineServer.DONE);
            call.end();
        });

        RawClient.Reply got = box.post(CHAT, body("chat", true));

        assertThat(got.body()).isEqualTo(FakeEngineServer.token(0) + FakeEngineServer.DONE);
        assertThat(box.engineCall().bodyText())
                .isEqualTo("{\"stream_options\":{\"include_usage\":true},"
                        + body("chat", true).substring(1));
        assertThat(box.account().figures()).isEqualTo(new EngineFigures(7L, 1L, null, null, null));
        assertThat(box.account().firstContent()).isPresent();
    }

    @Test
    void clientThatAsksItself_getsItsUsageEvent() throws Exception {
        box.chat.includesUsage();
        box.engine.behave(call -> {
            call.eventStream();
            call.chunk(FakeEngineServer.token(0) + USAGE + FakeEngineServer.DONE);
            call.end();
        });
        String asking = "{\"model\":\"chat\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}";

        assertThat(box.post(CHAT, asking).body()).isEqualTo(FakeEngineServer.token(0) + USAGE + FakeEngineServer.DONE);
        assertThat(box.engineCall().bodyText()).isEqualTo(asking);
    }

    @Test
    void engineThatNeedsNoAsking_getsTheBodyAsItCame() throws Exception {
        box.post(CHAT, body("chat", true));

        assertThat(box.engineCall().bodyText()).isEqualTo(body("chat", true));
    }

    @Test
    void figuresOfADocument_areTheEnginesOwn() throws Exception {
        String document = "{\"choices\":[{\"message\":{\"content\":\"a\"}}],\"usage\":{\"prompt_tokens\":5,"
                + "\"completion_tokens\":2,\"total_tokens\":7,\"prompt_tokens_details\":{\"cached_tokens\":0}},"
                + "\"timings\":{\"prompt_ms\":1.5,\"predicted_ms\":2}}";
        box.engine.behave(FakeEngineServer.json(document));

        assertThat(box.post(CHAT, body("chat", false)).body()).isEqualTo(document);

        assertThat(box.account().figures()).isEqualTo(new EngineFigures(5L, 2L, 0L, 1.5, 2.0));
        assertThat(box.account().firstContent()).as("nobody can see it").isEmpty();
    }

    @Test
    void streamThatIsCancelled_endsWithAnErrorEventAndFreesTheEngine() throws Exception {
        box.engine.behave(FakeEngineServer.hangAfter(1));
        try (var client = new RawClient(box.port())) {
            client.send("POST", CHAT, body("chat", true), "X-Request-ID: mine");
            client.chunk();

            assertThat(box.gateway.cancel("other")).isZero();
            assertThat(box.gateway.cancel("mine")).isEqualTo(1);

            box.engineCall().awaitClosed();
        }
        assertThat(box.account().errorCode()).contains("dispatch.cancelled");
    }

    @Test
    void waitingRequest_showsItsPositionAndLosesItWhenItsClientLeaves() throws Exception {
        box.chat.permits(1).ready();
        box.engine.behave(FakeEngineServer.silent());
        try (RawClient inside = box.stream()) {
            box.awaitInside(1);
            RawClient second = ask("second", "interactive");
            awaitWaiting(1);
            try (RawClient third = ask("third", "interactive")) {
                awaitWaiting(2);
                assertThat(position("second")).isEqualTo(1);
                assertThat(position("third")).isEqualTo(2);

                second.close();

                awaitWaiting(1);
                assertThat(position("third")).isEqualTo(1);
            }
        }
    }

    @Test
    void batchWork_waitsBehindWhoWatches() throws Exception {
        box.chat.permits(1).ready();
        var release = new CountDownLatch(1);
        var order = new ArrayList<String>();
        box.engine.behave(call -> {
            synchronized (order) {
                order.add(call.headers.get("x-request-id"));
            }
            release.await();
            call.document(200, "application/json", "{}");
        });
        try (RawClient inside = ask("inside", "interactive")) {
            box.awaitInside(1);
            try (RawClient nightly = ask("nightly", "BATCH")) {
                awaitWaiting(1);
                try (RawClient person = ask("person", "interactive")) {
                    awaitWaiting(2);
                    assertThat(position("person")).isEqualTo(1);
                    assertThat(position("nightly")).isEqualTo(2);

                    release.countDown();

                    await().atMost(PATIENCE).until(() -> box.ended.size() == 3);
                }
            }
        }
        assertThat(order).containsExactly("inside", "person", "nightly");
        assertThat(box.ended)
                .filteredOn(ended -> ended.priority() == Priority.BATCH)
                .hasSize(1);
    }

    @Test
    void priorityThatIsNone_isNamed() throws Exception {
        RawClient.Reply got = box.post(CHAT, body("chat", false), "X-Hal0-Priority: urgent");

        assertThat(got.status()).isEqualTo(400);
        assertThat(got.error().path("param").asString()).isEqualTo("X-Hal0-Priority");
        assertThat(got.error().path("message").asString()).contains("interactive or batch");
    }

    @Test
    void fullLine_isRefusedWithEvidenceAndATime() throws Exception {
        box.chat.permits(1).ready();
        box.engine.behave(FakeEngineServer.silent());
        var clients = new ArrayList<RawClient>();
        try {
            for (int i = 0; i <= AdmissionQueue.CAPACITY; i++) {
                clients.add(ask("r" + i, "interactive"));
            }
            awaitWaiting(AdmissionQueue.CAPACITY);

            RawClient.Reply got = box.post(CHAT, body("chat", false));

            assertThat(got.status()).isEqualTo(503);
            assertThat(got.headers()).containsKey("retry-after");
            assertThat(got.error().path("code").asString()).isEqualTo("slot.busy");
            assertThat(got.error().path("details").path("waiting").asInt()).isEqualTo(AdmissionQueue.CAPACITY);
        } finally {
            for (RawClient client : clients) {
                client.close();
            }
        }
    }

    private RawClient ask(String id, String priority) throws Exception {
        var client = new RawClient(box.port());
        client.send("POST", CHAT, body("chat", false), "X-Request-ID: " + id, "X-Hal0-Priority: " + priority);
        return client;
    }

    private void awaitWaiting(int count) {
        await().atMost(PATIENCE).until(() -> box.chat.queue.length() == count);
    }

    private int position(String id) {
        List<InFlight> named = box.gateway.requests().stream()
                .filter(request -> request.requestId().equals(id))
                .toList();
        assertThat(named).hasSize(1);
        return named.getFirst().position();
    }
}
