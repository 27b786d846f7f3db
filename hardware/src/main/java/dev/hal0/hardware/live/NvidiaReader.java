package dev.hal0.hardware.live;

import dev.hal0.hardware.Gpu;
import dev.hal0.hardware.GpuVendor;
import dev.hal0.hardware.Host;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** All NVIDIA cards by one process: starting it costs more than all of its answers. */
final class NvidiaReader implements PartReader<List<LiveGpu>> {
    static final String PART = "nvidia-smi";

    /** It hangs when its driver does. */
    private static final Duration DEADLINE = Duration.ofSeconds(4);

    private static final String FIELDS =
            "index,pci.bus_id,utilization.gpu,memory.used,memory.total,temperature.gpu," + "power.draw,clocks.sm";
    private static final int COLUMNS = FIELDS.split(",").length;

    /** The seam to the process; {@link Host#output} in production. */
    @FunctionalInterface
    interface Tool {
        Optional<String> output(Duration deadline, String... argv);
    }

    private final Host host;
    private final Tool tool;
    private final List<Gpu> gpus;

    NvidiaReader(Host host, Tool tool, List<Gpu> gpus) {
        this.host = host;
        this.tool = tool;
        this.gpus = gpus;
    }

    @Override
    public Outcome<List<LiveGpu>> read(boolean watched) {
        // Asking wakes cards that sleep, and on a laptop each look would cost minutes of battery.
        if (!watched && gpus.stream().allMatch(this::isSuspended)) {
            return new Outcome.Value<>(
                    gpus.stream().map(gpu -> LiveGpu.unknown(gpu, PART, true)).toList());
        }
        List<List<String>> rows = tool.output(
                        DEADLINE, "nvidia-smi", "--query-gpu=" + FIELDS, "--format=csv,noheader,nounits")
                .orElse("")
                .lines()
                .map(line -> List.of(line.strip().split("\\s*,\\s*")))
                .filter(row -> row.size() == COLUMNS)
                .toList();
        if (rows.isEmpty()) {
            return new Outcome.Failed<>();
        }
        var cards = new ArrayList<LiveGpu>();
        for (Gpu gpu : gpus) {
            cards.add(rows.stream()
                    .filter(row -> isOf(gpu, row))
                    .findFirst()
                    .map(row -> card(gpu, row))
                    // It fell off the bus or was given to a virtual machine; the others go on.
                    .orElseGet(() -> LiveGpu.unknown(gpu, PART, null)));
        }
        return new Outcome.Value<>(List.copyOf(cards));
    }

    private boolean isSuspended(Gpu gpu) {
        return gpu.pciSlot() != null
                && host.line("/sys/bus/pci/devices/" + gpu.pciSlot() + "/power/runtime_status")
                        .filter("suspended"::equals)
                        .isPresent();
    }

    /** By address where there is one, because the tool's numbers shift when a card goes. */
    private static boolean isOf(Gpu gpu, List<String> row) {
        String slot = gpu.pciSlot();
        // The tool writes the domain with eight digits, the kernel with four.
        return slot == null
                ? row.get(0).equals(String.valueOf(gpu.index()))
                : row.get(1).toLowerCase(Locale.ROOT).endsWith(slot.toLowerCase(Locale.ROOT));
    }

    private static LiveGpu card(Gpu gpu, List<String> row) {
        Double busy = number(row.get(2));
        Double power = number(row.get(6));
        return new LiveGpu(
                GpuVendor.NVIDIA,
                gpu.index(),
                gpu.pciSlot(),
                PART,
                false,
                busy == null || busy > 100 ? null : busy,
                // Its counter measures time with work, whatever the clock.
                false,
                whole(row.get(3)),
                whole(row.get(4)),
                null,
                null,
                number(row.get(5)),
                power,
                power == null || !Boolean.FALSE.equals(gpu.isUma()) ? null : Boolean.FALSE,
                whole(row.get(7)));
    }

    private static @Nullable Double number(String cell) {
        OptionalDouble value = Values.decimal(cell);
        return value.isPresent() ? value.getAsDouble() : null;
    }

    private static @Nullable Long whole(String cell) {
        Double value = number(cell);
        return value == null ? null : Math.round(value);
    }
}
