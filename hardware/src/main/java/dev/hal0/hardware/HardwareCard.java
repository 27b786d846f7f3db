package dev.hal0.hardware;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The report in four lines of text: CPU, GPU, NPU, DISK. Stateless and thread-safe. */
public final class HardwareCard {
    private HardwareCard() {}

    /**
     * @param plain ASCII only
     * @return four lines, each ending in a newline
     */
    public static String render(HardwareReport report, boolean plain) {
        String text = line("CPU", cpu(report))
                + line("GPU", gpus(report))
                + line("NPU", npu(report.npu()))
                + line("DISK", List.of(gibibytes(report.diskFreeMb()) + " free"));
        return plain ? text.replace('·', '-').replaceAll("[^\\x20-\\x7e\\n]", "?") : text;
    }

    /** Names come from firmware; a control character in one must not reach the terminal. */
    private static String line(String label, List<String> parts) {
        return String.format(Locale.ROOT, "%-6s", label)
                + String.join(" · ", parts).replaceAll("\\p{Cntrl}", "?")
                + "\n";
    }

    private static List<String> cpu(HardwareReport report) {
        Cpu cpu = report.cpu();
        return List.of(
                Objects.requireNonNullElse(cpu.model(), "unknown"),
                word(cpu.cores()) + " cores / " + word(cpu.threads()) + " threads",
                gibibytes(report.memory().totalMb()) + " RAM");
    }

    private static List<String> gpus(HardwareReport report) {
        if (report.gpus().isEmpty()) {
            return List.of("none");
        }
        return report.gpus().stream()
                .map(gpu -> String.join(", ", gpu(gpu)))
                .collect(Collectors.toCollection(ArrayList::new));
    }

    private static List<String> gpu(Gpu gpu) {
        var parts = new ArrayList<String>();
        parts.add(
                gpu.name() != null
                        ? gpu.name()
                        : gpu.vendor().word() + " " + Objects.requireNonNullElse(gpu.pciId(), "GPU"));
        if (gpu.vendor() == GpuVendor.UNKNOWN) {
            return parts;
        }
        if (gpu.gfx() != null) {
            parts.add(gpu.gfx());
        }
        parts.add(
                Boolean.TRUE.equals(gpu.isUma())
                        ? "shares main memory, GPU pool " + gibibytes(gpu.poolMb())
                        : gibibytes(gpu.poolMb()) + " VRAM");
        if (!gpu.usable()) {
            parts.add("not usable here: device node " + gpu.access().word());
        }
        return parts;
    }

    private static List<String> npu(Npu npu) {
        if (!npu.present()) {
            return List.of("none");
        }
        String name = Objects.requireNonNullElse(npu.name(), "unknown");
        return npu.usable()
                ? List.of(name, Objects.requireNonNullElse(npu.accelPath(), ""))
                : List.of(name, "not usable here: device node " + npu.access().word());
    }

    private static String word(@Nullable Integer count) {
        return count == null ? "unknown" : count.toString();
    }

    private static String gibibytes(@Nullable Long mebibytes) {
        return mebibytes == null ? "unknown" : String.format(Locale.ROOT, "%.1f GiB", mebibytes / 1024.0);
    }
}
