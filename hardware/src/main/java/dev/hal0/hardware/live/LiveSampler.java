package dev.hal0.hardware.live;

import dev.hal0.hardware.HardwareReport;
import dev.hal0.hardware.Host;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one reader of the machine's live values. It reads often while somebody takes samples and seldom otherwise; taking one
 * reads nothing and never waits, however many do. A part that hangs or fails grows old in the samples and is named there.
 *
 * <p>Thread-safe. One thread owns the schedule; each part is read apart from it, by one thread at a time.
 */
public final class LiveSampler implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LiveSampler.class);

    private final Sources sources;
    private final SamplerTimes times;
    private final InstantSource clock;
    private final SamplerThreads threads;
    private final List<Consumer<LiveSample>> listeners = new CopyOnWriteArrayList<>();

    private volatile LiveSample latest;
    private volatile long lookedNanos;

    // Below: the sampler's thread only.
    private final Set<Part<?>> awaited = new HashSet<>();
    private long round;
    private long roundNanos;
    private boolean collecting;

    private LiveSampler(Sources sources, SamplerTimes times, InstantSource clock, SamplerThreads threads) {
        this.sources = sources;
        this.times = times;
        this.clock = clock;
        this.threads = threads;
        long now = threads.nanos();
        // Nobody has looked yet.
        this.lookedNanos = now - times.attention().toNanos() - 1;
        this.latest = sources.compose(clock.instant(), now, times);
    }

    /**
     * Starts reading at once.
     *
     * @param report which GPUs and NPU there are; for another report start another sampler
     * @param stateFolder whose file system's free space is sampled
     */
    public static LiveSampler start(
            Host host, HardwareReport report, Path stateFolder, SamplerTimes times, InstantSource clock) {
        return start(new Sources(host, host::output, report, stateFolder), times, clock, new RealThreads());
    }

    static LiveSampler start(Sources sources, SamplerTimes times, InstantSource clock, SamplerThreads threads) {
        var sampler = new LiveSampler(sources, times, clock, threads);
        threads.every(times.watched(), sampler::tick);
        return sampler;
    }

    /**
     * The last sample; until the first one is complete, one in which everything is unknown. Counts as looking: within
     * {@link SamplerTimes#watched()} the samples are that frequent again. Wait-free; after {@link #close} the last one.
     */
    public LiveSample latest() {
        lookedNanos = threads.nanos();
        return latest;
    }

    /** The ticker that {@link LiveSample#ageMs} and {@link LivePart#ageMs} count on: nanoseconds since some moment. */
    public long nanos() {
        return threads.nanos();
    }

    /**
     * Hands each new sample to the listener, on the sampler's thread: it must only pass the sample on, for a listener that
     * blocks lets all samples grow old. Listening does not count as looking; who shows samples also calls
     * {@link #latest()}. One that throws is logged and stays.
     *
     * @return ends it; idempotent
     */
    public Runnable listen(Consumer<LiveSample> listener) {
        // Its own object, so that a listener that was added twice is removed once.
        Consumer<LiveSample> own = sample -> listener.accept(sample);
        listeners.add(own);
        return () -> listeners.remove(own);
    }

    /** Ends the threads within seconds and kills a running nvidia-smi. Idempotent; not for listeners to call. */
    @Override
    public void close() {
        threads.close();
    }

    private void tick() {
        long now = threads.nanos();
        boolean watched = now - lookedNanos <= times.attention().toNanos();
        // Half a tick early rather than a whole one late.
        Duration rest = times.unwatched().minus(times.watched().dividedBy(2));
        if (round == 0 || watched || now - roundNanos >= rest.toNanos()) {
            begin(now, watched);
        }
    }

    private void begin(long now, boolean watched) {
        long mine = ++round;
        roundNanos = now;
        collecting = true;
        awaited.clear();
        for (Part<?> part : sources.parts()) {
            if (part.isDue(now)) {
                awaited.add(part);
                read(part, now, watched);
            }
        }
        if (awaited.isEmpty()) {
            publish();
        } else {
            threads.after(times.patience(), () -> {
                if (collecting && round == mine) {
                    publish();
                }
            });
            // The next round may be long after this one; until then its samples would not tell what is overdue.
            threads.after(times.watched(), () -> {
                if (round == mine && !awaited.isEmpty()) {
                    publish();
                }
            });
        }
    }

    private <T> void read(Part<T> part, long now, boolean watched) {
        part.started(now);
        try {
            threads.read(part.name(), () -> {
                Outcome<T> outcome = new Outcome.Failed<>();
                try {
                    outcome = part.reader().read(watched);
                } catch (RuntimeException failure) {
                    // Also how nvidia-smi reports that close() interrupted it.
                    log.debug("Reading {} failed", part.name(), failure);
                } finally {
                    handOver(part, outcome);
                }
            });
        } catch (OutOfMemoryError noThread) {
            // The machine is out of threads; what never started must not count as running for ever.
            log.debug("Reading {} found no thread", part.name(), noThread);
            handOver(part, new Outcome.Failed<>());
        }
    }

    private <T> void handOver(Part<T> part, Outcome<T> outcome) {
        threads.after(Duration.ZERO, () -> arrived(part, outcome));
    }

    private <T> void arrived(Part<T> part, Outcome<T> outcome) {
        part.ended(outcome, threads.nanos());
        awaited.remove(part);
        // What comes after its sample is worth one of its own: the next may be many seconds away.
        if (!collecting || awaited.isEmpty()) {
            publish();
        }
    }

    private void publish() {
        collecting = false;
        LiveSample before = latest;
        LiveSample sample = sources.compose(clock.instant(), threads.nanos(), times);
        latest = sample;
        report(before, sample);
        for (Consumer<LiveSample> listener : listeners) {
            try {
                listener.accept(sample);
            } catch (RuntimeException broken) {
                log.error("A listener of the live samples failed", broken);
            }
        }
    }

    /** Changes only, or a machine without nvidia-smi would fill its log. */
    private void report(LiveSample before, LiveSample sample) {
        for (Part<?> part : sources.parts()) {
            if (part.nowStuck(sample.takenNanos())) {
                log.warn("The live reading of {} hangs; it goes on when its driver or tool answers", part.name());
            }
        }
        var failed = new HashSet<>(sample.in(LivePart.State.FAILED));
        before.in(LivePart.State.FAILED).forEach(failed::remove);
        failed.forEach(part -> log.info("The live reading of {} gives nothing", part));
    }
}
