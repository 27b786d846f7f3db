package dev.hal0.hardware;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The devices that {@code vulkaninfo --summary} lists. */
final class VulkanSummary {
    /** Loading every installed driver takes longer than other tools need. */
    private static final Duration DEADLINE = Duration.ofSeconds(6);

    private VulkanSummary() {}

    /**
     * @param pciId {@code 1002:1586}; null when the tool gave none
     * @param integrated null for virtual and unnamed types
     */
    record Device(
            @Nullable String name,
            @Nullable String pciId,
            @Nullable Boolean integrated) {}

    /** Real devices only: software renderers appear as devices too. */
    static List<Device> run(Host host) {
        var devices = new ArrayList<Device>();
        String text =
                host.output(DEADLINE, "vulkaninfo", "--summary").orElse("").replace("\r", "");
        for (String part : text.split("(?m)^GPU\\d+:\\s*$")) {
            var facts = new HashMap<String, String>();
            part.lines().forEach(line -> {
                int equals = line.indexOf('=');
                if (equals > 0) {
                    facts.putIfAbsent(
                            line.substring(0, equals).strip(),
                            line.substring(equals + 1).strip());
                }
            });
            String type = facts.getOrDefault("deviceType", "");
            if (facts.containsKey("deviceName") && !type.contains("_CPU")) {
                Boolean integrated =
                        type.contains("INTEGRATED") ? Boolean.TRUE : type.contains("DISCRETE") ? Boolean.FALSE : null;
                devices.add(new Device(facts.get("deviceName"), pciId(facts), integrated));
            }
        }
        return List.copyOf(devices);
    }

    static Optional<Device> of(@Nullable String pciId, List<Device> devices) {
        return devices.stream()
                .filter(device -> pciId != null && pciId.equals(device.pciId()))
                .findFirst();
    }

    private static @Nullable String pciId(Map<String, String> facts) {
        String vendor = facts.get("vendorID");
        String device = facts.get("deviceID");
        if (vendor == null || device == null || !vendor.startsWith("0x") || !device.startsWith("0x")) {
            return null;
        }
        return (vendor.substring(2) + ":" + device.substring(2)).toLowerCase(Locale.ROOT);
    }
}
