package dev.hal0.hardware;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Finds the neural processor by its PCI identity; the node's or the module's existence names no device. */
final class NpuProbe {
    private static final String PCI = "/sys/bus/pci/devices/";
    private static final String XDNA_DRIVER = "/sys/bus/pci/drivers/amdxdna/";
    private static final String INTEL_DRIVER = "/sys/bus/pci/drivers/intel_vpu/";
    private static final String XDNA_1 = "1022:1502";
    private static final String XDNA_2 = "1022:17f0";
    private static final int STRIX_HALO_COLUMNS = 8;

    private NpuProbe() {}

    private record Found(String pciId, @Nullable String driver, String folder, String source) {}

    static Npu run(Host host, Evidence evidence) {
        Found found = find(host);
        if (found == null) {
            boolean module = host.exists("/sys/module/amdxdna");
            if (!module) {
                evidence.note("npu.present", false, "no device of a known NPU driver and no known PCI id");
                return Npu.NONE;
            }
            // A container may be shown the module and no PCI bus.
            found = new Found("", "amdxdna", "", "/sys/module/amdxdna");
        }
        String pciId = found.pciId().isEmpty() ? null : found.pciId();
        evidence.note("npu.present", true, found.source());
        boolean amd = pciId == null || pciId.startsWith("1022:");
        String generation = XDNA_1.equals(pciId) ? "xdna1" : XDNA_2.equals(pciId) ? "xdna2" : null;
        String revision = host.line(found.folder() + "/revision").orElse("").replaceFirst("^0x", "");
        String name = evidence.note(
                "npu.name", amd ? amdName(generation, revision) : "Intel NPU", "PCI id and revision " + revision);
        String path = accelPath(host, found.folder());
        NodeAccess access = path == null ? NodeAccess.ABSENT : host.open(path);
        evidence.note("npu.access", access, path == null ? "no node below /dev/accel" : "opening " + path);
        boolean strixHalo = XDNA_2.equals(pciId) && revision.equals("11");
        return new Npu(
                true,
                amd ? "amd" : "intel",
                name,
                generation,
                pciId,
                found.driver(),
                access == NodeAccess.ABSENT ? null : path,
                access,
                evidence.note(
                        "npu.aie_columns",
                        strixHalo ? Integer.valueOf(STRIX_HALO_COLUMNS) : null,
                        strixHalo ? "Strix Halo's revision" : "not asked: validating the NPU takes seconds"));
    }

    private static @Nullable Found find(Host host) {
        for (String driver : List.of(XDNA_DRIVER, INTEL_DRIVER)) {
            for (String entry : host.list(driver)) {
                String pciId = pciId(host, driver + entry);
                if (pciId != null) {
                    String name = driver.equals(XDNA_DRIVER) ? "amdxdna" : "intel_vpu";
                    return new Found(pciId, name, driver + entry, driver + entry + "/uevent");
                }
            }
        }
        for (String slot : host.list(PCI)) {
            String pciId = pciId(host, PCI + slot);
            if (pciId != null && (pciId.equals(XDNA_1) || pciId.equals(XDNA_2))) {
                String driver = Parsing.assignments(
                                host.read(PCI + slot + "/uevent").orElse(""))
                        .get("DRIVER");
                return new Found(pciId, driver, PCI + slot, PCI + slot + "/uevent");
            }
        }
        return null;
    }

    private static @Nullable String pciId(Host host, String folder) {
        String pciId =
                Parsing.assignments(host.read(folder + "/uevent").orElse("")).get("PCI_ID");
        return pciId == null ? null : pciId.toLowerCase(Locale.ROOT);
    }

    private static String amdName(@Nullable String generation, String revision) {
        if (generation == null) {
            return "AMD XDNA NPU";
        }
        if (generation.equals("xdna1")) {
            return "AMD XDNA NPU (Phoenix, Hawk Point)";
        }
        return "AMD XDNA 2 NPU"
                + switch (revision) {
                    case "10" -> " (Strix Point)";
                    case "11" -> " (Strix Halo)";
                    case "20" -> " (Krackan)";
                    default -> "";
                };
    }

    /** The device's own node where sysfs says which, else the first there is. */
    private static @Nullable String accelPath(Host host, String folder) {
        var own = folder.isEmpty() ? List.<String>of() : host.list(folder + "/accel");
        var nodes = own.isEmpty() ? host.list("/dev/accel") : own;
        return nodes.isEmpty() ? null : "/dev/accel/" + nodes.getFirst();
    }
}
