package dev.hal0.server;

import dev.hal0.hardware.Gpu;
import dev.hal0.hardware.HardwareFile;
import dev.hal0.hardware.HardwareReport;
import dev.hal0.hardware.Host;
import dev.hal0.hardware.MemoryTruth;
import dev.hal0.hardware.Probe;
import dev.hal0.hardware.live.LiveMemory;
import dev.hal0.hardware.live.LiveSample;
import dev.hal0.hardware.live.LiveSampler;
import dev.hal0.hardware.live.SamplerTimes;
import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.HomeDirectory;
import dev.hal0.slots.Device;
import dev.hal0.slots.SlotMemory;
import java.time.Clock;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The machine this runs on: what the probe found, what the sampler last read, and what both mean for memory. The probe runs
 * in the background, because a tool that talks to hung hardware may take half a minute; until then everything is unknown.
 * Thread-safe.
 */
final class Machine implements SlotMemory, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Machine.class);
    private static final String RAM = "ram";
    private static final String VRAM = "vram";
    /** Older readings say nothing about now. */
    private static final long OLDEST_READING_MS = 30_000;

    /** A report and the sampler that was started with it; replaced together. */
    private record Known(HardwareReport report, LiveSampler sampler, LiveMemory memory) {}

    private final Host host;
    private final Probe probe;
    private final HardwareFile file;
    private final HomeDirectory home;
    private final InstantSource clock;
    private final Supplier<OptionalLong> hostFreeMb;
    private final Optional<Long> budgetBytes;
    private final CompletableFuture<Void> first = new CompletableFuture<>();
    private volatile @Nullable Known known;
    private boolean closed;

    /**
     * @param hostFreeMb what the Proxmox host last said to have free; must not wait
     * @param budgetBytes {@code [slots].memory_budget_mb}: what slots may hold in all, where the machine is not to decide
     */
    Machine(
            Host host,
            HomeDirectory home,
            DurableFiles files,
            InstantSource clock,
            Supplier<OptionalLong> hostFreeMb,
            Optional<Long> budgetBytes) {
        this.host = host;
        this.hostFreeMb = hostFreeMb;
        this.home = home;
        this.clock = clock;
        this.probe = new Probe(Clock.systemUTC(), home.state());
        this.file = new HardwareFile(files, home.hardwareReport());
        this.budgetBytes = budgetBytes;
    }

    /** Returns at once. */
    void start() {
        Thread.ofPlatform().daemon().name("hardware-probe").start(() -> {
            try {
                learn(file.current(probe, host));
            } catch (RuntimeException failure) {
                log.warn("this machine could not be probed", failure);
            } finally {
                first.complete(null);
            }
        });
    }

    /** Probes again, stores and uses what is found. Blocks for as long as the probe takes. */
    HardwareReport probeAgain() {
        HardwareReport report = file.probeAndWrite(probe, host);
        learn(report);
        return report;
    }

    private synchronized void learn(HardwareReport report) {
        if (closed) {
            return;
        }
        Known before = known;
        LiveSampler sampler = LiveSampler.start(host, report, home.state(), SamplerTimes.DEFAULT, clock);
        known = new Known(report, sampler, new LiveMemory(sampler, report, hostFreeMb));
        if (before != null) {
            before.sampler().close();
        }
    }

    /** Completes when the first probe has ended, however it ended. */
    CompletableFuture<Void> firstProbe() {
        return first.copy();
    }

    Optional<HardwareReport> report() {
        return Optional.ofNullable(known).map(Known::report);
    }

    Optional<LiveSample> sample() {
        return Optional.ofNullable(known).map(now -> now.sampler().latest());
    }

    /** Of the sample that {@link #sample} gives now. */
    long sampleAgeMs(LiveSample sample) {
        Known now = known;
        return now == null ? 0 : sample.ageMs(now.sampler().nanos());
    }

    /** For a model on the primary GPU, or on the CPU where there is none. */
    Optional<LiveMemory.Now> memory() {
        return Optional.ofNullable(known).map(now -> now.memory().now());
    }

    /** For a model on this device. */
    Optional<LiveMemory.Now> memory(Device device) {
        return Optional.ofNullable(known)
                .map(now -> now.memory().now(pool(device).equals(RAM) && !isUnified(now) ? null : gpu(now)));
    }

    @Override
    public String pool(Device device) {
        Known now = known;
        return device.isGpu() && now != null && gpu(now) != null && !isUnified(now) ? VRAM : RAM;
    }

    @Override
    public Map<String, Long> budgetBytes() {
        var budget = new LinkedHashMap<String, Long>();
        Known now = known;
        if (now != null) {
            MemoryTruth onGpu = now.memory().now().truth();
            Long ram = now.report().memory().totalMb();
            if (gpu(now) != null && onGpu.poolMb() != null) {
                budget.put(isUnified(now) ? RAM : VRAM, onGpu.poolMb() << 20);
            }
            if (ram != null && ram > MemoryTruth.RESERVE_MB) {
                Long limit = now.report().memory().cgroupMaxMb();
                long most = (limit == null ? ram : Math.min(ram, limit)) - MemoryTruth.RESERVE_MB;
                budget.putIfAbsent(RAM, Math.max(0, most) << 20);
            }
        }
        budgetBytes.ifPresent(bytes -> budget.put(budget.containsKey(VRAM) ? VRAM : RAM, bytes));
        return budget;
    }

    @Override
    public Map<String, Long> freeBytes() {
        var free = new LinkedHashMap<String, Long>();
        Known now = known;
        if (now != null) {
            put(
                    free,
                    isUnified(now) || gpu(now) == null ? RAM : VRAM,
                    now.memory().now());
            if (gpu(now) != null && !isUnified(now)) {
                put(free, RAM, now.memory().now(null));
            }
        }
        return free;
    }

    private static void put(Map<String, Long> free, String pool, LiveMemory.Now reading) {
        Long headroom = reading.truth().headroomMb();
        if (headroom != null && reading.ageMs() <= OLDEST_READING_MS) {
            free.put(pool, headroom << 20);
        }
    }

    private static @Nullable Gpu gpu(Known now) {
        return now.report().primaryGpu().orElse(null);
    }

    private static boolean isUnified(Known now) {
        Gpu gpu = gpu(now);
        return gpu != null && Boolean.TRUE.equals(gpu.isUma());
    }

    @Override
    public synchronized void close() {
        closed = true;
        Known now = known;
        if (now != null) {
            now.sampler().close();
        }
    }
}
