package dev.hal0.hardware.live;

import dev.hal0.hardware.Gpu;
import dev.hal0.hardware.GpuVendor;
import dev.hal0.hardware.Host;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** One GPU as its driver's files in sysfs describe it. Files that a driver does not have leave their values unknown. */
final class SysfsGpuReader implements PartReader<LiveGpu> {
    private static final double MILLI = 1e3;
    private static final double MICRO = 1e6;
    private static final long MEGA = 1_000_000;

    private final Host host;
    private final Gpu gpu;
    private final String part;

    /** Found at the first read and again after it vanished: a driver that starts anew numbers it differently. */
    private @Nullable String sensors;

    SysfsGpuReader(Host host, Gpu gpu, String part) {
        this.host = host;
        this.gpu = gpu;
        this.part = part;
    }

    @Override
    public Outcome<LiveGpu> read(boolean watched) {
        String folder = folder();
        if (folder == null) {
            return new Outcome.Gone<>();
        }
        boolean suspended = host.line(folder + "/power/runtime_status")
                .filter("suspended"::equals)
                .isPresent();
        // Sensors wake a card that sleeps, and each look would keep it awake; its memory counters do not.
        String monitor = suspended ? null : sensors(folder);
        Double power = monitor == null ? null : power(monitor);
        return new Outcome.Value<>(new LiveGpu(
                gpu.vendor(),
                gpu.index(),
                gpu.pciSlot(),
                part,
                suspended,
                suspended ? null : Values.percent(host.number(folder + "/gpu_busy_percent")),
                suspended ? null : forcedHigh(folder),
                Values.mebibytes(host.number(folder + "/mem_info_vram_used")),
                vramTotal(folder),
                Values.mebibytes(host.number(folder + "/mem_info_gtt_used")),
                Values.mebibytes(host.number(folder + "/mem_info_gtt_total")),
                monitor == null ? null : Values.scaled(host.number(monitor + "/temp1_input"), MILLI),
                power,
                power == null ? null : includesCpu(),
                monitor == null ? null : clock(monitor)));
    }

    private @Nullable String folder() {
        String onBus = "/sys/bus/pci/devices/" + gpu.pciSlot();
        if (gpu.pciSlot() != null && host.exists(onBus)) {
            return onBus;
        }
        if (gpu.drmPath() == null) {
            return null;
        }
        String card = "/sys/class/drm/" + gpu.drmPath().replaceFirst("^.*/", "") + "/device";
        // A card number is given to the next card when its first owner goes.
        boolean same = host.exists(card)
                && (gpu.pciSlot() == null
                        || host.read(card + "/uevent").orElse("").contains("PCI_SLOT_NAME=" + gpu.pciSlot()));
        return same ? card : null;
    }

    private @Nullable String sensors(String folder) {
        if (sensors == null || !host.exists(sensors)) {
            sensors = host.list(folder + "/hwmon").stream()
                    .filter(name -> name.startsWith("hwmon"))
                    .findFirst()
                    .map(name -> folder + "/hwmon/" + name)
                    .orElse(null);
        }
        return sensors;
    }

    private @Nullable Boolean forcedHigh(String folder) {
        return host.line(folder + "/power_dpm_force_performance_level")
                .map("high"::equals)
                .orElse(null);
    }

    /** A card's memory does not change; not every driver tells it here. */
    private @Nullable Long vramTotal(String folder) {
        Long total = Values.mebibytes(host.number(folder + "/mem_info_vram_total"));
        return total == null ? gpu.vramDedicatedMb() : total;
    }

    private @Nullable Double power(String monitor) {
        OptionalLong average = host.number(monitor + "/power1_average");
        return Values.scaled(average.isPresent() ? average : host.number(monitor + "/power1_input"), MICRO);
    }

    /** What amdgpu documents of its APUs; other drivers do not say. */
    private @Nullable Boolean includesCpu() {
        return gpu.vendor() == GpuVendor.AMD ? gpu.isUma() : null;
    }

    private @Nullable Long clock(String monitor) {
        OptionalLong hertz = host.number(monitor + "/freq1_input");
        return hertz.isPresent() ? hertz.getAsLong() / MEGA : null;
    }
}
