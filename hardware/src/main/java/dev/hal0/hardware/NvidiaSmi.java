package dev.hal0.hardware;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The cards that NVIDIA's own tool lists. */
final class NvidiaSmi {
    private static final String FIELDS = "index,name,memory.total,driver_version,pci.bus_id,memory.used";

    private NvidiaSmi() {}

    /**
     * @param totalMb MiB; null for {@code [N/A]}, which chips without memory of their own answer
     * @param usedMb likewise
     */
    record Row(
            int index,
            String name,
            @Nullable Long totalMb,
            @Nullable String driverVersion,
            String slot,
            @Nullable Long usedMb) {}

    /** Empty when there is no such tool or its driver does not answer. */
    static List<Row> run(Host host) {
        var rows = new ArrayList<Row>();
        host.output(Probe.DEADLINE, "nvidia-smi", "--query-gpu=" + FIELDS, "--format=csv,noheader,nounits")
                .orElse("")
                .lines()
                .map(line -> line.split("\\s*,\\s*"))
                .filter(cells -> cells.length >= 5 && cells[0].strip().matches("\\d{1,3}"))
                .forEach(cells -> rows.add(new Row(
                        Integer.parseInt(cells[0].strip()),
                        cells[1].strip(),
                        Parsing.numberOrNull(cells[2]),
                        cells[3].startsWith("[") ? null : cells[3].strip(),
                        Parsing.pciSlot(cells[4]),
                        cells.length > 5 ? Parsing.numberOrNull(cells[5]) : null)));
        return List.copyOf(rows);
    }
}
