package dev.hal0.hardware;

import org.jspecify.annotations.Nullable;

/**
 * Memory figures that change by the second, in MiB. Immutable; null means unknown.
 *
 * @param vramUsedMb of the GPU in question
 * @param gttTotalMb its GTT now; kernels may move it while running, so it replaces the report's figure
 * @param memAvailableMb what the kernel could hand out without swapping
 * @param cgroupUsedMb what the own control group holds
 * @param hostFreeMb free memory of the Proxmox host; null unless its API answered
 */
public record MemoryReadings(
        @Nullable Long vramUsedMb,
        @Nullable Long gttTotalMb,
        @Nullable Long gttUsedMb,
        @Nullable Long memAvailableMb,
        @Nullable Long cgroupUsedMb,
        @Nullable Long hostFreeMb) {
    public static final MemoryReadings UNKNOWN = new MemoryReadings(null, null, null, null, null, null);

    /**
     * Reads what the kernel says now. For an NVIDIA GPU this runs {@code nvidia-smi} and takes up to four seconds; the rest
     * is a handful of small files.
     *
     * @param gpu null to read main memory only
     */
    public static MemoryReadings read(Host host, @Nullable Gpu gpu) {
        Long vramUsed = null;
        Long gttTotal = null;
        Long gttUsed = null;
        if (gpu != null && gpu.vendor() == GpuVendor.NVIDIA) {
            vramUsed = NvidiaSmi.run(host).stream()
                    .filter(row -> row.slot().equals(gpu.pciSlot()))
                    .findFirst()
                    .map(NvidiaSmi.Row::usedMb)
                    .orElse(null);
        } else if (gpu != null) {
            String folder = folder(host, gpu);
            vramUsed = Parsing.mebibytes(host.number(folder + "/mem_info_vram_used"));
            gttTotal = Parsing.mebibytes(host.number(folder + "/mem_info_gtt_total"));
            gttUsed = Parsing.mebibytes(host.number(folder + "/mem_info_gtt_used"));
        }
        return new MemoryReadings(
                vramUsed,
                gttTotal,
                gttUsed,
                MemoryProbe.meminfo(host, "MemAvailable"),
                MemoryProbe.groupUsage(host),
                null);
    }

    public MemoryReadings withHostFreeMb(@Nullable Long freeMb) {
        return new MemoryReadings(vramUsedMb, gttTotalMb, gttUsedMb, memAvailableMb, cgroupUsedMb, freeMb);
    }

    private static String folder(Host host, Gpu gpu) {
        String onBus = "/sys/bus/pci/devices/" + gpu.pciSlot();
        if (gpu.pciSlot() != null && host.exists(onBus)) {
            return onBus;
        }
        String card = gpu.drmPath() == null ? "" : gpu.drmPath().replaceFirst("^/dev/dri/", "");
        return "/sys/class/drm/" + card + "/device";
    }
}
