package dev.hal0.slots;

import java.util.List;
import java.util.OptionalInt;

/**
 * How a workload ended.
 *
 * @param status exit status; empty where it cannot be known, as for a process that an earlier control plane started
 * @param lastLines the engine's last log lines, at most 20
 */
public record Exit(OptionalInt status, List<String> lastLines) {
    public Exit {
        lastLines = List.copyOf(lastLines);
    }

    public String describe() {
        String how = status.isPresent() ? "status " + status.getAsInt() : "unknown status";
        return lastLines.isEmpty() ? how : how + "; last line: " + lastLines.getLast();
    }
}
