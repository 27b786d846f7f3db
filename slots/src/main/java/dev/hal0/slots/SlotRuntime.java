package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Starts, finds, watches and stops workloads. Two implementations pass one test suite: containers under systemd, and plain
 * processes. Calls block and belong on virtual threads; every one has a deadline.
 */
public interface SlotRuntime {
    /** {@code process} or {@code podman}. */
    String kind();

    /**
     * Makes sure that the plan's program can be started: already there, or fetched now.
     *
     * @param progress gets a sentence now and then while something is fetched
     * @throws dev.hal0.kernel.Hal0Exception {@code engine.…} saying what to do
     */
    void prepare(LaunchPlan plan, Consumer<String> progress);

    /** Whether {@link #prepare} would have to fetch something. */
    boolean isPrepared(LaunchPlan plan);

    /** The exact command a launch of this plan would run; for display and for the drift report. */
    List<String> commandLine(LaunchPlan plan);

    /**
     * How the system's own description of the slot's live workload differs from what this plan would start now: an image
     * behind the same name, devices, groups, address. Empty where nothing runs, or the system describes nothing.
     */
    default List<LaunchDrift.Difference> differences(LaunchPlan plan) {
        return List.of();
    }

    /**
     * Starts the workload and returns as soon as it exists. The caller has written {@code nonce} to disk before.
     *
     * @param key content of the plan's key file
     * @throws dev.hal0.kernel.Hal0Exception {@code slot.spawn_failed} or {@code slot.port_conflict}; nothing runs then
     */
    Workload launch(LaunchPlan plan, String nonce, String key);

    /** The live workload of that launch, whoever started it; empty when there is none. */
    Optional<Workload> find(SlotName slot, String nonce);

    /**
     * Calls {@code listener} once, on any thread, when the workload is gone.
     *
     * @return stops watching; idempotent
     */
    AutoCloseable watch(Workload workload, Consumer<Exit> listener);

    /**
     * Stops the workload and returns when it is gone; succeeds when it already was.
     *
     * @param proof that nobody is inside this incarnation: the only way to get one is {@link Gate}
     * @param grace between the polite signal and the final one
     * @throws dev.hal0.kernel.Hal0Exception {@code slot.terminate_timeout} when it survives both
     */
    void stop(Workload workload, ClosedGate proof, Duration grace);

    /** The workload's memory in bytes as the system accounts it; empty where that cannot be read. */
    java.util.OptionalLong memoryBytes(Workload workload);

    SlotLog log(SlotName slot);

    /** Removes what is kept for a slot that was deleted: its log, its launch files. */
    void forget(SlotName slot);
}
