package dev.hal0.slots;

import com.fasterxml.jackson.annotation.JsonValue;

/**
 * One life of a workload: systemd's InvocationID, or {@code <boot id>:<pid>:<start ticks>} of a plain process. Two lives are
 * never equal, also across a reboot and a reused pid; only the runtime that made the value reads its inside.
 */
public record Incarnation(@JsonValue String value) {
    @Override
    public String toString() {
        return value;
    }
}
