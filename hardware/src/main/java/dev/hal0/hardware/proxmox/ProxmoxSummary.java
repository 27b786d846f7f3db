package dev.hal0.hardware.proxmox;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What is known about the Proxmox host. All variants are immutable and hold no secret. Memory is in MiB. */
public sealed interface ProxmoxSummary {

    /** Nothing is stored; the detection says whether it is worth a hint. */
    record NotConfigured(ProxmoxDetection detection) implements ProxmoxSummary {}

    /** Settings exist, and the host's figures are unknown. {@code error} is one sentence or two for a person. */
    record Failed(Reason reason, String error) implements ProxmoxSummary {}

    /** Why there is no reading. */
    enum Reason {
        /** The stored file is broken. */
        SETTINGS,
        /** No connection, or it broke off. */
        UNREACHABLE,
        /** Nothing complete within the deadline. */
        TIMEOUT,
        /** The certificate is not the pinned one, not trusted, or the handshake failed. The token was not sent. */
        CERTIFICATE,
        /** Answered 401 or 403. */
        TOKEN_REFUSED,
        /** Answered 3xx, which is not followed. */
        REDIRECTED,
        /** Another answer than 200, or one that is not understood. */
        BAD_ANSWER,
        /** The answer exceeds the bound. */
        TOO_LARGE,
        /** The token may see no node, or not its figures. */
        NO_NODE,
        /** Several nodes, and no telling which one this guest is on. */
        NODE_UNKNOWN
    }

    /**
     * The node that this guest runs on.
     *
     * @param hostCpuPct 0 to 100, or null when not told
     * @param hostCpuCount logical CPUs, or null when not told
     * @param hostUptimeS seconds, or null when not told
     * @param tenants the guests on this node, ourselves included; running ones first, then by size
     * @param ownVmid which of them we are, or null when that is unknown
     */
    record Reading(
            String node,
            long hostMemTotalMb,
            long hostMemUsedMb,
            long hostMemFreeMb,
            @Nullable Double hostCpuPct,
            @Nullable Integer hostCpuCount,
            @Nullable Long hostUptimeS,
            List<Tenant> tenants,
            @Nullable Integer ownVmid)
            implements ProxmoxSummary {

        public Reading {
            tenants = List.copyOf(tenants);
        }

        /** All of {@link #tenants()} but ourselves. */
        public List<Tenant> otherTenants() {
            return tenants.stream().filter(tenant -> !isOwn(tenant)).toList();
        }

        /** Ourselves as the host sees us. */
        public Optional<Tenant> own() {
            return tenants.stream().filter(this::isOwn).findFirst();
        }

        public int tenantsTotal() {
            return tenants.size();
        }

        public int tenantsRunning() {
            return (int) tenants.stream().filter(Tenant::running).count();
        }

        /** What the running guests may take together; more than the host has when it is overcommitted. */
        public long tenantsAllocatedMb() {
            return tenants.stream()
                    .filter(Tenant::running)
                    .mapToLong(tenant -> tenant.maxmemMb() == null ? 0 : tenant.maxmemMb())
                    .sum();
        }

        private boolean isOwn(Tenant tenant) {
            return ownVmid != null && ownVmid == tenant.vmid();
        }
    }

    /**
     * A guest. Null is a figure that was not told.
     *
     * @param type {@code lxc} or {@code qemu}
     * @param name empty when it has none
     * @param status {@code running}, {@code stopped} or another word of Proxmox; {@code unknown} when not told
     * @param maxcpu CPUs it may use; a container's may be a fraction
     * @param cpuPct share of {@code maxcpu}, 0 to 100
     */
    record Tenant(
            String type,
            int vmid,
            String name,
            String status,
            @Nullable Long maxmemMb,
            @Nullable Long memMb,
            @Nullable Double maxcpu,
            @Nullable Double cpuPct,
            String node) {
        public boolean running() {
            return status.equals("running");
        }
    }
}
