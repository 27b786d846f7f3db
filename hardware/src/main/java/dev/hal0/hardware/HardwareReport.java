package dev.hal0.hardware;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What one probe found. Holds no value that changes while the machine runs, except GTT totals, whose live value wins:
 * a stored uptime or free-memory figure would be shown as live one day. Immutable and thread-safe; null means unknown.
 *
 * @param schemaVersion {@link #SCHEMA_VERSION} of the writer
 * @param bootId changes with every boot and, in a container, with every start of the container
 * @param kernel {@code Linux version 6.16.1}
 * @param gpus of all vendors, in slot order, usable or not
 * @param kfd what opening {@code /dev/kfd}, which ROCm needs, gave
 * @param platform {@code wsl2}, {@code lxc}, {@code container}, {@code proxmox-kvm}, {@code kvm}, {@code strix-halo},
 *     {@code bare-metal-nvidia-gpu}, {@code bare-metal-amd-gpu}, {@code bare-metal-intel-gpu},
 *     {@code bare-metal-cpu-only} or {@code unknown}; for display, decide by {@code runtime} and {@code accelerator}
 * @param proxmoxLikely whether Proxmox seems to run this guest, or this machine
 * @param diskFreeMb where hal0 keeps its state, at the time of the probe
 */
public record HardwareReport(
        int schemaVersion,
        Instant probedAt,
        @Nullable String bootId,
        @Nullable String kernel,
        @Nullable String hostname,
        @Nullable String distro,
        Cpu cpu,
        Memory memory,
        List<Gpu> gpus,
        Npu npu,
        NodeAccess kfd,
        @Nullable HostRuntime runtime,
        Accelerator accelerator,
        String platform,
        @Nullable Boolean proxmoxLikely,
        @Nullable Long diskFreeMb,
        List<Explanation> explanations) {
    /** Raised when a reader of the previous form would misunderstand a file. */
    public static final int SCHEMA_VERSION = 1;

    public HardwareReport {
        Objects.requireNonNull(probedAt);
        Objects.requireNonNull(cpu);
        Objects.requireNonNull(memory);
        gpus = List.copyOf(gpus);
        Objects.requireNonNull(npu);
        Objects.requireNonNull(kfd);
        Objects.requireNonNull(accelerator);
        platform = platform.equals("bare-metal-intel-igpu") ? "bare-metal-intel-gpu" : platform;
        explanations = List.copyOf(explanations);
    }

    /** The usable GPU that {@link #accelerator()} speaks of; empty when models run on the CPU. */
    public Optional<Gpu> primaryGpu() {
        return PlatformRules.primaryGpu(gpus, cpu);
    }
}
