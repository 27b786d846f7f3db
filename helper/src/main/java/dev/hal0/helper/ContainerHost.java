package dev.hal0.helper;

import dev.hal0.kernel.SlotName;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Everything that needs root, and nothing else. The control plane calls it through {@link HelperClient}; the helper itself
 * implements it with systemctl and podman. Calls block and have deadlines; all of them may throw {@code runtime.unavailable},
 * {@code runtime.stuck} and {@code runtime.plan_refused}. Thread-safe.
 */
public interface ContainerHost {
    HostFacts facts();

    /**
     * Starts the plan's container and returns once it exists. A leftover of an earlier launch of this slot is removed first.
     *
     * @param key content of the key file; never in the unit, never in a command line
     * @return the unit's InvocationID
     * @throws dev.hal0.kernel.Hal0Exception {@code slot.…} saying why; nothing of the slot runs then
     */
    String launch(ContainerPlan plan, String key);

    /** The command that a launch of this plan would run. */
    List<String> preview(ContainerPlan plan);

    ContainerStatus status(SlotName slot);

    /** In which ways what runs differs from the plan; empty also when nothing runs. */
    List<Difference> differences(ContainerPlan plan);

    /**
     * Ends one life of a slot's unit, together with systemd's wish to restart it. Another life that runs by now is left alone.
     *
     * @param grace between the polite signal and the final one
     * @throws dev.hal0.kernel.Hal0Exception {@code slot.terminate_timeout}
     */
    void stop(SlotName slot, String invocation, Duration grace);

    /** Lets systemd forget that it gave up on the unit. */
    void resetFailed(SlotName slot);

    void unmask(SlotName slot);

    /** Removes the unit and the key of a slot that does not run. */
    void remove(SlotName slot);

    /** The id of an image; empty when it is not there. */
    Optional<String> image(String reference);

    /** References of the images that plans may use. */
    List<String> images();

    /**
     * Fetches an image from its registry. An interrupt ends it.
     *
     * @param progress gets podman's own words
     */
    void pull(String reference, Consumer<String> progress);
}
