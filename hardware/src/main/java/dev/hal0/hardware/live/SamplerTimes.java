package dev.hal0.hardware.live;

import java.time.Duration;

/**
 * How often and how patiently the sampler reads. Immutable.
 *
 * @param watched period while somebody looks; also how long the first one who looks waits for a current sample, and how
 *     long a read may take before its part counts as overdue
 * @param unwatched period while nobody does, at least {@code watched}
 * @param attention how long after {@link LiveSampler#latest()} somebody counts as looking
 * @param patience how long a sample waits for its slowest part; shorter than {@code watched}
 * @param shelfLife how long the last value of a part that gives no new ones is shown; longer than {@code unwatched}
 */
public record SamplerTimes(
        Duration watched, Duration unwatched, Duration attention, Duration patience, Duration shelfLife) {
    public static final SamplerTimes DEFAULT = new SamplerTimes(
            Duration.ofMillis(2500),
            Duration.ofSeconds(15),
            Duration.ofSeconds(30),
            Duration.ofSeconds(1),
            Duration.ofSeconds(60));

    public SamplerTimes {
        boolean sensible = patience.isPositive()
                && patience.compareTo(watched) < 0
                && watched.compareTo(unwatched) <= 0
                && unwatched.compareTo(shelfLife) < 0
                && attention.isPositive();
        if (!sensible) {
            throw new IllegalArgumentException("needs 0 < patience < watched <= unwatched < shelf life, attention > 0");
        }
    }
}
