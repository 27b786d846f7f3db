package dev.hal0.hardware.proxmox;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What this machine knows about itself as a guest. Immutable.
 *
 * @param vmid the guest's number in the cluster, or null when unknown
 * @param hostName looked at only when {@code vmid} is unknown; empty when that is unknown too
 */
public record OwnGuest(@Nullable Integer vmid, String hostName) {
    private static final Pattern NUMBERED_GROUP =
            Pattern.compile("[:/]lxc(?:\\.payload\\.|/)([1-9][0-9]{2,8})(?:/|$)", Pattern.MULTILINE);

    /**
     * Takes the number from the control group, where it is told.
     *
     * @param firstProcessGroups content of {@code /proc/1/cgroup}; names the container's number unless the container has a
     *     control group namespace of its own
     */
    public static OwnGuest of(String firstProcessGroups, String hostName) {
        return new OwnGuest(numberIn(firstProcessGroups).orElse(null), hostName.strip());
    }

    private static Optional<Integer> numberIn(String groups) {
        Matcher matcher = NUMBERED_GROUP.matcher(groups);
        return matcher.find() ? Optional.of(Integer.valueOf(matcher.group(1))) : Optional.empty();
    }

    /** For messages: how the guest is looked for. */
    String description() {
        if (vmid != null) {
            return "numbered " + vmid;
        }
        return hostName.isEmpty() ? "of a known number or name" : "named " + hostName;
    }
}
