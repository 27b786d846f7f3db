package dev.hal0.server;

import dev.hal0.gateway.Gateway;
import dev.hal0.gateway.InFlight;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.EngineTask;
import dev.hal0.slots.Route;
import dev.hal0.slots.SlotControl;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is under way now. Engines are asked how far they are only while somebody looks, and only where a slot has a single
 * request inside: their tasks carry no id of ours.
 *
 * <p>Thread-safe. {@link #list} and {@link #tick} may wait a second for an engine.
 */
final class InFlightFeed {
    /** Of the events that {@link #subscribe} leads to. */
    static final String TYPE = "inflight";

    private static final Logger log = LoggerFactory.getLogger(InFlightFeed.class);

    /** In which an engine has a request and may say how far it is. */
    private static final Set<String> INSIDE = Set.of("prefill", "decoding", "working", "answering");

    record Snapshot(int v, List<InFlightView> requests) {}

    private final Gateway gateway;
    private final SlotControl slots;
    private final InstantSource clock;
    private final Set<EventStream> subscribers = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean busy = new AtomicBoolean();
    private volatile boolean toldEmpty;

    InFlightFeed(Gateway gateway, SlotControl slots, InstantSource clock) {
        this.gateway = gateway;
        this.slots = slots;
        this.clock = clock;
    }

    /** Oldest first. */
    List<InFlightView> list() {
        List<InFlight> requests = gateway.requests();
        Map<SlotName, EngineTask> tasks = tasks(requests);
        Instant now = clock.instant();
        return requests.stream()
                .map(request -> InFlightView.of(request, taskOf(request, tasks), now))
                .toList();
    }

    private static @org.jspecify.annotations.Nullable EngineTask taskOf(
            InFlight request, Map<SlotName, EngineTask> tasks) {
        return INSIDE.contains(request.phase()) ? request.slot().map(tasks::get).orElse(null) : null;
    }

    private Map<SlotName, EngineTask> tasks(List<InFlight> requests) {
        Map<SlotName, Long> inside = requests.stream()
                .filter(request ->
                        INSIDE.contains(request.phase()) && request.slot().isPresent())
                .collect(Collectors.groupingBy(request -> request.slot().orElseThrow(), Collectors.counting()));
        var tasks = new HashMap<SlotName, EngineTask>();
        inside.forEach((slot, count) -> {
            if (count == 1) {
                slots.routes().slot(slot).flatMap(Route::target).ifPresent(target -> {
                    List<EngineTask> own = target.engine().tasks(target.endpoint());
                    if (own.size() == 1) {
                        tasks.put(slot, own.getFirst());
                    }
                });
            }
        });
        return tasks;
    }

    /** From the next tick on until it is closed. */
    AutoCloseable subscribe(EventStream stream) {
        subscribers.add(stream);
        toldEmpty = false;
        return () -> subscribers.remove(stream);
    }

    /** Called 4 times a second; an engine that answers slowly makes it less often. */
    void tick() {
        if (subscribers.isEmpty() || !busy.compareAndSet(false, true)) {
            return;
        }
        try {
            boolean wasTold = toldEmpty;
            List<InFlightView> requests = list();
            toldEmpty = requests.isEmpty();
            if (!requests.isEmpty() || !wasTold) {
                var snapshot = new Snapshot(1, requests);
                subscribers.forEach(stream -> stream.send(null, TYPE, snapshot));
            }
        } catch (RuntimeException defect) {
            log.error("what is under way could not be told", defect);
        } finally {
            busy.set(false);
        }
    }
}
