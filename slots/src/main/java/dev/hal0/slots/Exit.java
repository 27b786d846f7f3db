package dev.hal0.slots;

import java.util.List;
import java.util.OptionalInt;

/**
 * How a workload ended.
 *
 * @param status exit status; empty where it cannot be known, as for a process that an earlier control plane started
 * @param lastLines the engine's last log lines, at most 20
 * @param cause what ended it, as far as the runtime can tell
 */
public record Exit(OptionalInt status, List<String> lastLines, CauseCode cause) {
    public Exit(OptionalInt status, List<String> lastLines) {
        this(status, lastLines, CauseCode.ENGINE_EXITED);
    }

    public Exit {
        lastLines = List.copyOf(lastLines);
    }

    public String describe() {
        String how = status.isPresent() ? "status " + status.getAsInt() : "unknown status";
        how += cause == CauseCode.ENGINE_EXITED ? "" : ", " + cause.label().replace('_', ' ');
        return lastLines.isEmpty() ? how : how + "; last line: " + lastLines.getLast();
    }
}
