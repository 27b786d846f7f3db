package dev.hal0.gateway;

import static dev.hal0.gateway.GatewayBox.CHAT;
import static dev.hal0.gateway.GatewayBox.PATIENCE;
import static dev.hal0.gateway.GatewayBox.body;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hal0.gateway.FakeEngineServer.Behaviour;
import dev.hal0.slots.RevokeCause;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.RepeatedTest;

/**
 * Faulty engines, impatient clients and an operator with force, all at once. Afterwards nothing is left behind (the box looks
 * when it closes), every request was accounted for exactly once, and the next request is served.
 */
class GatewayChaosTest {
    private static final List<Behaviour> BEHAVIOURS = List.of(
            FakeEngineServer.tokens(5),
            FakeEngineServer.tokens(50),
            FakeEngineServer.json("{\"ok\":true}"),
            FakeEngineServer.hangAfter(2),
            FakeEngineServer.silent(),
            FakeEngineServer.dropBeforeReply(),
            FakeEngineServer.dropAfter(3),
            FakeEngineServer.dropInsideDocument(),
            FakeEngineServer.garbage(),
            FakeEngineServer.garbageInsideStream(),
            FakeEngineServer.status(500, "text/plain", "oh"));

    @RepeatedTest(3)
    void everythingAtOnce_leavesNothingBehind() throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        int requests = 300;
        try (var box = new GatewayBox()) {
            box.engine.behave(call -> {
                Behaviour behaviour;
                synchronized (random) {
                    behaviour = BEHAVIOURS.get(random.nextInt(BEHAVIOURS.size()));
                }
                behaviour.answer(call);
            });
            try (var clients =
                            Executors.newFixedThreadPool(24, Thread.ofVirtual().factory());
                    var clock = Executors.newSingleThreadScheduledExecutor()) {
                var all = new ArrayList<Future<Void>>();
                for (int i = 0; i < requests; i++) {
                    boolean streamed = random.nextBoolean();
                    int patience = random.nextInt(400);
                    boolean rude = random.nextBoolean();
                    Callable<Void> client = () -> ask(box, clock, streamed, patience, rude);
                    all.add(clients.submit(client));
                }
                for (int i = 0; i < 5; i++) {
                    int done = requests * (i + 1) / 12;
                    await().atMost(PATIENCE).until(() -> box.ended.size() >= done);
                    box.chat.revokeIfReady(RevokeCause.OPERATOR_FORCE);
                }
                for (Future<Void> one : all) {
                    one.get();
                }
            }
            await().atMost(PATIENCE).until(() -> box.gateway.inFlight() == 0);
            // A client may leave before its body was sent; whoever was heard was accounted for, once.
            assertThat(box.ended)
                    .as("seed %s", seed)
                    .extracting(Accounting.Ended::requestId)
                    .doesNotHaveDuplicates();
            assertThat(box.ended).as("seed %s", seed).hasSizeBetween(requests / 2, requests);
            assertThat(box.chat.gate.inside()).as("seed %s", seed).isZero();
            box.engine.behave(FakeEngineServer.tokens(1));
            assertThat(box.post(CHAT, body("chat", true)).status()).isEqualTo(200);
        }
    }

    /** Reads what comes and leaves when its patience is over, which progress comments do not prolong. */
    private static Void ask(
            GatewayBox box, ScheduledExecutorService clock, boolean streamed, int patience, boolean rude)
            throws IOException {
        try (var client = new RawClient(box.port())) {
            Callable<Void> leave = () -> {
                if (rude) {
                    client.reset();
                } else {
                    client.close();
                }
                return null;
            };
            Future<Void> leaving = clock.schedule(leave, patience, TimeUnit.MILLISECONDS);
            client.send("POST", CHAT, body("chat", streamed));
            client.reply();
            leaving.cancel(false);
        } catch (IOException left) {
            // Its own doing, or a document that was cut.
        }
        return null;
    }
}
