package dev.hal0.hardware.live;

import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Platform threads, all daemons: a file of a wedged driver holds its reader in the kernel, and a virtual thread would take
 * its carrier along, of which a small machine has two.
 */
final class RealThreads implements SamplerThreads {
    private static final Logger log = LoggerFactory.getLogger(RealThreads.class);

    /** Longer than the pause between two samples that somebody looks at, shorter than the other. */
    private static final Duration IDLE = Duration.ofSeconds(5);

    /** Killing nvidia-smi and collecting its output takes a moment; what takes longer is stuck. */
    private static final Duration FAREWELL = Duration.ofSeconds(1);

    private final ScheduledThreadPoolExecutor sampler = new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("live-sampler").factory());

    private final ExecutorService readers = new ThreadPoolExecutor(
            0,
            Integer.MAX_VALUE,
            IDLE.toMillis(),
            TimeUnit.MILLISECONDS,
            new SynchronousQueue<>(),
            Thread.ofPlatform().daemon().name("live-reader-", 0).factory());

    private volatile boolean closed;

    @Override
    public long nanos() {
        return System.nanoTime();
    }

    @Override
    public void every(Duration pause, Runnable task) {
        sampler.scheduleWithFixedDelay(() -> guarded(task), 0, pause.toNanos(), TimeUnit.NANOSECONDS);
    }

    @Override
    public void after(Duration delay, Runnable task) {
        try {
            sampler.schedule(() -> guarded(task), delay.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException refused) {
            expected(refused);
        }
    }

    @Override
    public void read(String part, Runnable task) {
        try {
            readers.execute(task);
        } catch (RejectedExecutionException refused) {
            expected(refused);
        }
    }

    @Override
    public void close() {
        closed = true;
        sampler.shutdownNow();
        readers.shutdownNow();
        long end = nanos() + FAREWELL.toNanos();
        try {
            boolean ended = readers.awaitTermination(end - nanos(), TimeUnit.NANOSECONDS);
            if (!ended) {
                log.warn("A read of the live statistics hangs in the kernel; its thread stays");
            }
            sampler.awaitTermination(end - nanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }

    /** What escapes from a repeated task would end the repetition without a word. */
    private static void guarded(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error failure) {
            log.error("The live sampler failed", failure);
        }
    }

    private void expected(RejectedExecutionException refused) {
        if (!closed) {
            throw refused;
        }
    }
}
