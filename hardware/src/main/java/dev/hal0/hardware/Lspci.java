package dev.hal0.hardware;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Device names from {@code lspci -D -nnk}. */
final class Lspci {
    private static final Pattern DEVICE = Pattern.compile(
            "^((?:[0-9a-fA-F]{4,8}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7])\\s+(.*?)(?:\\s*\\[([0-9a-fA-F]{4})])?:\\s+(.*)$");
    private static final Pattern IDS = Pattern.compile("\\s*\\[([0-9a-fA-F]{4}:[0-9a-fA-F]{4})].*$");
    private static final Pattern REVISION = Pattern.compile("\\s*\\((rev|prog-if) [^)]*\\).*$");

    private Lspci() {}

    /** @param kind {@code VGA compatible controller} */
    record Device(
            String slot,
            String kind,
            @Nullable String name,
            @Nullable String pciId,
            @Nullable String driver) {
        boolean isDisplay() {
            return kind.startsWith("VGA compatible") || kind.startsWith("3D") || kind.startsWith("Display");
        }
    }

    /** By slot address, in bus order. Empty when there is no such tool. */
    static Map<String, Device> run(Host host) {
        var devices = new LinkedHashMap<String, Device>();
        String last = null;
        for (String line : host.output(Probe.DEADLINE, "lspci", "-D", "-nnk")
                .orElse("")
                .lines()
                .toList()) {
            Matcher found = DEVICE.matcher(line);
            if (found.matches()) {
                last = Parsing.pciSlot(found.group(1));
                devices.put(last, device(last, found.group(2), found.group(4)));
            } else if (last != null && line.strip().startsWith("Kernel driver in use:")) {
                String driver = line.substring(line.indexOf(':') + 1).strip();
                devices.computeIfPresent(
                        last, (slot, device) -> new Device(slot, device.kind(), device.name(), device.pciId(), driver));
            }
        }
        return devices;
    }

    private static Device device(String slot, String kind, String text) {
        Matcher ids = IDS.matcher(text);
        String pciId = ids.find() ? ids.group(1).toLowerCase(Locale.ROOT) : null;
        String name = REVISION.matcher(ids.replaceFirst(""))
                .replaceFirst("")
                .replace("Advanced Micro Devices, Inc. [AMD/ATI]", "AMD")
                .replace("Intel Corporation", "Intel")
                .replace("NVIDIA Corporation", "NVIDIA")
                .strip();
        // Older name lists know the vendor only, which is less than every other source gives.
        return new Device(slot, kind, name.endsWith(" Device") ? null : name, pciId, null);
    }
}
