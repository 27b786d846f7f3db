package dev.hal0.hardware;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds out what a machine is. A step that fails makes its values unknown and nothing else. Takes up to half a minute
 * where every tool hangs, a fraction of a second as a rule: run it on demand, not in a poll. Immutable and thread-safe.
 */
public final class Probe {
    /** Tools that talk to hardware hang when the hardware does. */
    static final Duration DEADLINE = Duration.ofSeconds(4);

    private final Clock clock;
    private final Path stateFolder;

    /** @param stateFolder where models and state are kept; its file system's free space is reported */
    public Probe(Clock clock, Path stateFolder) {
        this.clock = clock;
        this.stateFolder = stateFolder;
    }

    /**
     * @throws dev.hal0.kernel.Hal0Exception {@code operation.cancelled} when the thread is interrupted, and for no other
     *     reason
     */
    public HardwareReport run(Host host) {
        var evidence = new Evidence();
        var unknown = new RuntimeProbe(null, false, null);
        RuntimeProbe runtime = evidence.step("runtime", unknown, () -> RuntimeProbe.run(host, evidence));
        Cpu cpu = evidence.step("cpu", Cpu.UNKNOWN, () -> CpuProbe.run(host, evidence));
        Memory memory =
                evidence.step("memory", Memory.UNKNOWN, () -> MemoryProbe.run(host, runtime.runtime(), evidence));
        NodeAccess kfd = evidence.step("kfd", NodeAccess.FAILED, () -> host.open("/dev/kfd"));
        evidence.note("kfd", kfd, "opening /dev/kfd");
        List<Gpu> gpus = evidence.step("gpus", List.of(), () -> GpuProbe.run(host, kfd, evidence));
        Npu npu = evidence.step("npu", Npu.NONE, () -> NpuProbe.run(host, evidence));
        return new HardwareReport(
                HardwareReport.SCHEMA_VERSION,
                clock.instant().truncatedTo(ChronoUnit.SECONDS),
                evidence.note(
                        "boot_id", BootIdentity.bootId(host, runtime.runtime()), "/proc/sys/kernel/random/boot_id"),
                evidence.note("kernel", BootIdentity.kernel(host), "/proc/version"),
                evidence.note(
                        "hostname", host.line("/proc/sys/kernel/hostname").orElse(null), "/proc/sys/kernel/hostname"),
                evidence.note("distro", distro(host), "/etc/os-release PRETTY_NAME"),
                cpu,
                memory,
                gpus,
                npu,
                kfd,
                runtime.runtime(),
                PlatformRules.accelerator(gpus, cpu, evidence),
                PlatformRules.platform(runtime, gpus, cpu, evidence),
                runtime.proxmoxLikely(),
                evidence.note(
                        "disk_free_mb",
                        Parsing.mebibytes(host.freeBytes(stateFolder.toString())),
                        "the file system of " + stateFolder),
                evidence.explanations());
    }

    private static @Nullable String distro(Host host) {
        return host.read("/etc/os-release")
                .or(() -> host.read("/usr/lib/os-release"))
                .map(text -> Parsing.assignments(text).get("PRETTY_NAME"))
                .orElse(null);
    }
}
