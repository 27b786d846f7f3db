package dev.hal0.slots;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Who is next: a bounded line with one lane for each {@link Priority}, and in each lane one line for each caller.
 *
 * <ul>
 *   <li>Callers of a lane take turns, so that one with fifty requests waiting does not stand in front of one with a single
 *       request. Each caller's own requests keep their order.
 *   <li>Who watches comes before batch work. Batch work ages with every turn that others get before it: after
 *       {@link #MOST_OVERTAKEN} of them in a row it gets one itself. Turns are counted and not seconds, so that the share is
 *       the same on a slow engine and on a fast one.
 *   <li>A full line makes room for a newcomer at the expense of whoever holds most of it: batch work for somebody who
 *       watches, else the newest request of a caller who would still have at least as many places as the newcomer's.
 * </ul>
 *
 * <p>Not thread-safe.
 */
final class WaitingLine<T> {
    /** One turn in this many plus one is batch work's, however many watch. */
    static final int MOST_OVERTAKEN = 8;

    private record Place<T>(T who, Claim claim) {}

    /** Callers in the order of their next turns. */
    private static final class Lane<T> {
        private final LinkedHashMap<String, ArrayDeque<Place<T>>> callers = new LinkedHashMap<>();

        boolean isEmpty() {
            return callers.isEmpty();
        }

        void add(Place<T> place) {
            callers.computeIfAbsent(place.claim().caller(), caller -> new ArrayDeque<>())
                    .addLast(place);
        }

        Place<T> next() {
            Map.Entry<String, ArrayDeque<Place<T>>> turn = callers.pollFirstEntry();
            Place<T> next = turn.getValue().removeFirst();
            if (!turn.getValue().isEmpty()) {
                callers.putLast(turn.getKey(), turn.getValue());
            }
            return next;
        }

        int held(String caller) {
            ArrayDeque<Place<T>> places = callers.get(caller);
            return places == null ? 0 : places.size();
        }

        String largest() {
            String largest = "";
            int most = 0;
            for (Map.Entry<String, ArrayDeque<Place<T>>> caller : callers.entrySet()) {
                if (caller.getValue().size() > most) {
                    largest = caller.getKey();
                    most = caller.getValue().size();
                }
            }
            return largest;
        }

        T removeNewest(String caller) {
            ArrayDeque<Place<T>> places = callers.get(caller);
            if (places == null) {
                throw new IllegalStateException("nobody to remove");
            }
            T newest = places.removeLast().who();
            if (places.isEmpty()) {
                callers.remove(caller);
            }
            return newest;
        }

        boolean remove(T who, String caller) {
            ArrayDeque<Place<T>> places = callers.get(caller);
            if (places == null || !places.removeIf(place -> place.who() == who)) {
                return false;
            }
            if (places.isEmpty()) {
                callers.remove(caller);
            }
            return true;
        }

        Lane<T> copy() {
            var copy = new Lane<T>();
            callers.forEach((caller, places) -> copy.callers.put(caller, new ArrayDeque<>(places)));
            return copy;
        }
    }

    private final int capacity;
    private final Lane<T> interactive;
    private final Lane<T> batch;
    private int size;
    private int overtaken;

    WaitingLine(int capacity) {
        this(capacity, new Lane<>(), new Lane<>());
    }

    private WaitingLine(int capacity, Lane<T> interactive, Lane<T> batch) {
        this.capacity = capacity;
        this.interactive = interactive;
        this.batch = batch;
    }

    boolean isEmpty() {
        return size == 0;
    }

    int size() {
        return size;
    }

    /** How many places a caller holds. */
    int held(String caller) {
        return interactive.held(caller) + batch.held(caller);
    }

    /**
     * Gives up a place for the newcomer if the line is full.
     *
     * @return who lost it; empty when there is room already, or nobody holds more than the newcomer's fair share
     */
    Optional<T> makeRoom(Claim newcomer) {
        if (size < capacity) {
            return Optional.empty();
        }
        if (newcomer.priority() == Priority.INTERACTIVE && !batch.isEmpty()) {
            size--;
            return Optional.of(batch.removeNewest(batch.largest()));
        }
        Lane<T> lane = lane(newcomer.priority());
        String largest = lane.largest();
        if (lane.held(largest) <= lane.held(newcomer.caller()) + 1) {
            return Optional.empty();
        }
        size--;
        return Optional.of(lane.removeNewest(largest));
    }

    /** @return false when the line is full */
    boolean add(T who, Claim claim) {
        if (size >= capacity) {
            return false;
        }
        lane(claim.priority()).add(new Place<>(who, claim));
        size++;
        return true;
    }

    /** Takes out whoever is next; the line must not be empty. */
    T next() {
        boolean aged = interactive.isEmpty() || overtaken >= MOST_OVERTAKEN;
        boolean batchsTurn = !batch.isEmpty() && aged;
        overtaken = batchsTurn || batch.isEmpty() ? 0 : overtaken + 1;
        size--;
        return (batchsTurn ? batch : interactive).next().who();
    }

    /** @return false if it is not in the line */
    boolean remove(T who, Claim claim) {
        boolean removed = lane(claim.priority()).remove(who, claim.caller());
        if (removed) {
            size--;
        }
        return removed;
    }

    /** Everybody in the order of their turns, if nobody came or left. */
    List<T> inOrder() {
        var copy = new WaitingLine<>(capacity, interactive.copy(), batch.copy());
        copy.size = size;
        copy.overtaken = overtaken;
        var order = new ArrayList<T>(size);
        while (!copy.isEmpty()) {
            order.add(copy.next());
        }
        return order;
    }

    private Lane<T> lane(Priority priority) {
        return priority == Priority.INTERACTIVE ? interactive : batch;
    }
}
