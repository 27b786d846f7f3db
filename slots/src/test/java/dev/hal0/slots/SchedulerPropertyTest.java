package dev.hal0.slots;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Random lives of slots that share memory, a GPU that changes hands and an NPU. {@code -Dhal0.steps=5000000} makes it longer, {@code -Dhal0.seed=N} repeats one run: the seed of
 * a failure is in its message.
 */
class SchedulerPropertyTest {
    private static final int STEPS_PER_LIFE = 400;

    @Test
    void anySequenceOfEvents_keepsEveryInvariant() {
        long steps = Long.getLong("hal0.steps", 200_000);
        Long repeated = Long.getLong("hal0.seed");
        var seeds = new Random();
        var happened = new TreeMap<String, Integer>();
        for (long done = 0; done < steps; done += STEPS_PER_LIFE) {
            long seed = repeated == null ? seeds.nextLong() : repeated;
            live(seed).forEach((what, times) -> happened.merge(what, times, Integer::sum));
            if (repeated != null) {
                return;
            }
        }
        // A world in which these never happen proves nothing about them.
        assertThat(happened)
                .containsKeys(
                        "Start",
                        "TryClose",
                        "Drain",
                        "Revoke",
                        "Abandon",
                        "Reload",
                        "mode entering",
                        "mode image",
                        "mode leaving",
                        "mode restoring",
                        "slot.busy",
                        "slot.capacity_insufficient");
        System.out.println(steps + " steps: " + happened);
    }

    private static Map<String, Integer> live(long seed) {
        var world = new SchedulerWorld(seed);
        try {
            for (int step = 0; step < STEPS_PER_LIFE; step++) {
                world.step();
            }
            world.quiesce();
            return world.happened();
        } catch (RuntimeException | AssertionError broken) {
            throw new AssertionError(
                    "-Dhal0.seed=" + seed + ": " + broken + "\n" + String.join("\n", world.lastEvents()), broken);
        }
    }
}
