package dev.hal0.hardware;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Decides what stands between hal0 and the metal.
 *
 * @param proxmoxNamed whether a firmware string names Proxmox
 * @param proxmoxLikely null when nothing could be read
 */
record RuntimeProbe(
        @Nullable HostRuntime runtime,
        boolean proxmoxNamed,
        @Nullable Boolean proxmoxLikely) {
    private static final String DMI = "/sys/class/dmi/id/";
    private static final List<String> DMI_FIELDS = List.of(
            "sys_vendor",
            "product_name",
            "product_version",
            "bios_vendor",
            "bios_version",
            "board_vendor",
            "board_name",
            "chassis_vendor",
            "chassis_version");
    private static final Pattern LXC_GROUP = Pattern.compile("[:/]lxc([./]|$)", Pattern.MULTILINE);
    private static final Pattern OTHER_GROUP =
            Pattern.compile("docker|libpod|kubepods|containerd|machine\\.slice/.*nspawn");

    static RuntimeProbe run(Host host, Evidence evidence) {
        String version = host.line("/proc/version").orElse("");
        String release = host.line("/proc/sys/kernel/osrelease").orElse("");
        HostRuntime runtime = runtime(host, version + " " + release, evidence);
        boolean named =
                DMI_FIELDS.stream().anyMatch(field -> Parsing.containsIgnoringCase(dmi(host, field), "proxmox"));
        return new RuntimeProbe(runtime, named, proxmoxLikely(host, runtime, named, version + " " + release, evidence));
    }

    private static @Nullable HostRuntime runtime(Host host, String kernel, Evidence evidence) {
        String field = "runtime";
        if (Parsing.containsIgnoringCase(kernel, "microsoft") || Parsing.containsIgnoringCase(kernel, "wsl")) {
            return evidence.note(field, HostRuntime.WSL2, "/proc/version names Microsoft's kernel");
        }
        var manager = manager(host);
        if (manager.isPresent()) {
            boolean lxc = manager.get().name().startsWith("lxc");
            return evidence.note(
                    field,
                    lxc ? HostRuntime.LXC : HostRuntime.CONTAINER,
                    manager.get().source() + " says " + manager.get().name());
        }
        Optional<String> hypervisor = hypervisor(host);
        if (hypervisor.isPresent()) {
            return evidence.note(field, HostRuntime.KVM, hypervisor.get());
        }
        if (kernel.isBlank() && !host.exists("/proc/cpuinfo")) {
            return evidence.note(field, null, "neither /proc/version nor /proc/cpuinfo can be read");
        }
        return evidence.note(field, HostRuntime.BARE_METAL, "no sign of a container or a hypervisor");
    }

    private record Manager(String name, String source) {}

    /** With a namespace of its own, the container's control group says nothing and only the other places tell. */
    private static Optional<Manager> manager(Host host) {
        var systemd = host.line("/run/systemd/container").filter(name -> !name.equals("wsl"));
        if (systemd.isPresent()) {
            return Optional.of(new Manager(systemd.get(), "/run/systemd/container"));
        }
        String environment = host.read("/proc/1/environ").orElse("");
        for (String pair : environment.split("\0")) {
            String name = pair.strip();
            if (name.startsWith("container=") && name.length() > "container=".length()) {
                return Optional.of(new Manager(name.substring("container=".length()), "/proc/1/environ"));
            }
        }
        for (String path : new String[] {"/proc/1/cgroup", "/proc/self/cgroup"}) {
            String groups = host.read(path).orElse("");
            if (LXC_GROUP.matcher(groups).find()) {
                return Optional.of(new Manager("lxc", path));
            }
            // Only pid 1 tells: a service of the host may well run below a group named after its container tool.
            if (path.equals("/proc/1/cgroup") && OTHER_GROUP.matcher(groups).find()) {
                return Optional.of(new Manager("a container's group", path));
            }
        }
        if (host.exists("/.dockerenv")) {
            return Optional.of(new Manager("docker", "/.dockerenv"));
        }
        return host.exists("/run/.containerenv")
                ? Optional.of(new Manager("podman", "/run/.containerenv"))
                : Optional.empty();
    }

    /** The sentence that proves a virtual machine. EDK II alone proves nothing: real boards carry it too. */
    private static Optional<String> hypervisor(Host host) {
        String vendor = dmi(host, "sys_vendor");
        String product = dmi(host, "product_name");
        for (String word : List.of("qemu", "kvm")) {
            if (Parsing.containsIgnoringCase(vendor, word) || Parsing.containsIgnoringCase(product, word)) {
                return Optional.of("firmware says " + vendor + " " + product);
            }
        }
        if (Parsing.containsIgnoringCase(vendor, "red hat")) {
            return Optional.of("firmware says " + vendor + " " + product);
        }
        if (Boolean.TRUE.equals(CpuProbe.hypervisorFlag(host))) {
            return Optional.of("the processor's hypervisor flag is set"
                    + (vendor == null ? "" : "; firmware says " + vendor + " " + product));
        }
        return host.line("/sys/hypervisor/type").map(type -> "/sys/hypervisor/type says " + type);
    }

    private static @Nullable Boolean proxmoxLikely(
            Host host, @Nullable HostRuntime runtime, boolean named, String kernel, Evidence evidence) {
        String field = "proxmox_likely";
        if (runtime == null) {
            return evidence.note(field, null, "the runtime is unknown");
        }
        if (named) {
            return evidence.note(field, true, "a firmware string names Proxmox");
        }
        if (kernel.contains("-pve")) {
            return evidence.note(field, true, "the kernel is Proxmox's");
        }
        boolean shape = runtime == HostRuntime.KVM
                && Parsing.containsIgnoringCase(dmi(host, "product_name"), "q35")
                && host.read("/proc/cmdline")
                        .orElse("")
                        .toLowerCase(Locale.ROOT)
                        .contains("virtio");
        return evidence.note(
                field, shape, shape ? "a Q35 machine with virtio, as others make too" : "no sign of Proxmox");
    }

    private static @Nullable String dmi(Host host, String field) {
        return host.line(DMI + field).orElse(null);
    }
}
