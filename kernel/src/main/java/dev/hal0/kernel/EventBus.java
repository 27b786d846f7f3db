package dev.hal0.kernel;

import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes events to subscribers and keeps the newest {@link #RETAINED} so that a client that lost its connection resumes
 * without a gap. When the gap is too old, or from an earlier life of the control plane, the subscriber is told so and reads
 * the state anew: it is never left believing in a complete history.
 *
 * <p>Thread-safe. Listeners run on the publisher's thread, in order, under the bus's lock: they must only hand the event
 * over (a queue, an event loop) and never block or publish. A listener that throws is logged and stays subscribed; neither
 * the publisher nor the other listeners notice.
 */
public final class EventBus {
    private static final Logger log = LoggerFactory.getLogger(EventBus.class);

    /** Enough for minutes of a busy box; about 1 MB. */
    static final int RETAINED = 2048;

    /**
     * What a new subscriber gets at once.
     *
     * @param complete false when events between the last seen and now are lost to the client: it must read the state anew
     * @param missed what to deliver before anything that the listener was handed, oldest first
     */
    public record Resumption(boolean complete, List<Event> missed) {}

    /** Ends the delivery; idempotent. */
    public interface Subscription extends AutoCloseable {
        Resumption resumption();

        @Override
        void close();
    }

    private final InstantSource clock;
    private final String epoch;
    private final ArrayDeque<Event> retained = new ArrayDeque<>();
    private final Set<Listening> listeners = new LinkedHashSet<>();
    private long sequence;

    public EventBus(InstantSource clock) {
        this.clock = clock;
        this.epoch = Long.toString(clock.millis(), 36);
    }

    public synchronized Event publish(String type, String subject, Object data) {
        var event = new Event(epoch + "-" + (++sequence), clock.instant(), type, subject, data);
        if (retained.size() == RETAINED) {
            retained.removeFirst();
        }
        retained.addLast(event);
        // A copy, because a listener whose queue is full may close its own subscription.
        List.copyOf(listeners).forEach(listening -> listening.deliver(event));
        return event;
    }

    /**
     * Starts delivery of everything after {@code lastSeen}: the missed events are in the resumption, the later ones go to
     * the listener, with no gap and no overlap. The listener may be called before this method returns, so it queues, and the
     * subscriber sends the missed events before it drains the queue.
     *
     * @param lastSeen the id of the last event the client saw, or null for "from now on"
     */
    public synchronized Subscription subscribe(@Nullable String lastSeen, Consumer<Event> listener) {
        var listening = new Listening(resume(lastSeen), listener);
        listeners.add(listening);
        return listening;
    }

    /** The newest events, oldest first. */
    public synchronized List<Event> recent(int limit) {
        var all = new ArrayList<>(retained);
        return List.copyOf(all.subList(all.size() - Math.clamp(limit, 0, all.size()), all.size()));
    }

    private Resumption resume(@Nullable String lastSeen) {
        if (lastSeen == null) {
            return new Resumption(true, List.of());
        }
        long seen = sequenceOf(lastSeen);
        long oldest = sequence - retained.size() + 1;
        if (seen < 0 || seen > sequence || seen + 1 < oldest) {
            return new Resumption(false, List.of());
        }
        var missed = new ArrayList<>(retained);
        return new Resumption(true, List.copyOf(missed.subList((int) (seen + 1 - oldest), missed.size())));
    }

    private long sequenceOf(String id) {
        String prefix = epoch + "-";
        if (!id.startsWith(prefix)) {
            return -1;
        }
        try {
            return Long.parseLong(id.substring(prefix.length()));
        } catch (NumberFormatException notOurs) {
            return -1;
        }
    }

    /** Its identity is the subscription: one listener may be subscribed twice, and closing one leaves the other. */
    private final class Listening implements Subscription {
        private final Resumption resumption;
        private final Consumer<Event> listener;

        Listening(Resumption resumption, Consumer<Event> listener) {
            this.resumption = resumption;
            this.listener = listener;
        }

        void deliver(Event event) {
            try {
                listener.accept(event);
            } catch (RuntimeException broken) {
                log.error("A listener failed at {} {}", event.type(), event.subject(), broken);
            }
        }

        @Override
        public Resumption resumption() {
            return resumption;
        }

        @Override
        public void close() {
            synchronized (EventBus.this) {
                listeners.remove(this);
            }
        }
    }
}
