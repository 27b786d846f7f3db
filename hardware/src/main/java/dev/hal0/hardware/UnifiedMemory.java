package dev.hal0.hardware;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Decides whether a GPU computes in main memory. Carve-outs of 0.5 to 96 GiB exist, so sizes come last. */
final class UnifiedMemory {
    /** Processors with graphics, Raven Ridge to Strix Halo. */
    private static final Set<String> AMD_PROCESSORS = Set.of(
            "1002:1586",
            "1002:150e",
            "1002:1114",
            "1002:15bf",
            "1002:15c8",
            "1002:1900",
            "1002:1901",
            "1002:1681",
            "1002:164d",
            "1002:164e",
            "1002:13c0",
            "1002:1638",
            "1002:15e7",
            "1002:1636",
            "1002:164c",
            "1002:1506",
            "1002:163f",
            "1002:1435",
            "1002:15d8",
            "1002:15dd");

    /** NVIDIA's chips that share memory with their CPU, as their tool names them. */
    private static final Set<String> NVIDIA_CHIPS = Set.of("GB10", "Orin", "Thor", "Xavier", "Tegra");

    /** Intel has put its processors' graphics here since 2006. */
    private static final String INTEL_PROCESSOR_SLOT = "0000:00:02.0";

    private static final long SMALL_CARVE_OUT_MB = 2048;

    private UnifiedMemory() {}

    static @Nullable Boolean decide(
            Host host,
            GpuVendor vendor,
            GpuCandidate gpu,
            @Nullable String name,
            VulkanSummary.@Nullable Device vulkan,
            @Nullable Long vramMb,
            @Nullable Long gttMb,
            Evidence evidence) {
        String field = Gpu.field(gpu.slot(), "is_uma");
        if (gpu.pciId() != null && AMD_PROCESSORS.contains(gpu.pciId())) {
            return evidence.note(field, true, "PCI id of a processor with graphics");
        }
        if (vendor == GpuVendor.NVIDIA && name != null && NVIDIA_CHIPS.stream().anyMatch(name::contains)) {
            return evidence.note(field, true, "a chip that shares memory with its CPU");
        }
        if (vulkan != null && vulkan.integrated() != null) {
            return evidence.note(field, vulkan.integrated(), "vulkaninfo device type");
        }
        return switch (vendor) {
            case AMD -> amd(host, gpu, vramMb, gttMb, field, evidence);
            case NVIDIA -> evidence.note(field, name == null ? null : Boolean.FALSE, "none of NVIDIA's unified chips");
            case INTEL ->
                evidence.note(
                        field,
                        gpu.slot() == null ? null : Boolean.valueOf(gpu.slot().equals(INTEL_PROCESSOR_SLOT)),
                        "slot " + INTEL_PROCESSOR_SLOT + " is the processor's");
            case UNKNOWN -> null;
        };
    }

    private static @Nullable Boolean amd(
            Host host, GpuCandidate gpu, @Nullable Long vramMb, @Nullable Long gttMb, String field, Evidence evidence) {
        String hwmon = gpu.folder() + "/hwmon";
        var sensors = host.list(hwmon);
        if (sensors.stream().anyMatch(sensor -> host.exists(hwmon + "/" + sensor + "/in1_input"))) {
            return evidence.note(field, true, "hwmon in1_input, a voltage that only processors with graphics have");
        }
        if (!sensors.isEmpty()) {
            return evidence.note(field, false, "hwmon without in1_input");
        }
        if (vramMb != null && gttMb != null && vramMb < SMALL_CARVE_OUT_MB && gttMb > 0) {
            return evidence.note(field, true, "only by its size: " + vramMb + " MiB of its own");
        }
        return evidence.note(field, null, "no PCI id known, no Vulkan device, no hwmon");
    }
}
