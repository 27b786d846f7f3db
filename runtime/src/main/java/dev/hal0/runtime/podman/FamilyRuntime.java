package dev.hal0.runtime.podman;

import dev.hal0.kernel.SlotName;
import dev.hal0.slots.ClosedGate;
import dev.hal0.slots.Exit;
import dev.hal0.slots.LaunchDrift;
import dev.hal0.slots.LaunchPlan;
import dev.hal0.slots.SlotLog;
import dev.hal0.slots.SlotRuntime;
import dev.hal0.slots.Workload;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * The appliance's runtime: containers for every family that has an image, processes for those that never have one, such as
 * hal0's own small engine. Which it is stands in the plan; one never takes the other's place.
 */
public final class FamilyRuntime implements SlotRuntime {
    /** systemd's; a process has a boot id and colons. */
    private static final Pattern INVOCATION = Pattern.compile("[0-9a-f]{32}");

    private final SlotRuntime containers;
    private final SlotRuntime processes;
    private final Map<SlotName, SlotRuntime> lastUsed = new ConcurrentHashMap<>();

    public FamilyRuntime(SlotRuntime containers, SlotRuntime processes) {
        this.containers = containers;
        this.processes = processes;
    }

    @Override
    public String kind() {
        return containers.kind();
    }

    private SlotRuntime of(LaunchPlan plan) {
        return plan.container().isPresent() ? containers : processes;
    }

    private SlotRuntime of(Workload workload) {
        return INVOCATION.matcher(workload.incarnation().value()).matches() ? containers : processes;
    }

    @Override
    public void prepare(LaunchPlan plan, Consumer<String> progress) {
        of(plan).prepare(plan, progress);
    }

    @Override
    public boolean isPrepared(LaunchPlan plan) {
        return of(plan).isPrepared(plan);
    }

    @Override
    public List<String> commandLine(LaunchPlan plan) {
        return of(plan).commandLine(plan);
    }

    @Override
    public List<LaunchDrift.Difference> differences(LaunchPlan plan) {
        return of(plan).differences(plan);
    }

    @Override
    public Workload launch(LaunchPlan plan, String nonce, String key) {
        SlotRuntime runtime = of(plan);
        lastUsed.put(plan.slot(), runtime);
        return runtime.launch(plan, nonce, key);
    }

    @Override
    public Optional<Workload> find(SlotName slot, String nonce) {
        Optional<Workload> process = processes.find(slot, nonce);
        Optional<Workload> found = process.isPresent() ? process : containers.find(slot, nonce);
        found.ifPresent(workload -> lastUsed.put(slot, of(workload)));
        return found;
    }

    @Override
    public AutoCloseable watch(Workload workload, Consumer<Exit> listener) {
        return of(workload).watch(workload, listener);
    }

    @Override
    public void stop(Workload workload, ClosedGate proof, Duration grace) {
        of(workload).stop(workload, proof, grace);
    }

    @Override
    public OptionalLong memoryBytes(Workload workload) {
        return of(workload).memoryBytes(workload);
    }

    /** Of a slot that has not run in this life of the control plane: a process leaves a file, a container does not. */
    @Override
    public SlotLog log(SlotName slot) {
        SlotRuntime known = lastUsed.get(slot);
        if (known != null) {
            return known.log(slot);
        }
        SlotLog file = processes.log(slot);
        return file.tail(1).isEmpty() ? containers.log(slot) : file;
    }

    @Override
    public void forget(SlotName slot) {
        lastUsed.remove(slot);
        processes.forget(slot);
        containers.forget(slot);
    }
}
