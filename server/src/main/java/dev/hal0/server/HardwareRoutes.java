package dev.hal0.server;

import dev.hal0.hardware.Gpu;
import dev.hal0.hardware.GpuVendor;
import dev.hal0.hardware.HardwareCard;
import dev.hal0.hardware.HardwareReport;
import dev.hal0.hardware.MemoryLimit;
import dev.hal0.hardware.MemoryTruth;
import dev.hal0.hardware.live.LiveSample;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** What the box is and what it is doing: {@code /api/hardware} and {@code /api/stats/hardware}. */
final class HardwareRoutes {
    /** For the first answer after a start; later ones never wait. */
    private static final long FIRST_PROBE_SECONDS = 30;

    /**
     * @param card the report in four lines of plain text
     * @param memory for a model on the primary GPU, or on the CPU
     * @param vramTotalMb 0 where memory is unified: the carve-out is no place of its own there
     * @param gttTotalMb 0 unless memory is unified
     * @param memoryKind {@code unified} or {@code system}
     * @param uptimeS of the machine, now
     */
    record HardwareView(
            HardwareReport report,
            @Nullable MemoryTruth memory,
            String card,
            String platformLabel,
            @Nullable String gpuName,
            @Nullable String gpuVendor,
            @Nullable Long vramTotalMb,
            @Nullable Long gttTotalMb,
            @Nullable Long ramTotalMb,
            boolean isUma,
            @Nullable String cpuName,
            boolean npuPresent,
            @Nullable String npuName,
            String memoryKind,
            @Nullable Long cgroupMaxMb,
            @Nullable Long uptimeS) {}

    /** @param ageMs of the sample; a part of it may be older and then says so */
    record LiveView(
            LiveSample sample,
            long ageMs,
            @Nullable Long ramUsedMb,
            List<String> stale,
            @Nullable Long headroomMb,
            @Nullable MemoryLimit limitedBy,
            @Nullable Long memoryAgeMs) {}

    private final Machine machine;

    HardwareRoutes(Machine machine) {
        this.machine = machine;
    }

    List<ApiRoute> routes() {
        return List.of(
                ApiRoute.get(
                        "/api/hardware",
                        "What the probe found, and the memory truth of this moment.",
                        HardwareView.class,
                        request -> ApiAnswer.ok(view(report()))),
                ApiRoute.post(
                        "/api/hardware/probe",
                        "Probe the machine again; takes up to half a minute.",
                        null,
                        HardwareView.class,
                        200,
                        request -> ApiAnswer.ok(view(machine.probeAgain()))),
                ApiRoute.get(
                        "/api/stats/hardware",
                        "The last live sample and its age.",
                        LiveView.class,
                        request -> ApiAnswer.ok(live())));
    }

    private HardwareReport report() throws InterruptedException {
        try {
            machine.firstProbe().get(FIRST_PROBE_SECONDS, TimeUnit.SECONDS);
        } catch (java.util.concurrent.ExecutionException | TimeoutException stillProbing) {
            throw unknown();
        }
        return machine.report().orElseThrow(HardwareRoutes::unknown);
    }

    private static Hal0Exception unknown() {
        return new Hal0Exception(ErrorCode.SYSTEM_PROBE_FAILED, "This machine could not be probed.");
    }

    private HardwareView view(HardwareReport report) {
        Gpu gpu = report.primaryGpu()
                .orElse(report.gpus().isEmpty() ? null : report.gpus().getFirst());
        boolean unified = gpu != null && Boolean.TRUE.equals(gpu.isUma());
        var memory = machine.memory().map(now -> now.truth()).orElse(null);
        return new HardwareView(
                report,
                memory,
                HardwareCard.render(report, true),
                platformLabel(report, gpu),
                gpu == null ? null : gpu.name(),
                gpu == null ? null : label(gpu.vendor()),
                gpu == null ? null : unified ? Long.valueOf(0) : gpu.vramDedicatedMb(),
                gpu == null || !unified ? Long.valueOf(0) : memory == null ? gpu.gttTotalMb() : memory.gttTotalMb(),
                report.memory().totalMb(),
                unified,
                report.cpu().model(),
                report.npu().present(),
                report.npu().name(),
                unified ? "unified" : "system",
                report.memory().cgroupMaxMb(),
                uptime());
    }

    private static String label(GpuVendor vendor) {
        return vendor.name().toLowerCase(java.util.Locale.ROOT);
    }

    private static String platformLabel(HardwareReport report, @Nullable Gpu gpu) {
        return switch (report.platform()) {
            case "strix-halo" -> "Strix Halo (unified memory)";
            case "lxc" -> "Linux container (LXC)";
            case "container" -> "Container";
            case "proxmox-kvm" -> "Proxmox VM (KVM)";
            case "kvm" -> "Virtual machine (KVM)";
            case "wsl2" -> "Windows Subsystem for Linux";
            case "bare-metal-cpu-only" -> "CPU only";
            default -> gpu != null && gpu.name() != null ? gpu.name() : report.platform();
        };
    }

    /** Read on every request: a stored uptime would be shown as a live one. */
    private static @Nullable Long uptime() {
        try {
            String text = Files.readString(Path.of("/proc/uptime"));
            return (long) Double.parseDouble(text.substring(0, text.indexOf(' ')));
        } catch (IOException | RuntimeException unreadable) {
            return null;
        }
    }

    private LiveView live() throws InterruptedException {
        report();
        LiveSample sample = machine.sample().orElseThrow(HardwareRoutes::unknown);
        var memory = machine.memory().orElse(null);
        return new LiveView(
                sample,
                machine.sampleAgeMs(sample),
                sample.ramUsedMb(),
                sample.stale(),
                memory == null ? null : memory.truth().headroomMb(),
                memory == null ? null : memory.truth().limitedBy(),
                memory == null ? null : memory.ageMs());
    }
}
