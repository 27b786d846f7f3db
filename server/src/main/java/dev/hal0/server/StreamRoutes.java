package dev.hal0.server;

import dev.hal0.kernel.Event;
import dev.hal0.kernel.EventBus;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** {@code /api/stream}, the one multiplexed stream of everything that happens; {@link HistoryRoutes} has the list of it. */
final class StreamRoutes {
    private final EventBus events;
    private final InFlightFeed inFlight;

    StreamRoutes(EventBus events, InFlightFeed inFlight) {
        this.events = events;
        this.inFlight = inFlight;
    }

    List<ApiRoute> routes() {
        return List.of(ApiRoute.get(
                "/api/stream",
                "Everything that happens, as server-sent events with ids; Last-Event-ID (or ?after=) resumes, and an"
                        + " event `resync` says that the gap is too old. ?types=a,b filters; `inflight` among them adds"
                        + " what is under way, at most 4 times a second.",
                null,
                this::stream));
    }

    private ApiAnswer stream(ApiRequest request) {
        Optional<String> lastSeen = request.header("last-event-id")
                .or(() -> Optional.ofNullable(request.query().get("after")));
        Set<String> types = types(request);
        return new ApiAnswer.Stream(stream -> {
            var relay = new Relay(stream, types);
            EventBus.Subscription subscription = events.subscribe(lastSeen.orElse(null), relay::live);
            stream.onEnd(subscription);
            relay.catchUp(subscription.resumption());
            if (types.contains(InFlightFeed.TYPE)) {
                stream.onEnd(inFlight.subscribe(stream));
            }
        });
    }

    /** Keeps the order: what a client missed goes out before what happens while it is being told. */
    private static final class Relay {
        private final EventStream stream;
        private final Set<String> types;
        private final List<Event> held = new ArrayList<>();
        private boolean caughtUp;

        Relay(EventStream stream, Set<String> types) {
            this.stream = stream;
            this.types = types;
        }

        synchronized void live(Event event) {
            if (caughtUp) {
                send(event);
            } else {
                held.add(event);
            }
        }

        synchronized void catchUp(EventBus.Resumption resumption) {
            if (!resumption.complete()) {
                stream.send(null, "resync", Map.of("reason", "the last event seen is too old or of another life"));
            }
            resumption.missed().forEach(this::send);
            held.forEach(this::send);
            held.clear();
            caughtUp = true;
        }

        private void send(Event event) {
            if (wanted(event, types)) {
                stream.send(event.id(), event.type(), event);
            }
        }
    }

    private static boolean wanted(Event event, Set<String> types) {
        return types.isEmpty() || types.contains(event.type());
    }

    private static Set<String> types(ApiRequest request) {
        String given = request.query().getOrDefault("types", "");
        return given.isBlank() ? Set.of() : Set.of(given.split(","));
    }
}
