package dev.hal0.hardware;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A GPU that some source names, before the others are asked about it.
 *
 * @param folder its device folder in sysfs; null when only a tool names it
 * @param card {@code card0}; null without a driver
 */
record GpuCandidate(
        @Nullable String slot,
        @Nullable String folder,
        @Nullable String pciId,
        @Nullable String driver,
        @Nullable String card,
        @Nullable String render) {
    private static final String PCI = "/sys/bus/pci/devices/";
    private static final String DRM = "/sys/class/drm/";

    /** All GPUs of all vendors in slot order, those without an address last. */
    static List<GpuCandidate> find(Host host, List<NvidiaSmi.Row> nvidia, Map<String, Lspci.Device> lspci) {
        var bySlot = new TreeMap<String, GpuCandidate>();
        for (String slot : host.list(PCI)) {
            if (host.line(PCI + slot + "/class").filter(GpuCandidate::isDisplay).isPresent()) {
                bySlot.put(Parsing.pciSlot(slot), inFolder(host, PCI + slot, Parsing.pciSlot(slot), null));
            }
        }
        var withoutSlot = new ArrayList<GpuCandidate>();
        for (String card : host.list(DRM)) {
            String folder = DRM + card + "/device";
            if (card.matches("card\\d+") && host.exists(folder)) {
                String slot = Parsing.assignments(host.read(folder + "/uevent").orElse(""))
                        .get("PCI_SLOT_NAME");
                if (slot == null) {
                    withoutSlot.add(inFolder(host, folder, null, card));
                } else {
                    bySlot.computeIfAbsent(Parsing.pciSlot(slot), address -> inFolder(host, folder, address, card));
                }
            }
        }
        lspci.values().stream()
                .filter(Lspci.Device::isDisplay)
                .forEach(device -> bySlot.putIfAbsent(
                        device.slot(),
                        new GpuCandidate(device.slot(), null, device.pciId(), device.driver(), null, null)));
        // Inside WSL the driver answers for a card that the virtual machine's own PCI bus does not show.
        nvidia.forEach(
                row -> bySlot.putIfAbsent(row.slot(), new GpuCandidate(row.slot(), null, null, null, null, null)));
        var all = new ArrayList<>(bySlot.values());
        all.addAll(withoutSlot);
        return List.copyOf(all);
    }

    private static GpuCandidate inFolder(Host host, String folder, @Nullable String slot, @Nullable String card) {
        var facts = Parsing.assignments(host.read(folder + "/uevent").orElse(""));
        String pciId = facts.get("PCI_ID");
        if (pciId == null) {
            var vendor = host.line(folder + "/vendor");
            var device = host.line(folder + "/device");
            if (vendor.isPresent() && device.isPresent()) {
                pciId = vendor.get().replaceFirst("^0x", "") + ":"
                        + device.get().replaceFirst("^0x", "");
            }
        }
        List<String> nodes = host.list(folder + "/drm");
        return new GpuCandidate(
                slot,
                folder,
                pciId == null ? null : pciId.toLowerCase(Locale.ROOT),
                facts.get("DRIVER"),
                first(nodes, "card\\d+", card),
                first(nodes, "renderD\\d+", null));
    }

    private static @Nullable String first(List<String> names, String pattern, @Nullable String otherwise) {
        return names.stream().filter(name -> name.matches(pattern)).findFirst().orElse(otherwise);
    }

    /** PCI base class 03, as in {@code 0x030000} and {@code 0x038000}. */
    private static boolean isDisplay(String pciClass) {
        return pciClass.startsWith("0x03");
    }
}
