package dev.hal0.hardware.live;

import dev.hal0.hardware.Gpu;
import dev.hal0.hardware.GpuVendor;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What one GPU does. Immutable; null means unknown, never 0.
 *
 * @param index position among the GPUs of its vendor, as in the report
 * @param slot PCI address, as in the report; null for a GPU that is not on PCI
 * @param part the {@link LivePart} that these values come from
 * @param suspended whether the kernel has powered it down; what would wake it is then not read and unknown
 * @param busyPercent 0 to 100
 * @param utilForcedHigh whether the clock is pinned high, which makes {@code busyPercent} stick at 100
 * @param vramUsedMb MiB, as the three below
 * @param vramTotalMb a card's own memory, or an APU's carve-out
 * @param gttTotalMb main memory that the GPU may map, see {@link Gpu#gttTotalMb()}
 * @param temperatureC at the edge of the chip
 * @param powerW averaged by the firmware
 * @param powerIncludesCpu whether {@code powerW} covers the whole chip, as on APUs; null also when power is unknown
 * @param clockMhz of the shaders
 */
public record LiveGpu(
        GpuVendor vendor,
        int index,
        @Nullable String slot,
        String part,
        @Nullable Boolean suspended,
        @Nullable Double busyPercent,
        @Nullable Boolean utilForcedHigh,
        @Nullable Long vramUsedMb,
        @Nullable Long vramTotalMb,
        @Nullable Long gttUsedMb,
        @Nullable Long gttTotalMb,
        @Nullable Double temperatureC,
        @Nullable Double powerW,
        @Nullable Boolean powerIncludesCpu,
        @Nullable Long clockMhz) {

    public LiveGpu {
        Objects.requireNonNull(vendor);
        Objects.requireNonNull(part);
    }

    static LiveGpu unknown(Gpu gpu, String part, @Nullable Boolean suspended) {
        return new LiveGpu(
                gpu.vendor(),
                gpu.index(),
                gpu.pciSlot(),
                part,
                suspended,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null);
    }

    boolean isOf(Gpu gpu) {
        return vendor == gpu.vendor() && index == gpu.index() && Objects.equals(slot, gpu.pciSlot());
    }
}
