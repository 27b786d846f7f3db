package dev.hal0.slots;

import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Random lives of two slots. {@code -Dhal0.steps=5000000} makes it longer, {@code -Dhal0.seed=N} repeats one run: the seed of
 * a failure is in its message.
 */
class SchedulerPropertyTest {
    private static final int STEPS_PER_LIFE = 400;

    @Test
    void anySequenceOfEvents_keepsEveryInvariant() {
        long steps = Long.getLong("hal0.steps", 200_000);
        Long repeated = Long.getLong("hal0.seed");
        var seeds = new Random();
        for (long done = 0; done < steps; done += STEPS_PER_LIFE) {
            long seed = repeated == null ? seeds.nextLong() : repeated;
            live(seed);
            if (repeated != null) {
                return;
            }
        }
    }

    private static void live(long seed) {
        var world = new SchedulerWorld(seed);
        try {
            for (int step = 0; step < STEPS_PER_LIFE; step++) {
                world.step();
            }
            world.quiesce();
        } catch (RuntimeException | AssertionError broken) {
            throw new AssertionError(
                    "-Dhal0.seed=" + seed + ": " + broken + "\n" + String.join("\n", world.lastEvents()), broken);
        }
    }
}
