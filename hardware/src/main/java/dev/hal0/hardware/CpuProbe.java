package dev.hal0.hardware;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads {@code /proc/cpuinfo}. */
final class CpuProbe {
    private static final String CPUINFO = "/proc/cpuinfo";

    private CpuProbe() {}

    static Cpu run(Host host, Evidence evidence) {
        String text = host.read(CPUINFO).orElse("");
        List<Map<String, String>> stanzas = processors(text);
        Integer threads = evidence.note(
                "cpu.threads",
                stanzas.isEmpty() ? null : Integer.valueOf(stanzas.size()),
                CPUINFO + " processor stanzas");
        String architecture = evidence.note(
                "cpu.architecture",
                host.line("/proc/sys/kernel/arch")
                        .or(() -> host.output(Probe.DEADLINE, "uname", "-m").map(String::strip))
                        .orElse(null),
                "/proc/sys/kernel/arch, else uname -m");
        String model = model(text, architecture, evidence);
        Integer cores = cores(host, stanzas, threads, evidence);
        return new Cpu(model, cores, threads, architecture);
    }

    /** Whether the processor says that a hypervisor runs it; null on processors that have no such flag. */
    static @Nullable Boolean hypervisorFlag(Host host) {
        return host.read(CPUINFO)
                .flatMap(text -> value(text, "flags"))
                .map(flags -> (" " + flags + " ").contains(" hypervisor "))
                .orElse(null);
    }

    private static @Nullable String model(String text, @Nullable String architecture, Evidence evidence) {
        for (String key : List.of("model name", "Model", "Hardware", "CPU part")) {
            var found = value(text, key);
            if (found.isPresent()) {
                String model = key.equals("CPU part") ? "CPU part " + found.get() : found.get();
                return evidence.note("cpu.model", model, CPUINFO + " " + key);
            }
        }
        return evidence.note(
                "cpu.model",
                architecture == null ? null : architecture + " CPU",
                CPUINFO + " names no model; the architecture stands in");
    }

    private static @Nullable Integer cores(
            Host host, List<Map<String, String>> stanzas, @Nullable Integer threads, Evidence evidence) {
        if (threads == null) {
            return evidence.note("cpu.cores", null, "no processor stanzas in " + CPUINFO);
        }
        // One package's count may differ from another's, and virtual machines omit the package number.
        var perPackage = new HashMap<String, Long>();
        for (var stanza : stanzas) {
            Long cores = Parsing.numberOrNull(stanza.get("cpu cores"));
            if (cores != null && cores > 0) {
                perPackage.merge(stanza.getOrDefault("physical id", "0"), cores, Math::max);
            }
        }
        if (!perPackage.isEmpty()) {
            long cores = perPackage.values().stream().mapToLong(Long::longValue).sum();
            // The kernel does not narrow "cpu cores" to the processors that a container was given.
            return evidence.note(
                    "cpu.cores",
                    Integer.valueOf((int) Math.min(cores, threads)),
                    CPUINFO + " cpu cores of each physical id"
                            + (cores > threads ? " (" + cores + ", capped at the processors given)" : ""));
        }
        var topology = new HashSet<String>();
        for (var stanza : stanzas) {
            String folder = "/sys/devices/system/cpu/cpu" + stanza.get("processor") + "/topology/";
            var core = host.line(folder + "core_id");
            core.ifPresent(
                    id -> topology.add(host.line(folder + "physical_package_id").orElse("0") + ":" + id));
        }
        Integer cores = topology.isEmpty() ? null : Integer.valueOf(topology.size());
        return evidence.note("cpu.cores", cores, "/sys/devices/system/cpu topology");
    }

    private static List<Map<String, String>> processors(String text) {
        var stanzas = new ArrayList<Map<String, String>>();
        for (String stanza : text.split("\\n\\s*\\n")) {
            var pairs = new HashMap<String, String>();
            stanza.lines().forEach(line -> {
                int colon = line.indexOf(':');
                if (colon > 0) {
                    pairs.putIfAbsent(
                            line.substring(0, colon).strip(),
                            line.substring(colon + 1).strip());
                }
            });
            if (pairs.containsKey("processor")) {
                stanzas.add(pairs);
            }
        }
        return stanzas;
    }

    /** Keys differ in case only: {@code model} is a number on x86, {@code Model} the board's name on ARM. */
    private static Optional<String> value(String text, String key) {
        return text.lines()
                .filter(line -> line.startsWith(key)
                        && line.substring(key.length()).stripLeading().startsWith(":"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .filter(value -> !value.isEmpty())
                .findFirst();
    }
}
