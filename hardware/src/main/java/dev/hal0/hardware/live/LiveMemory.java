package dev.hal0.hardware.live;

import dev.hal0.hardware.Gpu;
import dev.hal0.hardware.HardwareReport;
import dev.hal0.hardware.MemoryReadings;
import dev.hal0.hardware.MemoryTruth;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The one memory truth of this moment, for every page and every check. Thread-safe; wait-free if its suppliers are. */
public final class LiveMemory {
    private final LiveSampler sampler;
    private final HardwareReport report;
    private final Supplier<OptionalLong> hostFreeMb;

    /** @param report the one that the sampler was started with */
    public LiveMemory(LiveSampler sampler, HardwareReport report) {
        this(sampler, report, OptionalLong::empty);
    }

    /** @param hostFreeMb free memory of the Proxmox host in MiB, from what was last heard of it: it must not ask anew */
    public LiveMemory(LiveSampler sampler, HardwareReport report, Supplier<OptionalLong> hostFreeMb) {
        this.sampler = sampler;
        this.report = report;
        this.hostFreeMb = hostFreeMb;
    }

    /**
     * @param ageMs milliseconds since the oldest reading in it, the host's apart; while nobody looks that may be
     *     {@link SamplerTimes#unwatched()}, and more when a part hangs
     */
    public record Now(MemoryTruth truth, long ageMs) {}

    /** For the primary GPU, or for the CPU when there is none. */
    public Now now() {
        return now(report.primaryGpu().orElse(null));
    }

    /** @param gpu one of the report's, or null for a model on the CPU */
    public Now now(@Nullable Gpu gpu) {
        LiveSample sample = sampler.latest();
        OptionalLong hostFree = hostFreeMb.get();
        MemoryReadings readings = sample.memory(gpu).withHostFreeMb(hostFree.isPresent() ? hostFree.getAsLong() : null);
        return new Now(MemoryTruth.of(report, gpu, readings), sample.memoryAgeMs(gpu, sampler.nanos()));
    }
}
