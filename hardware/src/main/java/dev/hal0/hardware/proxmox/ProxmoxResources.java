package dev.hal0.hardware.proxmox;

import dev.hal0.hardware.proxmox.ProxmoxSummary.Failed;
import dev.hal0.hardware.proxmox.ProxmoxSummary.Reading;
import dev.hal0.hardware.proxmox.ProxmoxSummary.Reason;
import dev.hal0.hardware.proxmox.ProxmoxSummary.Tenant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** The rows of {@code cluster/resources}, boiled down to the node that we run on. Rows that make no sense are skipped. */
final class ProxmoxResources {
    private static final Set<String> GUEST_TYPES = Set.of("lxc", "qemu");
    private static final int LONGEST_NAME = 255;
    private static final double HIGHEST_VMID = 999_999_999;
    private static final int NODES_NAMED = 8;
    private static final Comparator<Tenant> RUNNING_THEN_LARGE = Comparator.comparing(Tenant::running)
            .thenComparingLong(tenant -> tenant.maxmemMb() == null ? 0L : tenant.maxmemMb())
            .reversed()
            .thenComparingInt(Tenant::vmid);

    private final List<JsonNode> nodes = new ArrayList<>();
    private final List<Tenant> guests = new ArrayList<>();

    private ProxmoxResources(JsonNode rows) {
        for (JsonNode row : rows) {
            String type = text(row, "type");
            if (type.equals("node") && !text(row, "node").isEmpty()) {
                nodes.add(row);
            } else if (GUEST_TYPES.contains(type)) {
                guest(row, type).ifPresent(guests::add);
            }
        }
    }

    static ProxmoxSummary summary(JsonNode answer, OwnGuest self) {
        JsonNode rows = answer.path("data");
        return rows.isArray()
                ? new ProxmoxResources(rows).summary(self)
                : new Failed(Reason.BAD_ANSWER, "The answer is not the resource list of a Proxmox API.");
    }

    private ProxmoxSummary summary(OwnGuest self) {
        if (nodes.isEmpty()) {
            return new Failed(
                    Reason.NO_NODE,
                    "The token sees no node. Give the role PVEAuditor on / to the token itself: with privilege separation "
                            + "its user's role does not count.");
        }
        List<Tenant> matches = matches(self);
        Set<String> places = matches.stream().map(Tenant::node).collect(Collectors.toSet());
        if (places.size() != 1 && nodes.size() > 1) {
            return new Failed(Reason.NODE_UNKNOWN, nodeUnknown(self, places.isEmpty()));
        }
        String name = places.size() == 1 ? places.iterator().next() : text(nodes.getFirst(), "node");
        Integer own = matches.size() == 1 ? (Integer) matches.getFirst().vmid() : null;
        return nodes.stream()
                .filter(row -> text(row, "node").equals(name))
                .findFirst()
                .map(row -> reading(row, name, own))
                .orElseGet(() -> noFigures(name));
    }

    private ProxmoxSummary reading(JsonNode row, String name, @Nullable Integer own) {
        Long total = mebibytes(row, "maxmem");
        Long used = mebibytes(row, "mem");
        if (total == null || used == null || total == 0) {
            return noFigures(name);
        }
        Double cpus = number(row, "maxcpu");
        Double uptime = number(row, "uptime");
        List<Tenant> tenants = guests.stream()
                .filter(guest -> guest.node().equals(name))
                .sorted(RUNNING_THEN_LARGE)
                .toList();
        return new Reading(
                name,
                total,
                used,
                Math.max(0, total - used),
                percent(row),
                cpus == null ? null : (Integer) cpus.intValue(),
                uptime == null ? null : (Long) uptime.longValue(),
                tenants,
                own);
    }

    private static ProxmoxSummary noFigures(String node) {
        return new Failed(
                Reason.NO_NODE,
                "The token sees no memory figures of node " + node
                        + ". Give the role PVEAuditor on / to the token itself.");
    }

    /** The guests that may be us; of several with one name, those that run, as we do. */
    private List<Tenant> matches(OwnGuest self) {
        Integer vmid = self.vmid();
        if (vmid != null) {
            return where(guest -> guest.vmid() == vmid);
        }
        String host = self.hostName();
        if (host.isEmpty()) {
            return List.of();
        }
        List<Tenant> exact = where(guest -> guest.name().equalsIgnoreCase(host));
        List<Tenant> named = exact.isEmpty() ? where(guest -> sameFirstLabel(guest.name(), host)) : exact;
        List<Tenant> alive = named.stream().filter(Tenant::running).toList();
        return alive.isEmpty() ? named : alive;
    }

    private List<Tenant> where(Predicate<Tenant> condition) {
        return guests.stream().filter(condition).toList();
    }

    /** {@code hal0} is {@code hal0.lan}, but {@code hal0.lan} is not {@code hal0.home}. */
    private static boolean sameFirstLabel(String one, String other) {
        String left = one.toLowerCase(Locale.ROOT);
        String right = other.toLowerCase(Locale.ROOT);
        return !left.isEmpty() && (left.startsWith(right + ".") || right.startsWith(left + "."));
    }

    private String nodeUnknown(OwnGuest self, boolean none) {
        String names = nodes.stream()
                .limit(NODES_NAMED)
                .map(row -> text(row, "node"))
                .sorted()
                .collect(Collectors.joining(", "));
        return "The cluster has " + nodes.size() + " nodes (" + names + (nodes.size() > NODES_NAMED ? ", …" : "")
                + ") and " + (none ? "no guest " : "guests on several of them are ") + self.description()
                + (none ? " is visible to the token" : "") + ": the node this machine runs on is unknown.";
    }

    private static Optional<Tenant> guest(JsonNode row, String type) {
        Double vmid = number(row, "vmid");
        String node = text(row, "node");
        if (vmid == null || vmid < 1 || vmid > HIGHEST_VMID || node.isEmpty()) {
            return Optional.empty();
        }
        String status = text(row, "status");
        return Optional.of(new Tenant(
                type,
                vmid.intValue(),
                text(row, "name"),
                status.isEmpty() ? "unknown" : status,
                mebibytes(row, "maxmem"),
                mebibytes(row, "mem"),
                number(row, "maxcpu"),
                percent(row),
                node));
    }

    private static String text(JsonNode row, String key) {
        String text = row.path(key).asString("");
        return text.length() > LONGEST_NAME ? text.substring(0, LONGEST_NAME) : text;
    }

    private static @Nullable Long mebibytes(JsonNode row, String key) {
        Double bytes = number(row, key);
        return bytes == null ? null : (Long) (bytes.longValue() >> 20);
    }

    private static @Nullable Double percent(JsonNode row) {
        Double share = number(row, "cpu");
        return share == null ? null : (Double) (share * 100);
    }

    /** Also from a string, which is how some versions write numbers. */
    private static @Nullable Double number(JsonNode row, String key) {
        double value = row.path(key).asDouble(-1);
        return value >= 0 && Double.isFinite(value) ? (Double) value : null;
    }
}
