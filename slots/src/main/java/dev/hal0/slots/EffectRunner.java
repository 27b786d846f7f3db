package dev.hal0.slots;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does what the scheduler asks of workloads. Called only by the owner thread; anything that may take time runs on a virtual
 * thread and comes back as an event. Nothing here decides.
 */
final class EffectRunner implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(EffectRunner.class);
    private static final Duration FIRST_POLL = Duration.ofMillis(25);
    private static final Duration LONGEST_POLL = Duration.ofMillis(500);

    private final SlotRuntime runtime;
    private final EngineCatalog engines;
    private final SlotWorkloads workloads;
    private final EndpointKeys keys;
    private final OperationLog history;
    private final SlotPolicy policy;
    private final Consumer<SlotEvent> events;
    private final ExecutorService tasks = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("slot-effect-", 0).factory());
    private final Map<SlotName, AutoCloseable> watches = new ConcurrentHashMap<>();
    private final Map<SlotName, CountDownLatch> waits = new ConcurrentHashMap<>();

    EffectRunner(
            SlotRuntime runtime,
            EngineCatalog engines,
            SlotWorkloads workloads,
            EndpointKeys keys,
            OperationLog history,
            SlotPolicy policy,
            Consumer<SlotEvent> events) {
        this.runtime = runtime;
        this.engines = engines;
        this.workloads = workloads;
        this.keys = keys;
        this.history = history;
        this.policy = policy;
        this.events = events;
    }

    void prepare(Launch launch) {
        SlotName slot = launch.plan().slot();
        run(
                () -> {
                    runtime.prepare(
                            launch.plan(),
                            message -> events.accept(new SlotEvent.Progressed(slot, launch.nonce(), message)));
                    events.accept(new SlotEvent.Prepared(slot, launch.nonce()));
                },
                why -> events.accept(new SlotEvent.PrepareFailed(slot, launch.nonce(), why)));
    }

    void start(Launch launch) {
        SlotName slot = launch.plan().slot();
        run(
                () -> {
                    String key = keys.create(launch);
                    events.accept(new SlotEvent.Launched(slot, runtime.launch(launch.plan(), launch.nonce(), key)));
                },
                why -> events.accept(new SlotEvent.LaunchFailed(slot, launch.nonce(), why)));
    }

    void attend(Workload workload) {
        workloads.gate(workload.slot()).prepare(workload.incarnation());
        AutoCloseable watch = runtime.watch(
                workload, exit -> events.accept(new SlotEvent.Exited(workload.slot(), workload.incarnation(), exit)));
        closeQuietly(watches.put(workload.slot(), watch));
    }

    /** Asks again and again: engines differ in everything but in answering when they are ready. */
    void awaitAnswer(Launch launch, boolean verify) {
        var cancelled = new CountDownLatch(1);
        SlotName slot = launch.plan().slot();
        Incarnation incarnation = launch.incarnation().orElseThrow();
        CountDownLatch previous = waits.put(slot, cancelled);
        if (previous != null) {
            previous.countDown();
        }
        run(
                () -> {
                    Optional<SlotEvent> outcome = poll(launch, incarnation, verify, cancelled);
                    outcome.ifPresent(events);
                },
                why -> events.accept(new SlotEvent.Unanswered(slot, incarnation, why.message())));
    }

    private Optional<SlotEvent> poll(Launch launch, Incarnation incarnation, boolean verify, CountDownLatch cancelled)
            throws InterruptedException {
        SlotName slot = launch.plan().slot();
        Engine engine = engines.require(launch.plan().engine());
        Endpoint endpoint = keys.endpoint(launch);
        // One that was ready has nothing to load: it answers soon, or it is started anew.
        Duration budget = verify ? policy.loadBudget() : policy.silentAfter();
        long deadline = System.nanoTime() + budget.toNanos();
        Duration pause = FIRST_POLL;
        String last = "it never answered";
        while (System.nanoTime() < deadline) {
            switch (engine.health(endpoint)) {
                case Health.Ready() -> {
                    List<String> differences = verify ? engine.verify(launch.plan(), endpoint) : List.of();
                    return Optional.of(
                            differences.isEmpty()
                                    ? new SlotEvent.Answered(slot, incarnation)
                                    : new SlotEvent.Mismatched(slot, incarnation, differences));
                }
                case Health.Loading(String detail) -> {
                    last = detail;
                    events.accept(new SlotEvent.Progressed(slot, launch.nonce(), detail));
                }
                case Health.Unreachable(String detail) -> last = detail;
            }
            if (cancelled.await(pause.toNanos(), TimeUnit.NANOSECONDS)) {
                return Optional.empty();
            }
            pause = pause.multipliedBy(2).compareTo(LONGEST_POLL) < 0 ? pause.multipliedBy(2) : LONGEST_POLL;
        }
        return Optional.of(new SlotEvent.Unanswered(
                slot, incarnation, "not ready after " + budget.toSeconds() + " s (" + last + ")"));
    }

    /** The slot left {@code WARMING}: nobody needs the answer any more. */
    void stopWaiting(SlotName slot) {
        CountDownLatch waiting = waits.remove(slot);
        if (waiting != null) {
            waiting.countDown();
        }
    }

    void tryClose(Launch launch, Incarnation incarnation) {
        SlotName slot = launch.plan().slot();
        run(
                () -> {
                    Engine engine = engines.require(launch.plan().engine());
                    boolean busyByItself = engine.busy(keys.endpoint(launch)).orElse(0) > 0;
                    Optional<ClosedGate> proof = busyByItself
                            ? Optional.empty()
                            : workloads.gate(slot).tryClose(incarnation);
                    events.accept(proof.<SlotEvent>map(closed -> new SlotEvent.GateClosed(slot, closed))
                            .orElseGet(() -> new SlotEvent.CloseRefused(slot, incarnation)));
                },
                why -> events.accept(new SlotEvent.CloseRefused(slot, incarnation)));
    }

    void drain(Launch launch, Incarnation incarnation) {
        SlotName slot = launch.plan().slot();
        run(
                () -> {
                    long deadline = System.nanoTime() + policy.drainBudget().toNanos();
                    awaitEngineQuiet(launch, deadline);
                    Duration remaining = Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
                    Optional<ClosedGate> proof = workloads.gate(slot).drain(incarnation, remaining);
                    events.accept(proof.<SlotEvent>map(closed -> new SlotEvent.GateClosed(slot, closed))
                            .orElseGet(() -> new SlotEvent.DrainExpired(slot, incarnation)));
                },
                why -> events.accept(new SlotEvent.DrainExpired(slot, incarnation)));
    }

    /**
     * Work that did not come through our gate counts as inside too: a request of an earlier control plane, or of somebody who
     * talks to the engine directly.
     */
    private void awaitEngineQuiet(Launch launch, long deadline) throws InterruptedException {
        Engine engine = engines.require(launch.plan().engine());
        Gate gate = workloads.gate(launch.plan().slot());
        var never = new CountDownLatch(1);
        while (gate.inside() == 0
                && System.nanoTime() < deadline
                && engine.busy(keys.endpoint(launch)).orElse(0) > 0) {
            if (never.await(LONGEST_POLL.toMillis(), TimeUnit.MILLISECONDS)) {
                return;
            }
        }
    }

    void revoke(SlotName slot, Incarnation incarnation, RevokeCause cause) {
        run(
                () -> workloads.gate(slot).revoke(incarnation, cause).ifPresent(proof -> {
                    if (proof.cut() > 0) {
                        history.revoked(slot, incarnation, cause, proof.cut());
                    }
                    events.accept(new SlotEvent.GateClosed(slot, proof));
                }),
                why -> log.error("slot {}: revoke failed", slot, why));
    }

    void abandon(SlotName slot, Incarnation incarnation) {
        int cut = workloads.gate(slot).abandon(incarnation, RevokeCause.ENGINE_LOST);
        if (cut > 0) {
            history.revoked(slot, incarnation, RevokeCause.ENGINE_LOST, cut);
        }
    }

    void stop(Workload workload, ClosedGate proof) {
        run(
                () -> {
                    runtime.stop(workload, proof, policy.stopGrace());
                    closeQuietly(watches.remove(workload.slot()));
                    events.accept(new SlotEvent.Stopped(workload.slot(), workload.incarnation()));
                },
                why -> events.accept(new SlotEvent.StopFailed(workload.slot(), workload.incarnation(), why)));
    }

    void stopStray(Workload workload) {
        run(
                () -> {
                    var gate = new Gate();
                    gate.prepare(workload.incarnation());
                    runtime.stop(workload, gate.tryClose(workload.incarnation()).orElseThrow(), policy.stopGrace());
                    log.info("slot {}: stopped a workload of an earlier launch", workload.slot());
                },
                why -> log.error("slot {}: a workload of an earlier launch still runs", workload.slot(), why));
    }

    private interface Task {
        void run() throws Exception;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // the task reports back as an event
    private void run(Task task, Consumer<Hal0Exception> onFailure) {
        tasks.submit(() -> {
            try {
                task.run();
            } catch (Hal0Exception failure) {
                onFailure.accept(failure);
            } catch (InterruptedException closing) {
                Thread.currentThread().interrupt();
            } catch (Exception | LinkageError defect) {
                log.error("an effect failed unexpectedly", defect);
                onFailure.accept(new Hal0Exception(ErrorCode.SYSTEM_INTERNAL, "Unexpected: " + defect, defect));
            }
        });
    }

    /** Random per launch; 32 bytes are beyond guessing. */
    static String randomToken() {
        byte[] bytes = new byte[32];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    private static void closeQuietly(java.lang.@org.jspecify.annotations.Nullable AutoCloseable closeable) {
        if (closeable == null) {
            return;
        }
        try {
            closeable.close();
        } catch (Exception failure) {
            log.warn("a watch could not be ended", failure);
        }
    }

    /** Gives up waiting; touches no workload. */
    @Override
    public void close() {
        tasks.shutdownNow();
        watches.values().forEach(EffectRunner::closeQuietly);
    }
}
