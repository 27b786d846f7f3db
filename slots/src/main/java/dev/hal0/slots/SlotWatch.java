package dev.hal0.slots;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after ready workloads. An engine that fails two health checks in a row is doubted: nothing new reaches it until it
 * answers again. One that answers them and makes no progress with what is inside, by its own counters, is hung: those inside
 * are told, and it is started anew. What is loading is nobody's business here: its process and its budget decide.
 *
 * <p>Progress is watched with the family's own counters and nothing else; a family without any is never called hung. How long
 * is too long is learned: three times the longest pause this workload has ever made between two signs of progress, and never
 * less than the configured floor.
 *
 * <p>{@link #look} may be called from any thread; each workload is looked at by one thread at a time.
 */
final class SlotWatch {
    private static final Logger log = LoggerFactory.getLogger(SlotWatch.class);
    private static final int STRIKES = 2;
    private static final int LEARNED_FACTOR = 3;

    /** What is known of one life. Only the thread that looks at it touches it. */
    private static final class Life {
        private int strikes;
        private String counters = "";
        private long changedAt;
        private long longestPause;
        private boolean told;
    }

    private final EngineCatalog engines;
    private final EndpointKeys keys;
    private final SlotWorkloads workloads;
    private final Duration floor;
    private final Consumer<SlotEvent> events;
    private final LongSupplier nanoTime;
    private final Map<Incarnation, Life> lives = new ConcurrentHashMap<>();
    private final Set<Incarnation> beingLookedAt = ConcurrentHashMap.newKeySet();

    /** @param floor shortest standstill that is ever called a hang */
    SlotWatch(
            EngineCatalog engines,
            EndpointKeys keys,
            SlotWorkloads workloads,
            Duration floor,
            Consumer<SlotEvent> events,
            LongSupplier nanoTime) {
        this.engines = engines;
        this.keys = keys;
        this.workloads = workloads;
        this.floor = floor;
        this.events = events;
        this.nanoTime = nanoTime;
    }

    /** Looks at all of them, each on a thread of its own: a dead one must not keep the others waiting. */
    void look(Iterable<Launch> ready, ExecutorService threads) {
        var alive = new java.util.HashSet<Incarnation>();
        for (Launch launch : ready) {
            Incarnation incarnation = launch.incarnation().orElseThrow();
            alive.add(incarnation);
            if (beingLookedAt.add(incarnation)) {
                threads.execute(() -> {
                    try {
                        lookAt(launch);
                    } catch (RuntimeException defect) {
                        log.error(
                                "slot {} could not be looked at", launch.plan().slot(), defect);
                    } finally {
                        beingLookedAt.remove(incarnation);
                    }
                });
            }
        }
        lives.keySet().retainAll(alive);
    }

    void lookAt(Launch launch) {
        Incarnation incarnation = launch.incarnation().orElseThrow();
        Life life = lives.computeIfAbsent(incarnation, ignored -> new Life());
        Engine engine = engines.require(launch.plan().engine());
        Endpoint endpoint = keys.endpoint(launch);
        Optional<String> problem = problem(engine.health(endpoint));
        if (problem.isEmpty()) {
            life.strikes = 0;
            watchProgress(launch, incarnation, life, engine, endpoint);
        } else if (++life.strikes >= STRIKES) {
            life.strikes = 0;
            events.accept(new SlotEvent.Doubted(
                    launch.plan().slot(), incarnation, "failed " + STRIKES + " health checks: " + problem.get()));
        }
    }

    private static Optional<String> problem(Health health) {
        return switch (health) {
            case Health.Ready() -> Optional.empty();
            case Health.Loading(String detail) -> Optional.of(detail);
            case Health.Unreachable(String detail) -> Optional.of(detail);
        };
    }

    private void watchProgress(Launch launch, Incarnation incarnation, Life life, Engine engine, Endpoint endpoint) {
        long now = nanoTime.getAsLong();
        if (!engine.countsProgress() || workloads.gate(launch.plan().slot()).inside() == 0) {
            life.counters = "";
            life.changedAt = now;
            return;
        }
        // Counters that cannot be read while health is fine are counters that do not move.
        String counters = engine.progress(endpoint).orElse(life.counters);
        if (!counters.equals(life.counters)) {
            if (!life.counters.isEmpty()) {
                life.longestPause = Math.max(life.longestPause, now - life.changedAt);
            }
            life.counters = counters;
            life.changedAt = now;
            life.told = false;
            return;
        }
        long still = now - life.changedAt;
        if (!life.told && still > Math.max(floor.toNanos(), LEARNED_FACTOR * life.longestPause)) {
            life.told = true;
            events.accept(new SlotEvent.Hung(
                    launch.plan().slot(),
                    incarnation,
                    "no progress for " + Duration.ofNanos(still).toSeconds() + " s with "
                            + workloads.gate(launch.plan().slot()).inside()
                            + " inside, while its health check is fine; its counters: "
                            + (counters.isEmpty() ? "no answer" : counters)));
        }
    }
}
