package dev.hal0.helper.daemon;

import dev.hal0.helper.ContainerStatus;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import java.util.List;
import java.util.Locale;

/** Why a unit did not start, in the product's words. podman says it in text only; a text that is not known stays one. */
final class StartFailure {
    /** podman's own status for "it was me, not the container". */
    private static final int PODMAN_FAILED = 125;

    private StartFailure() {}

    /** @param lastLines of the unit's output */
    static Hal0Exception of(SlotName slot, ContainerStatus status, String said, List<String> lastLines) {
        String text = String.join("\n", lastLines).toLowerCase(Locale.ROOT);
        String last = lastLines.isEmpty() ? said.strip() : lastLines.getLast();
        ErrorCode code;
        String message;
        if (status.isMasked() || said.contains("is masked")) {
            return masked(slot);
        } else if (status.result().equals("timeout")) {
            code = ErrorCode.RUNTIME_STUCK;
            message = "podman did not start the container of slot " + slot + " in time and was killed.";
        } else if (status.exitStatus() == PODMAN_FAILED && text.contains("is already in use by")) {
            code = ErrorCode.SLOT_CONTAINER_STALE;
            message = "A container of an earlier life holds the name of slot " + slot + " and cannot be replaced: "
                    + last;
        } else if (status.exitStatus() == PODMAN_FAILED
                && (text.contains("image not known") || text.contains("no such image"))) {
            code = ErrorCode.SLOT_IMAGE_MISSING;
            message = "The image of slot " + slot + " went away: " + last;
        } else if (text.contains("address already in use")) {
            code = ErrorCode.SLOT_PORT_CONFLICT;
            message = "The port of slot " + slot + " is in use by another program: " + last;
        } else {
            code = ErrorCode.SLOT_SPAWN_FAILED;
            message = "The container of slot " + slot + " did not start (" + status.result() + ", status "
                    + status.exitStatus() + "): " + last;
        }
        return new Hal0Exception(code, message)
                .withDetail("result", status.result())
                .withDetail("exit_status", status.exitStatus())
                .withDetail("systemctl", said.strip())
                .withDetail("last_lines", lastLines);
    }

    static Hal0Exception masked(SlotName slot) {
        return new Hal0Exception(
                        ErrorCode.SLOT_UNIT_MASKED,
                        SlotPaths.unit(slot) + " is masked: systemd is told never to start it.")
                .withDetail("unit", SlotPaths.unit(slot));
    }
}
