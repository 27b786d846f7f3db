package dev.hal0.hardware;

import org.jspecify.annotations.Nullable;

/** What a stored report is compared with before it is believed. */
final class BootIdentity {
    private static final int START_TIME_FIELD = 19;

    private BootIdentity() {}

    /** Null when unknown. */
    static @Nullable String bootId(Host host) {
        return bootId(host, RuntimeProbe.run(host, new Evidence()).runtime());
    }

    /**
     * A container shares its host's boot id, and its devices change with its own restarts: there, the start time of its
     * first process tells one life from the next.
     */
    static @Nullable String bootId(Host host, @Nullable HostRuntime runtime) {
        String boot = host.line("/proc/sys/kernel/random/boot_id").orElse(null);
        if (boot == null || runtime == null || !runtime.isContainer()) {
            return boot;
        }
        String stat = host.line("/proc/1/stat").orElse("");
        // The program's name may hold blanks and brackets; the fields behind its last bracket do not.
        String[] fields = stat.substring(stat.lastIndexOf(')') + 1).strip().split("\\s+");
        return fields.length > START_TIME_FIELD ? boot + "/" + fields[START_TIME_FIELD] : boot;
    }

    /** {@code Linux version 6.16.1}; null when unknown. */
    static @Nullable String kernel(Host host) {
        return host.line("/proc/version")
                .map(text -> text.contains(" (") ? text.substring(0, text.indexOf(" (")) : text)
                .orElse(null);
    }
}
