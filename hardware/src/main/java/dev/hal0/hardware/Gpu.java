package dev.hal0.hardware;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One graphics processor, usable or not. Sizes in MiB. Immutable; null means unknown.
 *
 * @param index position among the GPUs of its vendor, from 0; for NVIDIA the driver's own number
 * @param pciSlot address: {@code 0000:c5:00.0}; null for a GPU that is not on PCI
 * @param pciId vendor and device: {@code 1002:1586}
 * @param driver kernel driver; null also when none is bound
 * @param driverVersion only where the vendor's tool gave one
 * @param gfx ROCm target: {@code gfx1151}
 * @param isUma whether it computes in main memory
 * @param vramDedicatedMb a card's own memory, or an APU's carve-out, which the kernel cannot use for anything else
 * @param gttTotalMb main memory that the GPU may map; the kernel can move it while running, so read it anew to decide
 * @param drmPath {@code /dev/dri/card0} as named by the kernel; the node need not exist here
 * @param renderPath {@code /dev/dri/renderD128}, likewise
 * @param access what opening the node that computing needs gave, see {@link #usable()}
 * @param computeCapable whether the vendor's own compute stack (ROCm, CUDA, Level Zero) has its device nodes
 * @param vulkanCapable whether Vulkan has its device node
 */
public record Gpu(
        GpuVendor vendor,
        int index,
        @Nullable String name,
        @Nullable String pciSlot,
        @Nullable String pciId,
        @Nullable String driver,
        @Nullable String driverVersion,
        @Nullable String gfx,
        @Nullable Boolean isUma,
        @Nullable Long vramDedicatedMb,
        @Nullable Long gttTotalMb,
        @Nullable String drmPath,
        @Nullable String renderPath,
        NodeAccess access,
        @Nullable Boolean computeCapable,
        @Nullable Boolean vulkanCapable) {

    public Gpu {
        Objects.requireNonNull(vendor);
        Objects.requireNonNull(access);
    }

    /** Whether this process can open it. A container sees its host's GPUs in sysfs without being able to. */
    public boolean usable() {
        return vendor != GpuVendor.UNKNOWN && access == NodeAccess.USABLE;
    }

    /**
     * Total memory that models can use, in MiB: carve-out plus GTT where memory is unified, the card's own memory
     * otherwise. A card also has a GTT, but that is main memory behind the bus and no place for weights. Null when a part
     * is unknown.
     */
    public @Nullable Long poolMb() {
        return poolMb(gttTotalMb);
    }

    @Nullable
    Long poolMb(@Nullable Long gttMb) {
        if (!Boolean.TRUE.equals(isUma)) {
            return vramDedicatedMb;
        }
        return vramDedicatedMb == null || gttMb == null ? null : Long.valueOf(vramDedicatedMb + gttMb);
    }

    /** The name in explanations: a slot address does not shift when a card is added. */
    static String field(@Nullable String pciSlot, String part) {
        return "gpus[" + (pciSlot == null ? "?" : pciSlot) + "]." + part;
    }
}
