package dev.hal0.kernel;

import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Publishes events to subscribers and keeps the newest {@link #RETAINED} so that a client that lost its connection resumes
 * without a gap. When the gap is too old, or from an earlier life of the control plane, the subscriber is told so and reads
 * the state anew: it is never left believing in a complete history.
 *
 * <p>Thread-safe. Listeners run on the publisher's thread, in order, under the bus's lock: they must only hand the event
 * over (a queue, an event loop) and never block or publish.
 */
public final class EventBus {
    /** Enough for minutes of a busy box; about 1 MB. */
    static final int RETAINED = 2048;

    /** What a new subscriber gets at once. */
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
    private final List<Consumer<Event>> listeners = new CopyOnWriteArrayList<>();
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
        listeners.forEach(listener -> listener.accept(event));
        return event;
    }

    /**
     * Starts delivery of everything after {@code lastSeen}.
     *
     * @param lastSeen the id of the last event the client saw, or null for "from now on"
     */
    public synchronized Subscription subscribe(@Nullable String lastSeen, Consumer<Event> listener) {
        Resumption resumption = resume(lastSeen);
        listeners.add(listener);
        return new Subscription() {
            @Override
            public Resumption resumption() {
                return resumption;
            }

            @Override
            public void close() {
                listeners.remove(listener);
            }
        };
    }

    /** The newest events, oldest first. */
    public synchronized List<Event> recent(int limit) {
        var all = new ArrayList<>(retained);
        return List.copyOf(all.subList(Math.max(0, all.size() - limit), all.size()));
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
}
