package dev.hal0.hardware;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Names the machine and picks its accelerator. A container's answers must not hide each other, so these are two. */
final class PlatformRules {
    static final String STRIX_HALO_ID = "1002:1586";
    static final String STRIX_HALO_TARGET = "gfx1151";
    private static final String STRIX_HALO_CPU = "ryzen ai max";

    /** A card beats the processor's graphics; among cards the larger memory decides, then the better supported vendor. */
    private static final Comparator<Gpu> PREFERENCE = Comparator.comparing(
                    (Gpu gpu) -> Boolean.TRUE.equals(gpu.isUma()))
            .thenComparing(PlatformRules::knownPool, Comparator.reverseOrder())
            .thenComparing(gpu -> List.of(GpuVendor.NVIDIA, GpuVendor.AMD, GpuVendor.INTEL, GpuVendor.UNKNOWN)
                    .indexOf(gpu.vendor()));

    private PlatformRules() {}

    static Optional<Gpu> primaryGpu(List<Gpu> gpus, Cpu cpu) {
        return gpus.stream()
                .filter(Gpu::usable)
                .min(Comparator.comparing((Gpu gpu) -> !isStrixHalo(gpu, cpu)).thenComparing(PREFERENCE));
    }

    static Accelerator accelerator(List<Gpu> gpus, Cpu cpu, Evidence evidence) {
        var primary = primaryGpu(gpus, cpu);
        if (primary.isEmpty()) {
            evidence.note("accelerator", Accelerator.NONE, whyNone(gpus));
            return Accelerator.NONE;
        }
        Gpu gpu = primary.get();
        Accelerator accelerator = switch (gpu.vendor()) {
            case AMD -> isStrixHalo(gpu, cpu) ? Accelerator.STRIX_HALO : Accelerator.AMD_GPU;
            case NVIDIA -> Accelerator.NVIDIA_GPU;
            case INTEL -> Accelerator.INTEL_GPU;
            case UNKNOWN -> Accelerator.NONE;
        };
        evidence.note("accelerator", accelerator, "the usable GPU at " + gpu.pciSlot());
        return accelerator;
    }

    static String platform(RuntimeProbe runtime, List<Gpu> gpus, Cpu cpu, Evidence evidence) {
        HostRuntime kind = runtime.runtime();
        String platform = kind == null
                ? "unknown"
                : switch (kind) {
                    case WSL2, LXC, CONTAINER -> kind.word();
                    case KVM -> runtime.proxmoxNamed() ? "proxmox-kvm" : "kvm";
                    case BARE_METAL -> bareMetal(gpus, cpu);
                };
        evidence.note("platform", platform, "runtime, then GPUs and CPU name");
        return platform;
    }

    private static String bareMetal(List<Gpu> gpus, Cpu cpu) {
        boolean strixHalo = Parsing.containsIgnoringCase(cpu.model(), STRIX_HALO_CPU)
                || gpus.stream().anyMatch(gpu -> isStrixHalo(gpu, cpu));
        if (strixHalo) {
            return "strix-halo";
        }
        for (GpuVendor vendor : List.of(GpuVendor.NVIDIA, GpuVendor.AMD, GpuVendor.INTEL)) {
            if (gpus.stream().anyMatch(gpu -> gpu.vendor() == vendor)) {
                return "bare-metal-" + vendor.word() + "-gpu";
            }
        }
        return "bare-metal-cpu-only";
    }

    /** An AMD GPU beside an NPU is no evidence: most laptops since 2023 have both. */
    static boolean isStrixHalo(Gpu gpu, Cpu cpu) {
        if (gpu.vendor() != GpuVendor.AMD) {
            return false;
        }
        return STRIX_HALO_ID.equals(gpu.pciId())
                || STRIX_HALO_TARGET.equals(gpu.gfx())
                || gpu.pciId() == null
                        && Boolean.TRUE.equals(gpu.isUma())
                        && Parsing.containsIgnoringCase(cpu.model(), STRIX_HALO_CPU);
    }

    private static String whyNone(List<Gpu> gpus) {
        var candidate =
                gpus.stream().filter(gpu -> gpu.vendor() != GpuVendor.UNKNOWN).findFirst();
        return candidate
                .map(gpu -> "a GPU is visible at " + gpu.pciSlot() + ", but its device node is "
                        + gpu.access().word() + " here")
                .orElse("no GPU that models can run on");
    }

    private static long knownPool(Gpu gpu) {
        @Nullable Long pool = gpu.poolMb();
        return pool == null ? -1 : pool;
    }
}
