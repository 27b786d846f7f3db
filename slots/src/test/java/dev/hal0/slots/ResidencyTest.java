package dev.hal0.slots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.EventBus;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three slots in memory for two, with the real gate, the real loop and threads that come and go. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ResidencyTest {
    private static final List<SlotName> SLOTS = List.of(new SlotName("a"), new SlotName("b"), new SlotName("c"));

    @TempDir
    private Path folder;

    private final FakeSlotRuntime runtime = new FakeSlotRuntime();
    private final Map<SlotName, String> toml = new ConcurrentHashMap<>();
    private @Nullable SlotManager opened;

    @AfterEach
    void close() {
        manager().close();
    }

    @Test
    void thirdSlot_takesThePlaceOfTheLeastRecentlyUsed() throws Exception {
        open(100, Duration.ZERO);
        use("a");
        use("b");
        use("a");

        use("c");

        assertThat(runtime.alive())
                .extracting(workload -> workload.slot().value())
                .containsExactlyInAnyOrder("a", "c");
        assertThat(manager().view(new SlotName("b")).cause()).isEqualTo(CauseCode.STOPPED);
        assertThat(manager().view(new SlotName("b")).message()).isEqualTo("makes room for c");
    }

    @Test
    void slotInUse_isNotTakenAndTheLoadWaits() throws Exception {
        open(100, Duration.ZERO);
        Lease inA = enter("a");
        Lease inB = enter("b");

        CompletableFuture<Void> third =
                manager().ensureReady(SLOTS.get(2), message -> {}).toCompletableFuture();
        await().until(() -> manager().view(SLOTS.get(2)).message().contains("can give way")
                || manager().view(SLOTS.get(2)).message().contains("to be gone"));

        assertThat(runtime.stops).isEmpty();
        inA.leave();
        third.join();
        assertThat(runtime.stops)
                .extracting(workload -> workload.slot().value())
                .containsExactly("a");
        inB.leave();
    }

    /** Guards a slot that starved: those it was to replace were wanted again while they left, and came back before it. */
    @Test
    void evictedSlotThatIsWantedAgain_comesBackAfterTheOneItMadeRoomFor() throws Exception {
        open(100, Duration.ZERO);
        Lease inA = enter("a");
        Lease inB = enter("b");
        CompletableFuture<Void> third =
                manager().ensureReady(SLOTS.get(2), message -> {}).toCompletableFuture();
        await().until(() -> manager().view(SLOTS.get(0)).message().contains("makes room for c"));

        CompletableFuture<Void> again =
                manager().ensureReady(SLOTS.get(0), message -> {}).toCompletableFuture();
        inA.leave();

        third.get(30, TimeUnit.SECONDS);
        again.get(30, TimeUnit.SECONDS);
        assertThat(runtime.stops)
                .extracting(workload -> workload.slot().value())
                .containsExactly("a", "c");
        inB.leave();
    }

    @Test
    void pinnedSlots_refuseTheThirdWithEvidence() throws Exception {
        toml.put(SLOTS.get(0), "pinned = true\n");
        toml.put(SLOTS.get(1), "pinned = true\n");
        open(100, Duration.ZERO);
        use("a");
        use("b");

        Hal0Exception refused =
                failure(manager().ensureReady(SLOTS.get(2), message -> {}).toCompletableFuture());

        assertThat(refused.code()).isEqualTo(ErrorCode.SLOT_CAPACITY_INSUFFICIENT);
        assertThat(refused.retryAfterSeconds()).isPresent();
        assertThat(refused.details().toString()).contains("is pinned");
        assertThat(runtime.alive()).hasSize(2);
    }

    @Test
    void forcedLoad_isNotRefused() throws Exception {
        toml.put(SLOTS.get(0), "pinned = true\n");
        toml.put(SLOTS.get(1), "pinned = true\n");
        open(100, Duration.ZERO);
        use("a");
        use("b");

        Operation forced = manager().load(SLOTS.get(2), Optional.empty(), false, true);

        assertThat(manager().ended(forced.id()).toCompletableFuture().join().status())
                .isEqualTo(Operation.Status.SUCCEEDED);
        assertThat(runtime.alive()).hasSize(3);
    }

    /** Guards pitfalls P11 and P14: idle memory is really freed, and every type wakes again. */
    @Test
    void unusedSlot_isUnloadedAndWakesWithTheNextRequest() throws Exception {
        toml.put(SLOTS.get(0), "unload_after_s = 1\n");
        open(100, Duration.ZERO);
        use("a");

        await().atMost(Duration.ofSeconds(20)).until(() -> runtime.alive().isEmpty());
        assertThat(runtime.stops).hasSize(1);

        use("a");
        assertThat(runtime.alive()).hasSize(1);
    }

    /** Guards P4: a failed slot that nobody retries. */
    @Test
    void crashedSlot_comesBackByItself() throws Exception {
        open(100, Duration.ZERO);
        use("a");

        runtime.kill(runtime.alive().getFirst());

        await().atMost(Duration.ofSeconds(20))
                .until(() -> runtime.launches.size() == 2
                        && manager().view(SLOTS.get(0)).state() == SlotState.READY);
    }

    /** Guards acceptance rule 3: nobody inside is cut, nobody waits for ever, and memory is never promised twice. */
    @Test
    void mixedTrafficOverThreeSlots_isServedWithinTheBudgetOfTwo() throws Exception {
        open(100, Duration.ofMillis(30));
        var most = new AtomicInteger();
        var revoked = new AtomicInteger();
        var served = new ConcurrentHashMap<String, Integer>();
        try (var callers = Executors.newVirtualThreadPerTaskExecutor()) {
            var running = new ArrayList<Future<?>>();
            for (int caller = 0; caller < 12; caller++) {
                var random = new Random(caller);
                running.add(callers.submit(() -> {
                    for (int i = 0; i < 15; i++) {
                        String slot = SLOTS.get(random.nextInt(3)).value();
                        Lease lease = enter(slot);
                        lease.onRevoke(cause -> revoked.incrementAndGet());
                        most.accumulateAndGet(runtime.alive().size(), Math::max);
                        for (int turn = random.nextInt(200); turn > 0; turn--) {
                            Thread.yield();
                        }
                        assertThat(runtime.alive())
                                .anyMatch(alive -> alive.incarnation().equals(lease.incarnation()));
                        lease.leave();
                        served.merge(slot, 1, Integer::sum);
                    }
                    return null;
                }));
            }
            for (Future<?> one : running) {
                one.get();
            }
        }
        assertThat(served.values().stream().mapToInt(Integer::intValue).sum()).isEqualTo(180);
        assertThat(revoked).hasValue(0);
        assertThat(most.get()).isLessThanOrEqualTo(2);
        assertThat(runtime.stops).isNotEmpty();
    }

    private void use(String slot) throws Exception {
        enter(slot).leave();
    }

    /** As the gateway does: load, then enter, and again if the slot was taken in between. */
    private Lease enter(String name) throws Exception {
        var slot = new SlotName(name);
        while (true) {
            manager().ensureReady(slot, message -> {}).toCompletableFuture().get();
            try {
                return manager()
                        .routes()
                        .slot(slot)
                        .orElseThrow()
                        .admission()
                        .enter(new Claim("anyone", Priority.INTERACTIVE))
                        .get();
            } catch (java.util.concurrent.ExecutionException closedMeanwhile) {
                if (Failures.of(closedMeanwhile).code() != ErrorCode.SLOT_LOADING) {
                    throw closedMeanwhile;
                }
            }
        }
    }

    private SlotManager manager() {
        return java.util.Objects.requireNonNull(opened);
    }

    /** Each slot needs 40. */
    private void open(long budget, Duration leastResidency) throws IOException {
        Files.createDirectories(folder.resolve("slots"));
        int port = 8091;
        for (SlotName slot : SLOTS) {
            Files.writeString(
                    folder.resolve("slots/" + slot + ".toml"),
                    "port = " + port++ + "\nmodel.default = \"small\"\n" + toml.getOrDefault(slot, ""));
        }
        var policy = new SlotPolicy(
                Duration.ofSeconds(20),
                Duration.ofSeconds(10),
                Duration.ofSeconds(1),
                Duration.ofSeconds(120),
                8081,
                8099,
                new ResidencyLimits(
                        Map.of(),
                        Map.of("memory", budget),
                        0,
                        leastResidency,
                        Duration.ofMillis(300),
                        Duration.ofSeconds(40),
                        Duration.ZERO));
        var files = new DurableFiles();
        InstantSource clock = InstantSource.system();
        opened = new SlotManager(
                new SlotDefinitions(folder.resolve("slots"), files, policy),
                new SlotManagerTest.TwoModels(),
                new EngineCatalog(List.of(new FakeEngine(40))),
                runtime,
                folder.resolve("states"),
                files,
                new EventBus(clock),
                new SlotManagerTest.NoHistory(),
                new OnePool(),
                policy,
                clock);
        manager().start();
    }

    private static Hal0Exception failure(CompletableFuture<?> future) {
        CompletionException thrown = catchThrowableOfType(CompletionException.class, future::join);
        return Failures.of(thrown);
    }

    private static final class OnePool implements SlotMemory {
        @Override
        public String pool(Device device) {
            return "memory";
        }

        @Override
        public Map<String, Long> freeBytes() {
            return Map.of();
        }

        @Override
        public Map<String, Long> budgetBytes() {
            return Map.of();
        }
    }
}
