package dev.hal0.helper.daemon;

import dev.hal0.helper.ContainerPlan;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * The one {@code podman run} that a checked plan becomes. Every flag is one word with {@code =}, so that no value can become a
 * flag; after the image nothing is a flag any more.
 */
final class PodmanCommand {
    /** Containers in it answer on their published port and can open no connection. */
    static final String SEALED_NETWORK = "hal0-slots";

    private PodmanCommand() {}

    /**
     * @param roots that {@link PlanCheck} found
     * @param user numeric {@code uid:gid} of the caller: inside is nobody who could read more than he can
     */
    static List<String> run(
            String podman,
            ContainerPlan plan,
            List<Path> roots,
            MachineDevices.Found devices,
            String user,
            SlotPaths paths) {
        String name = SlotPaths.container(plan.slot());
        var words = new ArrayList<>(List.of(
                podman,
                "run",
                "--name=" + name,
                "--replace",
                "--rm",
                "--detach",
                "--sdnotify=conmon",
                "--cgroups=split",
                "--log-driver=passthrough",
                "--pull=never",
                "--no-healthcheck",
                "--user=" + user,
                "--cap-drop=all",
                "--security-opt=no-new-privileges",
                "--pids-limit=" + plan.pidsLimit()));
        if (plan.memoryLimitBytes() != null) {
            words.add("--memory=" + plan.memoryLimitBytes() + "b");
        }
        if (plan.readOnlyRoot()) {
            words.add("--read-only");
            words.add("--tmpfs=/tmp:rw,nosuid,nodev,size=256m,mode=1777");
        }
        words.add("--network=" + (plan.outbound() ? "podman" : SEALED_NETWORK));
        words.add("--publish=127.0.0.1:" + plan.port() + ":" + plan.port() + "/tcp");
        devices.nodes().forEach(node -> words.add("--device=" + node));
        devices.groups().forEach(group -> words.add("--group-add=" + group));
        roots.forEach(root -> words.add("--volume=" + root + ":" + root + ":ro"));
        words.add("--volume=" + paths.key(plan.slot()) + ":" + plan.keyFile() + ":ro");
        words.add("--label=hal0.managed=1");
        words.add("--label=hal0.slot=" + plan.slot());
        words.add("--label=hal0.model=" + plan.modelId());
        words.add("--label=hal0.config-hash=" + plan.planHash());
        // In a file, so that starting the same plan again leaves the unit as it is.
        words.add("--label-file=" + paths.labels(plan.slot()));
        new TreeMap<>(plan.environment()).forEach((variable, value) -> words.add("--env=" + variable + "=" + value));
        words.add("--entrypoint=" + plan.program());
        words.add(plan.image());
        words.addAll(plan.arguments());
        return words;
    }
}
