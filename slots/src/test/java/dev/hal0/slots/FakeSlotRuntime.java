package dev.hal0.slots;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** Workloads in memory, which outlive the manager that started them; can be told to misbehave. */
final class FakeSlotRuntime implements SlotRuntime {
    final List<Workload> launches = new CopyOnWriteArrayList<>();
    final List<Workload> stops = new CopyOnWriteArrayList<>();
    final Set<SlotName> forgotten = ConcurrentHashMap.newKeySet();
    /** A launch that was begun waits here while it is held. */
    final CountDownLatch launchBegan = new CountDownLatch(1);

    private final Map<Incarnation, Workload> alive = new ConcurrentHashMap<>();
    private final Map<Incarnation, List<Consumer<Exit>>> watchers = new ConcurrentHashMap<>();
    private final AtomicInteger lives = new AtomicInteger();
    private final Semaphore spawns = new Semaphore(Integer.MAX_VALUE);
    private volatile boolean refuses;
    private volatile boolean survivesStops;

    void holdLaunches() {
        spawns.drainPermits();
    }

    void releaseLaunches() {
        spawns.release(1_000);
    }

    void refuseLaunches() {
        refuses = true;
    }

    void surviveStops(boolean survives) {
        survivesStops = survives;
    }

    List<Workload> alive() {
        return List.copyOf(alive.values());
    }

    void kill(Workload workload) {
        if (alive.remove(workload.incarnation()) != null) {
            Exit exit = new Exit(OptionalInt.of(137), List.of("killed"));
            watchers.getOrDefault(workload.incarnation(), List.of()).forEach(watcher -> watcher.accept(exit));
        }
    }

    @Override
    public String kind() {
        return "fake";
    }

    @Override
    public void prepare(LaunchPlan plan, Consumer<String> progress) {}

    @Override
    public boolean isPrepared(LaunchPlan plan) {
        return true;
    }

    @Override
    public List<String> commandLine(LaunchPlan plan) {
        return new ArrayList<>(plan.arguments());
    }

    @Override
    public Workload launch(LaunchPlan plan, String nonce, String key) {
        launchBegan.countDown();
        spawns.acquireUninterruptibly();
        if (refuses) {
            throw new Hal0Exception(ErrorCode.SLOT_SPAWN_FAILED, "no such program");
        }
        var workload = new Workload(plan.slot(), nonce, new Incarnation("life-" + lives.incrementAndGet()));
        alive.put(workload.incarnation(), workload);
        launches.add(workload);
        return workload;
    }

    @Override
    public Optional<Workload> find(SlotName slot, String nonce) {
        return alive.values().stream()
                .filter(workload ->
                        workload.slot().equals(slot) && workload.nonce().equals(nonce))
                .findFirst();
    }

    @Override
    public AutoCloseable watch(Workload workload, Consumer<Exit> listener) {
        List<Consumer<Exit>> listeners =
                watchers.computeIfAbsent(workload.incarnation(), ignored -> new CopyOnWriteArrayList<>());
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    @Override
    public void stop(Workload workload, ClosedGate proof, Duration grace) {
        if (!proof.incarnation().equals(workload.incarnation())) {
            throw new AssertionError("a proof of another life");
        }
        if (survivesStops) {
            throw new Hal0Exception(ErrorCode.SLOT_TERMINATE_TIMEOUT, "it survived both signals");
        }
        stops.add(workload);
        kill(workload);
    }

    @Override
    public OptionalLong memoryBytes(Workload workload) {
        return OptionalLong.empty();
    }

    @Override
    public SlotLog log(SlotName slot) {
        throw new UnsupportedOperationException("no test reads logs");
    }

    @Override
    public void forget(SlotName slot) {
        forgotten.add(slot);
    }
}
