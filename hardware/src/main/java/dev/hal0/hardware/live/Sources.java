package dev.hal0.hardware.live;

import dev.hal0.hardware.Gpu;
import dev.hal0.hardware.GpuVendor;
import dev.hal0.hardware.HardwareReport;
import dev.hal0.hardware.Host;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Which parts a machine's sample has. Found once: looking for vendors anew in each sample is what made polling expensive.
 * Confined to the sampler's thread.
 */
final class Sources {
    static final String MEMORY = "memory";

    private final List<Gpu> gpus;
    private final Part<MemoryReader.Ram> memory;
    private final Part<Share> cpu;
    private final Part<Long> disk;
    private final @Nullable Part<Share> npu;
    private final @Nullable Part<List<LiveGpu>> nvidia;
    private final Map<Gpu, Part<LiveGpu>> sysfs = new HashMap<>();
    private final List<Part<?>> parts = new ArrayList<>();

    Sources(Host host, NvidiaReader.Tool nvidiaSmi, HardwareReport report, Path stateFolder) {
        memory = add(MEMORY, new MemoryReader(host));
        cpu = add("cpu", new CpuReader(host));
        // Apart, because asking a network file system whose server is gone hangs.
        disk = add("disk", watched -> free(host.freeBytes(stateFolder.toString())));
        String accelPath = report.npu().accelPath();
        npu = accelPath == null ? null : add("npu", new NpuReader(host, accelPath));
        gpus = report.gpus().stream()
                .filter(gpu -> gpu.vendor() != GpuVendor.UNKNOWN)
                .toList();
        List<Gpu> cards =
                gpus.stream().filter(gpu -> gpu.vendor() == GpuVendor.NVIDIA).toList();
        nvidia = cards.isEmpty() ? null : add(NvidiaReader.PART, new NvidiaReader(host, nvidiaSmi, cards));
        for (Gpu gpu : gpus) {
            if (gpu.vendor() != GpuVendor.NVIDIA) {
                sysfs.put(gpu, add(partOf(gpu), new SysfsGpuReader(host, gpu, partOf(gpu))));
            }
        }
    }

    List<Part<?>> parts() {
        return parts;
    }

    /** Everything that was read last, as far as it is not past its shelf life. */
    LiveSample compose(Instant takenAt, long now, SamplerTimes times) {
        MemoryReader.Ram ram = value(memory, now, times);
        return new LiveSample(
                takenAt,
                now,
                gpus.stream().map(gpu -> live(gpu, now, times)).toList(),
                percent(value(npu, now, times)),
                percent(value(cpu, now, times)),
                ram == null ? null : ram.totalMb(),
                ram == null ? null : ram.availableMb(),
                ram == null ? null : ram.cgroupUsedMb(),
                value(disk, now, times),
                parts.stream().map(part -> part.state(now, times.watched())).toList());
    }

    private LiveGpu live(Gpu gpu, long now, SamplerTimes times) {
        if (gpu.vendor() == GpuVendor.NVIDIA) {
            List<LiveGpu> cards = value(nvidia, now, times);
            return cards == null
                    ? LiveGpu.unknown(gpu, NvidiaReader.PART, null)
                    : cards.stream().filter(card -> card.isOf(gpu)).findFirst().orElseThrow();
        }
        LiveGpu last = value(sysfs.get(gpu), now, times);
        return last == null ? LiveGpu.unknown(gpu, partOf(gpu), null) : last;
    }

    private static <T> @Nullable T value(@Nullable Part<T> part, long now, SamplerTimes times) {
        return part == null ? null : part.value(now, times.shelfLife());
    }

    private static @Nullable Double percent(@Nullable Share share) {
        return share == null ? null : share.percent();
    }

    private static Outcome<Long> free(OptionalLong bytes) {
        Long mebibytes = Values.mebibytes(bytes);
        return mebibytes == null ? new Outcome.Gone<>() : new Outcome.Value<>(mebibytes);
    }

    private static String partOf(Gpu gpu) {
        return "gpu " + (gpu.pciSlot() == null ? gpu.vendor().word() + " " + gpu.index() : gpu.pciSlot());
    }

    private <T> Part<T> add(String name, PartReader<T> reader) {
        var part = new Part<>(name, reader);
        parts.add(part);
        return part;
    }
}
