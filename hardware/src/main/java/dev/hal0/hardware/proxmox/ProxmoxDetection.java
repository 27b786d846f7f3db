package dev.hal0.hardware.proxmox;

import java.util.regex.Pattern;

/** Whether this machine looks like a guest of Proxmox VE, for a person who has not configured it. */
public enum ProxmoxDetection {
    /** A Proxmox kernel and a container's first process. */
    DETECTED("This looks like a container on Proxmox VE: add an API token to see the host's memory."),
    /** Only one of the two signs. */
    UNCERTAIN("This may be a container on Proxmox VE: if it is, add an API token to see the host's memory."),
    NONE("No sign of Proxmox VE; a virtual machine on it shows none.");

    private static final Pattern PVE_KERNEL = Pattern.compile("-pve\\b");
    private static final Pattern LXC_GROUP = Pattern.compile("[:/]lxc(?:[./]|$)", Pattern.MULTILINE);

    private final String hint;

    ProxmoxDetection(String hint) {
        this.hint = hint;
    }

    /**
     * Judges by what the kernel tells its guests.
     *
     * @param procVersion content of {@code /proc/version}, empty when unreadable
     * @param firstProcessGroups content of {@code /proc/1/cgroup}, empty when unreadable
     */
    public static ProxmoxDetection of(String procVersion, String firstProcessGroups) {
        boolean kernel = PVE_KERNEL.matcher(procVersion).find();
        boolean container = LXC_GROUP.matcher(firstProcessGroups).find();
        if (kernel && container) {
            return DETECTED;
        }
        return kernel || container ? UNCERTAIN : NONE;
    }

    /** One sentence for the person. */
    public String hint() {
        return hint;
    }
}
