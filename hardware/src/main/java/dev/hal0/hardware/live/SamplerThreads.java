package dev.hal0.hardware.live;

import java.time.Duration;

/** The seam to time and threads: one thread that owns the sampler's state, and others that may get stuck reading. */
interface SamplerThreads extends AutoCloseable {
    /** A ticker that nobody sets. Thread-safe, never waits. */
    long nanos();

    /** Runs on the sampler's thread at once and then with this pause in between. */
    void every(Duration pause, Runnable task);

    /** Runs on the sampler's thread; dropped after {@link #close}. Any thread may call it. */
    void after(Duration delay, Runnable task);

    /** Runs apart, so that it delays nothing when it never returns; dropped after {@link #close}. */
    void read(String part, Runnable task);

    /** Ends all threads but those that are stuck in the kernel, which do not keep the process alive. Idempotent. */
    @Override
    void close();
}
