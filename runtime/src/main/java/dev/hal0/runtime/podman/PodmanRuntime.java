package dev.hal0.runtime.podman;

import dev.hal0.helper.ContainerHost;
import dev.hal0.helper.ContainerPlan;
import dev.hal0.helper.ContainerStatus;
import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.ClosedGate;
import dev.hal0.slots.ContainerFacts;
import dev.hal0.slots.Exit;
import dev.hal0.slots.Incarnation;
import dev.hal0.slots.LaunchDrift;
import dev.hal0.slots.LaunchPlan;
import dev.hal0.slots.SlotLog;
import dev.hal0.slots.SlotRuntime;
import dev.hal0.slots.Workload;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Workloads as containers under systemd. An incarnation is a unit's InvocationID; the launch it came from is a label of the
 * container, so that a workload is known by what runs and never by what is written about it. While the control plane lives it
 * is the only one that restarts: when a life ends, systemd's own wish to try again is taken back before anybody hears of it.
 */
public final class PodmanRuntime implements SlotRuntime {
    private static final String LAUNCH_LABEL = "hal0.launch";
    private static final Duration SETTLE = Duration.ofSeconds(3);
    private static final long POLL_MILLIS = 100;

    private final ContainerHost host;
    private final ToolboxImages images;
    private final DurableFiles files;
    private final Function<SlotName, SlotLog> logs;
    private final CgroupMemory memory;
    private final ContainerWatch watch;
    private final Map<Incarnation, String> cgroups = new ConcurrentHashMap<>();

    public PodmanRuntime(ContainerHost host, ToolboxImages images, DurableFiles files) {
        this(
                host,
                images,
                files,
                slot -> new JournalSlotLog(slot, JournalSlotLog.JOURNALCTL),
                new CgroupMemory(Path.of("/sys/fs/cgroup")),
                LiveProcesses.of(Path.of("/proc")));
    }

    PodmanRuntime(
            ContainerHost host,
            ToolboxImages images,
            DurableFiles files,
            Function<SlotName, SlotLog> logs,
            CgroupMemory memory,
            LiveProcesses processes) {
        this.host = host;
        this.images = images;
        this.files = files;
        this.logs = logs;
        this.memory = memory;
        this.watch = new ContainerWatch(host, processes, logs);
    }

    @Override
    public String kind() {
        return "podman";
    }

    @Override
    public boolean isPrepared(LaunchPlan plan) {
        return host.image(reference(plan)).isPresent();
    }

    @Override
    public void prepare(LaunchPlan plan, Consumer<String> progress) {
        String reference = reference(plan);
        if (host.image(reference).isPresent()) {
            return;
        }
        if (ToolboxImages.isLocal(reference)) {
            throw new Hal0Exception(
                            ErrorCode.SLOT_IMAGE_MISSING,
                            "The image " + reference + " is not on this machine, and no registry has it.")
                    .withDetail("image", reference);
        }
        progress.accept("fetching " + reference);
        host.pull(reference, progress);
    }

    @Override
    public List<String> commandLine(LaunchPlan plan) {
        return host.preview(containerPlan(plan, plan.hash()));
    }

    @Override
    public Workload launch(LaunchPlan plan, String nonce, String key) {
        // The control plane's own copy: the next one reads it to talk to the engine.
        files.write(plan.keyFile(), (key + "\n").getBytes(StandardCharsets.UTF_8), DurableFiles.PRIVATE);
        String invocation = host.launch(containerPlan(plan, nonce), key);
        return new Workload(plan.slot(), nonce, new Incarnation(invocation));
    }

    @Override
    public Optional<Workload> find(SlotName slot, String nonce) {
        long end = System.nanoTime() + SETTLE.toNanos();
        var never = new CountDownLatch(1);
        ContainerStatus status = host.status(slot);
        try {
            // Started by a control plane that died meanwhile: whose it is shows in a moment.
            while (status.isStarting() && System.nanoTime() < end && !never.await(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                status = host.status(slot);
            }
        } catch (InterruptedException closing) {
            Thread.currentThread().interrupt();
        }
        ContainerStatus.Container container = status.container();
        boolean ours = status.isLive()
                && container != null
                && nonce.equals(container.labels().get(LAUNCH_LABEL));
        return ours ? Optional.of(new Workload(slot, nonce, new Incarnation(status.invocation()))) : Optional.empty();
    }

    @Override
    public List<LaunchDrift.Difference> differences(LaunchPlan plan) {
        return host.differences(containerPlan(plan, plan.hash())).stream()
                .map(seen -> new LaunchDrift.Difference(
                        "container " + seen.kind().label(), seen.running(), seen.planned(), null))
                .toList();
    }

    @Override
    public AutoCloseable watch(Workload workload, Consumer<Exit> listener) {
        return watch.begin(workload, container -> cgroups.put(workload.incarnation(), container.cgroup()), exit -> {
            cgroups.remove(workload.incarnation());
            listener.accept(exit);
        });
    }

    @Override
    public void stop(Workload workload, ClosedGate proof, Duration grace) {
        if (!proof.incarnation().equals(workload.incarnation())) {
            throw new IllegalArgumentException(
                    "the proof is for " + proof.incarnation() + ", not for " + workload.incarnation());
        }
        host.stop(workload.slot(), workload.incarnation().value(), grace);
        cgroups.remove(workload.incarnation());
    }

    @Override
    public OptionalLong memoryBytes(Workload workload) {
        // Known since the watch began: whoever lists slots must not wait for podman.
        String cgroup = cgroups.get(workload.incarnation());
        return cgroup == null ? OptionalLong.empty() : memory.usedBytes(cgroup);
    }

    @Override
    public SlotLog log(SlotName slot) {
        return logs.apply(slot);
    }

    @Override
    public void forget(SlotName slot) {
        host.remove(slot);
    }

    private String reference(LaunchPlan plan) {
        return images.reference(facts(plan).image());
    }

    private static ContainerFacts facts(LaunchPlan plan) {
        return plan.container()
                .orElseThrow(() -> new Hal0Exception(
                        ErrorCode.RUNTIME_UNAVAILABLE, "The engine " + plan.engine() + " runs in no container."));
    }

    private ContainerPlan containerPlan(LaunchPlan plan, String launch) {
        ContainerFacts facts = facts(plan);
        return new ContainerPlan(
                plan.slot(),
                launch,
                plan.hash(),
                plan.modelId(),
                reference(plan),
                plan.program(),
                listeningEverywhere(plan.arguments(), facts.addressFlag()),
                plan.environment(),
                plan.port(),
                plan.readablePaths().stream().map(Path::toString).toList(),
                plan.keyFile().toString(),
                facts.devices(),
                facts.readOnlyRoot(),
                facts.outbound(),
                facts.pidsLimit(),
                facts.memoryLimitBytes());
    }

    /** Inside the container's own network loopback is nobody; outside, its port is published on loopback only. */
    private static List<String> listeningEverywhere(List<String> arguments, String addressFlag) {
        var inside = new ArrayList<>(arguments);
        int flag = inside.indexOf(addressFlag);
        if (flag >= 0 && flag + 1 < inside.size()) {
            inside.set(flag + 1, "0.0.0.0");
        }
        return inside;
    }
}
