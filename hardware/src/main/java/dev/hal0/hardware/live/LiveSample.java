package dev.hal0.hardware.live;

import com.fasterxml.jackson.annotation.JsonIgnore;
import dev.hal0.hardware.Gpu;
import dev.hal0.hardware.MemoryReadings;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What the machine did at one time. A part that could not be read keeps its last values for a while, see {@link #parts};
 * after that they are unknown. Sizes in MiB. Immutable; null means unknown, never 0.
 *
 * @param takenAt by the wall clock, for display; ages are counted on a clock that nobody sets
 * @param takenNanos on the sampler's ticker
 * @param gpus those of the report that a vendor made for computing, in its order
 * @param npuBusyPercent time not asleep, 0 to 100, since the read before; it counts an NPU that idles before it sleeps
 * @param cpuBusyPercent of all processors together, 0 to 100, since the read before
 * @param ramAvailableMb what the kernel could hand out without swapping
 * @param cgroupUsedMb what the own control group holds
 * @param diskFreeMb where hal0 keeps its state
 * @param parts where the values come from and how current each was
 */
public record LiveSample(
        Instant takenAt,
        @JsonIgnore long takenNanos,
        List<LiveGpu> gpus,
        @Nullable Double npuBusyPercent,
        @Nullable Double cpuBusyPercent,
        @Nullable Long ramTotalMb,
        @Nullable Long ramAvailableMb,
        @Nullable Long cgroupUsedMb,
        @Nullable Long diskFreeMb,
        List<LivePart> parts) {

    public LiveSample {
        Objects.requireNonNull(takenAt);
        gpus = List.copyOf(gpus);
        parts = List.copyOf(parts);
    }

    /** Total less available: caches that the kernel would give up are not in use. */
    public @Nullable Long ramUsedMb() {
        return ramTotalMb == null || ramAvailableMb == null
                ? null
                : Long.valueOf(Math.max(0, ramTotalMb - ramAvailableMb));
    }

    /** Milliseconds since it was taken. See {@link LiveSampler#nanos()}; single parts may be older. */
    public long ageMs(long nowNanos) {
        return TimeUnit.NANOSECONDS.toMillis(nowNanos - takenNanos);
    }

    /** Names of the parts whose values are old or unknown because their source hangs, fails or has not answered yet. */
    public List<String> stale() {
        return parts.stream()
                .filter(part -> part.state() != LivePart.State.FRESH)
                .map(LivePart::name)
                .toList();
    }

    List<String> in(LivePart.State state) {
        return parts.stream()
                .filter(part -> part.state() == state)
                .map(LivePart::name)
                .toList();
    }

    /** @param gpu one of the report's */
    public Optional<LiveGpu> gpu(Gpu gpu) {
        return gpus.stream().filter(live -> live.isOf(gpu)).findFirst();
    }

    /**
     * The readings for {@link dev.hal0.hardware.MemoryTruth}, without the Proxmox host's.
     *
     * @param gpu one of the report's; null for main memory only
     */
    public MemoryReadings memory(@Nullable Gpu gpu) {
        LiveGpu live = gpu == null ? null : gpu(gpu).orElse(null);
        return new MemoryReadings(
                live == null ? null : live.vramUsedMb(),
                live == null ? null : live.gttTotalMb(),
                live == null ? null : live.gttUsedMb(),
                ramAvailableMb,
                cgroupUsedMb,
                null);
    }

    /** Milliseconds since the oldest value of {@link #memory} was read; since this sample where one was never read. */
    long memoryAgeMs(@Nullable Gpu gpu, long nowNanos) {
        String gpuPart = gpu == null ? null : gpu(gpu).map(LiveGpu::part).orElse(null);
        long oldest = ageMs(nowNanos);
        for (LivePart part : parts) {
            Long age = part.ageMs(nowNanos);
            if (age != null
                    && (part.name().equals(Sources.MEMORY) || part.name().equals(gpuPart))) {
                oldest = Math.max(oldest, age);
            }
        }
        return oldest;
    }
}
