package dev.hal0.hardware;

import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The one answer to "how much memory is there and how much more can a model take". Every page and every check uses this
 * one, because two formulas give two answers. Sizes in MiB. Immutable; null means unknown, never 0.
 *
 * @param poolMb what the GPU can use in all; null without a usable GPU
 * @param poolFreeMb likewise, free now
 * @param gttTotalMb the part of the pool that is main memory; only where memory is unified
 * @param physicalMb what is installed: main memory and carve-out. In a container only where root could ask the modules
 * @param headroomMb what one more model may take; null when no limit is known
 * @param limitedBy which limit {@code headroomMb} is; null with it
 * @param limits what each known limit alone would leave for one more model, also those that do not apply to a card
 */
public record MemoryTruth(
        @Nullable Long poolMb,
        @Nullable Long poolFreeMb,
        @Nullable Long gttTotalMb,
        @Nullable Long physicalMb,
        @Nullable Long headroomMb,
        @Nullable MemoryLimit limitedBy,
        Map<MemoryLimit, Long> limits) {
    /** What the system and hal0 keep of {@code MemAvailable}, so that the last model does not wake the OOM killer. */
    public static final long RESERVE_MB = 2048;

    public MemoryTruth {
        limits = Map.copyOf(limits);
    }

    /** For the primary GPU, or for the CPU when there is none. */
    public static MemoryTruth of(HardwareReport report, MemoryReadings now) {
        return of(report, report.primaryGpu().orElse(null), now);
    }

    /** @param gpu one of the report's, or null for a model on the CPU */
    public static MemoryTruth of(HardwareReport report, @Nullable Gpu gpu, MemoryReadings now) {
        boolean unified = gpu != null && Boolean.TRUE.equals(gpu.isUma());
        Long gttTotal = gpu == null || !unified ? null : first(now.gttTotalMb(), gpu.gttTotalMb());
        Long vramFree = gpu == null ? null : difference(gpu.vramDedicatedMb(), now.vramUsedMb());
        Long gttFree = difference(gttTotal, now.gttUsedMb());
        Long poolFree = unified ? sum(vramFree, gttFree) : vramFree;

        var limits = new EnumMap<MemoryLimit, Long>(MemoryLimit.class);
        put(limits, MemoryLimit.POOL, poolFree);
        // A carve-out is no part of main memory: the other limits bind only what lies beyond it.
        long apart = unified && poolFree != null && vramFree != null ? vramFree : 0;
        put(limits, MemoryLimit.RAM, sum(apart, difference(now.memAvailableMb(), RESERVE_MB)));
        put(limits, MemoryLimit.CGROUP, sum(apart, difference(report.memory().cgroupMaxMb(), now.cgroupUsedMb())));
        put(limits, MemoryLimit.HOST, sum(apart, now.hostFreeMb()));

        MemoryLimit binding = binding(limits, gpu == null || unified);
        return new MemoryTruth(
                gpu == null ? null : gpu.poolMb(gttTotal),
                poolFree,
                gttTotal,
                physical(report),
                binding == null ? null : limits.get(binding),
                binding,
                limits);
    }

    /** Weights on a card take no main memory for long: what was read to fill it is given back. */
    private static @Nullable MemoryLimit binding(Map<MemoryLimit, Long> limits, boolean inMainMemory) {
        MemoryLimit lowest = null;
        for (var limit : limits.entrySet()) {
            boolean applies = inMainMemory || limit.getKey() == MemoryLimit.POOL;
            Long least = lowest == null ? null : limits.get(lowest);
            if (applies && (least == null || limit.getValue() < least)) {
                lowest = limit.getKey();
            }
        }
        return lowest;
    }

    private static @Nullable Long physical(HardwareReport report) {
        HostRuntime runtime = report.runtime();
        if (runtime == null) {
            return null;
        }
        return switch (runtime) {
            case BARE_METAL -> {
                // Without the carve-out's size the sum would be too low and look exact.
                long carveOut = 0;
                for (Gpu gpu : report.gpus()) {
                    if (gpu.vendor() == GpuVendor.AMD && Boolean.TRUE.equals(gpu.isUma())) {
                        if (gpu.vramDedicatedMb() == null) {
                            yield null;
                        }
                        carveOut += gpu.vramDedicatedMb();
                    }
                }
                yield sum(report.memory().totalMb(), carveOut);
            }
            case LXC, CONTAINER -> report.memory().dimmSumMb();
            case KVM, WSL2 -> report.memory().totalMb();
        };
    }

    private static void put(Map<MemoryLimit, Long> limits, MemoryLimit limit, @Nullable Long freeMb) {
        if (freeMb != null) {
            limits.put(limit, freeMb);
        }
    }

    private static @Nullable Long first(@Nullable Long live, @Nullable Long stored) {
        return live != null ? live : stored;
    }

    private static @Nullable Long sum(@Nullable Long left, @Nullable Long right) {
        return left == null || right == null ? null : Long.valueOf(left + right);
    }

    /** At least 0: a counter that runs ahead of its total does not make negative memory. */
    private static @Nullable Long difference(@Nullable Long total, @Nullable Long used) {
        return total == null || used == null ? null : Long.valueOf(Math.max(0, total - used));
    }
}
