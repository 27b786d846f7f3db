package dev.hal0.hardware.proxmox;

import static dev.hal0.hardware.proxmox.Samples.ONE_NODE;
import static dev.hal0.hardware.proxmox.Samples.SELF;
import static dev.hal0.hardware.proxmox.Samples.TOKEN;
import static dev.hal0.hardware.proxmox.Samples.TWO_NODES;
import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.hardware.proxmox.ProxmoxSummary.Failed;
import dev.hal0.hardware.proxmox.ProxmoxSummary.NotConfigured;
import dev.hal0.hardware.proxmox.ProxmoxSummary.Reading;
import dev.hal0.hardware.proxmox.ProxmoxSummary.Reason;
import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.HomeDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ProxmoxWatchTest {
    private static final FakeProxmox.Answer FAULT = FakeProxmox.status(500, "");
    private static final FakeProxmox.Answer GOOD = FakeProxmox.json(ONE_NODE);

    @TempDir
    private Path folder;

    private volatile Instant now = Instant.parse("2026-01-01T00:00:00Z");
    private final RecordingListener listener = new RecordingListener();
    private HomeDirectory home;
    private FakeProxmox fake;
    private ProxmoxWatch watch;

    @BeforeEach
    void start() throws IOException {
        home = HomeDirectory.under(folder);
        fake = FakeProxmox.answering(GOOD);
        watch = watch(listener);
    }

    @AfterEach
    void stop() {
        fake.close();
    }

    @Test
    void nothingStored_isNotConfiguredWithTheHint() {
        assertThat(watch.summary()).isEqualTo(new NotConfigured(ProxmoxDetection.UNCERTAIN));
        assertThat(watch.settings()).isEmpty();
        assertThat(listener.events).isEmpty();
    }

    @Test
    void answer_servesForThirtySeconds() {
        configure();

        ProxmoxSummary first = watch.summary();
        pass(Duration.ofMillis(29_999));
        assertThat(watch.summary()).isSameAs(first);
        assertThat(fake.seen()).hasSize(1);

        pass(Duration.ofMillis(1));
        assertThat(watch.summary()).isEqualTo(first);
        assertThat(fake.seen()).hasSize(2);
    }

    @Test
    void failure_servesForThirtySecondsToo() {
        configure();
        fake.nowAnswering(FAULT);

        watch.summary();
        watch.summary();

        assertThat(fake.seen()).hasSize(1);
    }

    @Test
    void clockSetBack_doesNotKeepAnAnswer() {
        configure();
        watch.summary();

        pass(Duration.ofDays(-1));
        watch.summary();

        assertThat(fake.seen()).hasSize(2);
    }

    @Test
    void manyCallers_shareOneFetch() throws Exception {
        configure();
        var release = new CountDownLatch(1);
        fake.nowAnswering(FakeProxmox.held(release, GOOD));

        try (var callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<CompletableFuture<ProxmoxSummary>>> asked = IntStream.range(0, 50)
                    .mapToObj(i -> callers.submit(watch::summaryAsync))
                    .toList();
            List<ProxmoxSummary> answers = new ArrayList<>();
            for (var each : asked) {
                assertThat(each.get()).isNotDone();
            }
            release.countDown();
            for (var each : asked) {
                answers.add(each.get().join());
            }
            assertThat(answers).allSatisfy(answer -> assertThat(answer).isSameAs(answers.getFirst()));
        }
        assertThat(fake.seen()).hasSize(1);
    }

    @Test
    void callerWhoCancels_takesNothingFromTheOthers() {
        configure();
        var release = new CountDownLatch(1);
        fake.nowAnswering(FakeProxmox.held(release, GOOD));
        var impatient = watch.summaryAsync();
        var patient = watch.summaryAsync();

        impatient.cancel(true);
        release.countDown();

        assertThat(patient.join()).isInstanceOf(Reading.class);
    }

    @Test
    void save_dropsTheCachedAnswer() {
        configure();
        watch.summary();
        fake.nowAnswering(FakeProxmox.json(TWO_NODES));

        watch.save(Samples.update("localhost", fake.port(), null));

        assertThat(((Reading) watch.summary()).node()).isEqualTo("beta");
    }

    @Test
    void fileEditedByHand_isNotServedTheOldAnswer() {
        configure();
        watch.summary();

        new ProxmoxSettingsFile(home, new DurableFiles()).update(Samples.update("127.0.0.1", fake.port(), TOKEN));
        watch.summary();

        assertThat(fake.seen()).hasSize(2);
    }

    @Test
    void fetchOvertakenByASave_isNoEventAndNotServed() {
        configure();
        var release = new CountDownLatch(1);
        fake.nowAnswering(FakeProxmox.held(release, FAULT));
        var overtaken = watch.summaryAsync();

        watch.save(Samples.update("localhost", fake.port(), null));
        release.countDown();
        assertThat(overtaken.join()).isInstanceOf(Failed.class);
        fake.nowAnswering(GOOD);

        assertThat(watch.summary()).isInstanceOf(Reading.class);
        assertThat(listener.events).isEmpty();
    }

    @Test
    void changes_areToldOnceEach() {
        configure();
        for (var answer : List.of(GOOD, GOOD, FAULT, FAULT, FakeProxmox.status(401, ""), GOOD, GOOD, FAULT)) {
            fake.nowAnswering(answer);
            watch.summary();
            watch.summary();
            pass(Duration.ofSeconds(30));
        }

        assertThat(listener.events).containsExactly("unreachable", "recovered", "unreachable");
    }

    @Test
    void settingsThatRepairAFailure_areARecovery() {
        fake.nowAnswering(FAULT);
        configure();
        watch.summary();
        fake.nowAnswering(GOOD);

        watch.save(Samples.update("localhost", fake.port(), null));
        watch.summary();

        assertThat(listener.events).containsExactly("unreachable", "recovered");
    }

    @Test
    void removedSettings_endTheStory() {
        fake.nowAnswering(FAULT);
        configure();
        watch.summary();

        watch.remove();
        assertThat(watch.summary()).isInstanceOf(NotConfigured.class);
        fake.nowAnswering(GOOD);
        configure();
        watch.summary();

        assertThat(listener.events).containsExactly("unreachable");
    }

    @Test
    void testOfACandidate_isNeitherStoredNorCachedNorAnEvent() {
        fake.nowAnswering(FAULT);

        assertThat(watch.test(Samples.update("localhost", fake.port(), TOKEN)).summary())
                .isInstanceOf(Failed.class);

        assertThat(watch.settings()).isEmpty();
        assertThat(listener.events).isEmpty();
    }

    @Test
    void brokenFile_isAFailureWithoutAnEvent() throws IOException {
        configure();
        Files.writeString(home.config().resolve("proxmox.json"), "{" + TOKEN);

        Failed failed = (Failed) watch.summary();

        assertThat(failed.reason()).isEqualTo(Reason.SETTINGS);
        assertThat(failed.error()).contains("proxmox.json").doesNotContain(TOKEN);
        assertThat(listener.events).isEmpty();
    }

    @Test
    void listenerThatFails_doesNotHoldUpTheAnswer() {
        watch = watch(new ProxmoxWatch.Listener() {
            @Override
            public void unreachable(String error) {
                throw new IllegalStateException("expected by the test");
            }

            @Override
            public void recovered() {}
        });
        configure();
        fake.nowAnswering(FAULT);

        assertThat(watch.summary()).isInstanceOf(Failed.class);
    }

    private ProxmoxWatch watch(ProxmoxWatch.Listener told) {
        return new ProxmoxWatch(
                new ProxmoxSettingsFile(home, new DurableFiles()),
                new ProxmoxClient(Duration.ofSeconds(30), 1 << 20, null),
                SELF,
                ProxmoxDetection.UNCERTAIN,
                () -> now,
                told);
    }

    private void configure() {
        watch.save(Samples.update("localhost", fake.port(), TOKEN));
    }

    private void pass(Duration time) {
        now = now.plus(time);
    }
}
