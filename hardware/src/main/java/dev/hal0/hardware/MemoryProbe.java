package dev.hal0.hardware;

import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads main memory and its limits. */
final class MemoryProbe {
    private static final String LIMIT_V2 = "/sys/fs/cgroup/memory.max";
    private static final String LIMIT_V1 = "/sys/fs/cgroup/memory/memory.limit_in_bytes";
    private static final Pattern MODULE = Pattern.compile("(?m)^\\s*Size:\\s*(\\d{1,9})\\s*(MB|GB|TB)\\s*$");
    private static final Pattern USER = Pattern.compile("(?m)^Uid:\\s*\\d+\\s+(\\d+)\\s");

    private MemoryProbe() {}

    static Memory run(Host host, @Nullable HostRuntime runtime, Evidence evidence) {
        Long total = evidence.note("memory.total_mb", meminfo(host, "MemTotal"), "/proc/meminfo MemTotal");
        return new Memory(total, modules(host, runtime, evidence), limit(host, evidence));
    }

    /** @param key such as {@code MemAvailable}; MiB, null when unknown */
    static @Nullable Long meminfo(Host host, String key) {
        var pattern = Pattern.compile("(?m)^" + Pattern.quote(key) + ":\\s*(\\d+)\\s*kB");
        return host.read("/proc/meminfo")
                .map(pattern::matcher)
                .filter(Matcher::find)
                .map(found -> Parsing.number(found.group(1)))
                .filter(OptionalLong::isPresent)
                .map(kibibytes -> kibibytes.getAsLong() / 1024)
                .orElse(null);
    }

    /** MiB that the control group holds; null when unknown. */
    static @Nullable Long groupUsage(Host host) {
        OptionalLong current = host.number("/sys/fs/cgroup/memory.current");
        return Parsing.mebibytes(
                current.isPresent() ? current : host.number("/sys/fs/cgroup/memory/memory.usage_in_bytes"));
    }

    private static @Nullable Long modules(Host host, @Nullable HostRuntime runtime, Evidence evidence) {
        String field = "memory.dimm_sum_mb";
        if (runtime == null || !runtime.isContainer()) {
            return evidence.note(field, null, "only asked for in a container, where the total may be capped");
        }
        if (!isRoot(host)) {
            return evidence.note(field, null, "only root may read the module sizes");
        }
        long sum = host.output(Probe.DEADLINE, "dmidecode", "-t", "memory")
                .map(text -> MODULE.matcher(text)
                        .results()
                        .mapToLong(module -> Long.parseLong(module.group(1))
                                * switch (module.group(2)) {
                                    case "TB" -> 1 << 20;
                                    case "GB" -> 1 << 10;
                                    default -> 1;
                                })
                        .sum())
                .orElse(0L);
        return evidence.note(field, sum == 0 ? null : Long.valueOf(sum), "dmidecode -t memory");
    }

    private static boolean isRoot(Host host) {
        return host.read("/proc/self/status")
                .map(USER::matcher)
                .filter(found -> found.find() && found.group(1).equals("0"))
                .isPresent();
    }

    private static @Nullable Long limit(Host host, Evidence evidence) {
        String field = "memory.cgroup_max_mb";
        for (String path : new String[] {LIMIT_V2, LIMIT_V1}) {
            var text = host.line(path);
            if (text.isPresent()) {
                Long limit = Parsing.mebibytes(Parsing.number(text.get()));
                return evidence.note(field, limit, limit == null ? path + " sets no limit" : path);
            }
        }
        return evidence.note(field, null, "no " + LIMIT_V2 + " and no " + LIMIT_V1);
    }
}
