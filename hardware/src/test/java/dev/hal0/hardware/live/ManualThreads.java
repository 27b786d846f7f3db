package dev.hal0.hardware.live;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;

/** Time and threads that a test moves by hand: reads happen at once, except those of parts that are told to hang. */
final class ManualThreads implements SamplerThreads {
    private record Due(long nanos, long order, Runnable task) {}

    private final PriorityQueue<Due> schedule = new PriorityQueue<>((one, other) -> one.nanos() == other.nanos()
            ? Long.compare(one.order(), other.order())
            : Long.signum(one.nanos() - other.nanos()));
    private final Set<String> hanging = new HashSet<>();
    private final Map<String, Runnable> held = new HashMap<>();
    private final List<String> reads = new ArrayList<>();

    /** Near the end of its range, as a real ticker may be: differences count, not values. */
    private long now = Long.MAX_VALUE - Duration.ofMinutes(1).toNanos();

    private long order;
    private boolean closed;

    /** Runs all that falls due until then, in order. */
    void advance(Duration time) {
        long end = now + time.toNanos();
        for (Due next = schedule.peek(); next != null && next.nanos() - end <= 0; next = schedule.peek()) {
            schedule.remove();
            now = next.nanos();
            next.task().run();
        }
        now = end;
    }

    void settle() {
        advance(Duration.ZERO);
    }

    void hang(String part) {
        hanging.add(part);
    }

    /** Lets the read that hangs return what the machine says now, and those after it. */
    void resume(String part) {
        hanging.remove(part);
        Runnable read = held.remove(part);
        if (read != null) {
            read.run();
        }
        settle();
    }

    /** How often the part was asked, hanging ones included. */
    long reads(String part) {
        return reads.stream().filter(part::equals).count();
    }

    boolean closed() {
        return closed;
    }

    @Override
    public long nanos() {
        return now;
    }

    @Override
    public void every(Duration pause, Runnable task) {
        after(Duration.ZERO, () -> {
            task.run();
            after(pause, () -> every(pause, task));
        });
    }

    @Override
    public void after(Duration delay, Runnable task) {
        schedule.add(new Due(now + delay.toNanos(), order++, task));
    }

    @Override
    public void read(String part, Runnable task) {
        reads.add(part);
        if (hanging.contains(part)) {
            if (held.put(part, task) != null) {
                throw new AssertionError(part + " was asked again while it hangs");
            }
        } else {
            task.run();
        }
    }

    @Override
    public void close() {
        closed = true;
        schedule.clear();
    }
}
