package dev.hal0.helper.daemon;

import dev.hal0.helper.ContainerStatus;
import dev.hal0.kernel.CommandResult;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import dev.hal0.kernel.SlotName;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Reads what systemd and podman know about a slot. */
final class Observer {
    private static final List<String> PROPERTIES = List.of(
            "LoadState",
            "ActiveState",
            "SubState",
            "Result",
            "InvocationID",
            "MainPID",
            "ExecMainCode",
            "ExecMainStatus",
            "NRestarts",
            "NeedDaemonReload");

    private static final int EVIDENCE_LINES = 20;
    private static final int TRIES = 5;

    private final Tools tools;

    Observer(Tools tools) {
        this.tools = tools;
    }

    /** Unit and container of the same life: between the two questions one may have ended and another begun. */
    ContainerStatus status(SlotName slot) {
        ContainerStatus before = unit(slot);
        for (int i = 0; i < TRIES; i++) {
            ContainerStatus.Container container = before.isLive() || before.isStarting() ? container(slot) : null;
            ContainerStatus after = unit(slot);
            if (after.invocation().equals(before.invocation())
                    && after.activeState().equals(before.activeState())) {
                return new ContainerStatus(
                        after.loadState(),
                        after.activeState(),
                        after.subState(),
                        after.result(),
                        after.invocation(),
                        after.mainPid(),
                        after.exitCode(),
                        after.exitStatus(),
                        after.restarts(),
                        container);
            }
            before = after;
        }
        throw new Hal0Exception(
                ErrorCode.RUNTIME_STUCK, SlotPaths.unit(slot) + " changes faster than it can be looked at.");
    }

    /** Without the container. */
    ContainerStatus unit(SlotName slot) {
        Map<String, String> read = properties(slot);
        return new ContainerStatus(
                read.getOrDefault("LoadState", ""),
                read.getOrDefault("ActiveState", ""),
                read.getOrDefault("SubState", ""),
                read.getOrDefault("Result", ""),
                read.getOrDefault("InvocationID", ""),
                number(read, "MainPID"),
                (int) number(read, "ExecMainCode"),
                (int) number(read, "ExecMainStatus"),
                (int) number(read, "NRestarts"),
                null);
    }

    boolean needsReload(SlotName slot) {
        return properties(slot).getOrDefault("NeedDaemonReload", "").equals("yes");
    }

    private Map<String, String> properties(SlotName slot) {
        CommandResult shown = tools.systemctl(
                        tools.question(),
                        "show",
                        "--property=" + String.join(",", PROPERTIES),
                        "--",
                        SlotPaths.unit(slot))
                .requireSuccess("Asking systemd about " + SlotPaths.unit(slot));
        var read = new HashMap<String, String>();
        shown.stdout().lines().forEach(line -> {
            int equals = line.indexOf('=');
            if (equals > 0) {
                read.put(line.substring(0, equals), line.substring(equals + 1));
            }
        });
        return read;
    }

    private static long number(Map<String, String> read, String name) {
        try {
            return Long.parseLong(read.getOrDefault(name, "0"));
        } catch (NumberFormatException notSet) {
            return 0;
        }
    }

    private ContainerStatus.@Nullable Container container(SlotName slot) {
        return inspect(slot)
                .map(read -> {
                    var labels = new HashMap<String, String>();
                    read.path("Config")
                            .path("Labels")
                            .properties()
                            .forEach(label ->
                                    labels.put(label.getKey(), label.getValue().asString("")));
                    JsonNode state = read.path("State");
                    return new ContainerStatus.Container(
                            read.path("Id").asString(""),
                            state.path("Running").asBoolean(false),
                            state.path("Pid").asLong(0),
                            state.path("CgroupPath").asString(""),
                            read.path("Image").asString(""),
                            labels);
                })
                .orElse(null);
    }

    /** podman's own description; empty when there is no such container. */
    Optional<JsonNode> inspect(SlotName slot) {
        CommandResult asked = tools.podman(tools.question(), "container", "inspect", "--", SlotPaths.container(slot));
        if (!asked.succeeded()) {
            if (asked.stderr().contains("no such container") || asked.stderr().contains("no container with name")) {
                return Optional.empty();
            }
            asked.requireSuccess("Looking at container " + SlotPaths.container(slot));
        }
        return Optional.of(Json.LENIENT.readTree(asked.stdout()).path(0));
    }

    /** The last lines of one life of a unit. */
    List<String> lastLines(SlotName slot, String invocation) {
        CommandResult read = tools.run(
                tools.journalctl(),
                tools.question(),
                List.of(
                        "--quiet",
                        "--no-pager",
                        "--all",
                        "--output=cat",
                        "--lines=" + EVIDENCE_LINES,
                        "_SYSTEMD_INVOCATION_ID=" + invocation,
                        "SYSLOG_IDENTIFIER=" + SlotPaths.container(slot)));
        return read.stdout()
                .lines()
                .filter(line -> !line.isBlank() && !line.equals(SlotPaths.container(slot)))
                .toList();
    }
}
