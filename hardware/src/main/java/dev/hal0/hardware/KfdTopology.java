package dev.hal0.hardware;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** ROCm targets from the kernel's own list, which needs no tool. */
final class KfdTopology {
    private static final String NODES = "/sys/class/kfd/kfd/topology/nodes/";

    private KfdTopology() {}

    /**
     * @param gfx {@code gfx1151}
     * @param slot null when the node does not say
     * @param render {@code renderD128}; null when the node does not say
     */
    record Node(String gfx, @Nullable String slot, @Nullable String render) {}

    /** GPU nodes only. */
    static List<Node> run(Host host) {
        var nodes = new ArrayList<Node>();
        for (String name : host.list(NODES)) {
            String text = host.read(NODES + name + "/properties").orElse("");
            String gfx = gfx(value(text, "gfx_target_version"));
            if (gfx != null) {
                Long minor = value(text, "drm_render_minor");
                nodes.add(new Node(gfx, slot(text), minor == null || minor == 0 ? null : "renderD" + minor));
            }
        }
        return List.copyOf(nodes);
    }

    /** The node of one GPU; with a single AMD GPU a single node needs no further proof. */
    static @Nullable Node of(GpuCandidate gpu, List<Node> nodes, boolean onlyOne) {
        for (Node node : nodes) {
            if (node.slot() != null
                    ? node.slot().equals(gpu.slot())
                    : node.render() != null && node.render().equals(gpu.render())) {
                return node;
            }
        }
        return onlyOne && nodes.size() == 1 && nodes.getFirst().slot() == null ? nodes.getFirst() : null;
    }

    /** 110501 is gfx1151 and 90010 gfx90a: minor and step are one hexadecimal digit each. 0 is a CPU; null then. */
    static @Nullable String gfx(@Nullable Long version) {
        if (version == null || version <= 0 || version > 999_999) {
            return null;
        }
        return "gfx" + version / 10_000 + Long.toHexString(version / 100 % 100) + Long.toHexString(version % 100);
    }

    private static @Nullable String slot(String properties) {
        Long location = value(properties, "location_id");
        Long domain = value(properties, "domain");
        if (location == null || location == 0) {
            return null;
        }
        return String.format(
                Locale.ROOT,
                "%04x:%02x:%02x.%d",
                domain == null ? 0 : domain,
                location >> 8 & 0xff,
                location >> 3 & 0x1f,
                location & 7);
    }

    private static @Nullable Long value(String properties, String key) {
        return properties
                .lines()
                .filter(line -> line.startsWith(key + " "))
                .findFirst()
                .map(line -> Parsing.numberOrNull(line.substring(key.length())))
                .orElse(null);
    }
}
