package dev.hal0.helper.daemon;

import dev.hal0.kernel.CommandResult;
import dev.hal0.kernel.DurableFiles;
import java.nio.charset.StandardCharsets;

/**
 * The wall around containers that only answer. They are in a podman network of their own, and a table of ours drops everything
 * that comes from its bridge and does not belong to a connection that came in: to the world, and to this machine. A drop in
 * any table is final, so no other firewall can allow it again. Each unit loads the table before its container, in one
 * transaction; where that fails, the container does not start.
 */
final class Egress {
    private final Tools tools;
    private final DurableFiles files;
    private final SlotPaths paths;

    Egress(Tools tools, DurableFiles files, SlotPaths paths) {
        this.tools = tools;
        this.files = files;
        this.paths = paths;
    }

    /** Makes the network and writes the rules for its bridge; repeats nothing that is there. */
    void prepare() {
        String network = PodmanCommand.SEALED_NETWORK;
        CommandResult bridge = bridge();
        if (!bridge.succeeded()) {
            CommandResult created = tools.podman(tools.question(), "network", "create", "--disable-dns", network);
            bridge = bridge();
            if (!bridge.succeeded()) {
                created.requireSuccess("Creating podman's network " + network);
            }
        }
        String rules = rules(bridge.requireSuccess("Looking at podman's network " + network)
                .stdout()
                .strip());
        if (!files.read(paths.egressRules()).equals(java.util.Optional.of(rules))) {
            files.write(paths.egressRules(), rules.getBytes(StandardCharsets.UTF_8), DurableFiles.PRIVATE);
        }
    }

    private CommandResult bridge() {
        return tools.podman(
                tools.question(), "network", "inspect", "--format={{.NetworkInterface}}", PodmanCommand.SEALED_NETWORK);
    }

    static String rules(String bridge) {
        if (!bridge.matches("[A-Za-z0-9._-]{1,15}")) {
            throw new IllegalStateException("podman names a bridge '" + bridge + "'");
        }
        return """
                table inet hal0_slots
                delete table inet hal0_slots
                table inet hal0_slots {
                    chain forward {
                        type filter hook forward priority -10; policy accept;
                        iifname "%1$s" ct state != { established, related } drop
                    }
                    chain input {
                        type filter hook input priority -10; policy accept;
                        iifname "%1$s" ct state != { established, related } drop
                    }
                }
                """.formatted(bridge);
    }
}
