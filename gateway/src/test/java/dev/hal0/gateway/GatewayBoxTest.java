package dev.hal0.gateway;

import static org.awaitility.Awaitility.await;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The alarm that every other test relies on goes off. */
class GatewayBoxTest {
    @Test
    void eventLoopThatIsBlocked_isADefect() {
        try (var box = new GatewayBox()) {
            var release = new CountDownLatch(1);
            box.vertx.runOnContext(ignored -> {
                try {
                    release.await(20, TimeUnit.SECONDS);
                } catch (InterruptedException ended) {
                    Thread.currentThread().interrupt();
                }
            });
            await().atMost(GatewayBox.PATIENCE)
                    .until(() -> box.defects.stream().anyMatch(defect -> defect.contains("blocked")));
            release.countDown();
            box.forgiveDefects();
        }
    }

    @Test
    void handlerThatThrows_isADefect() {
        try (var box = new GatewayBox()) {
            box.vertx.runOnContext(ignored -> {
                throw new IllegalStateException("on purpose");
            });
            await().atMost(GatewayBox.PATIENCE)
                    .until(() -> box.defects.stream().anyMatch(defect -> defect.contains("on purpose")));
            box.forgiveDefects();
        }
    }
}
