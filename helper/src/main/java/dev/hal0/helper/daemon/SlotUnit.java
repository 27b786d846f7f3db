package dev.hal0.helper.daemon;

import dev.hal0.kernel.SlotName;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The text of a slot's unit. It needs nothing but itself and the few files of its launch. */
final class SlotUnit {
    private static final Pattern PORT = Pattern.compile("(?m)^# Port: (\\d{1,5})$");

    private SlotUnit() {}

    /**
     * @param command of {@link PodmanCommand}
     * @param nft null where the container may open connections
     */
    static String text(
            SlotName slot,
            int port,
            List<String> command,
            List<Path> roots,
            @org.jspecify.annotations.Nullable String nft,
            SlotPaths paths) {
        String podman = command.getFirst();
        String container = SlotPaths.container(slot);
        String mounts = roots.stream().map(Path::toString).collect(Collectors.joining(" "));
        return """
                # Written by hal0 at each load that changes it.
                # Port: %d
                [Unit]
                Description=hal0 slot %s
                %sStartLimitIntervalSec=120
                StartLimitBurst=3

                [Service]
                Type=notify
                NotifyAccess=all
                Delegate=yes
                KillMode=mixed
                Restart=on-failure
                RestartSec=5
                TimeoutStartSec=90
                TimeoutStopSec=90
                SyslogIdentifier=%s
                LogRateLimitIntervalSec=0
                Environment=PODMAN_SYSTEMD_UNIT=%%n HAL0_STOP_GRACE=10
                EnvironmentFile=-%s
                %sExecStart=%s
                ExecStop=%s stop --ignore --time=${HAL0_STOP_GRACE} %s
                ExecStopPost=-%s rm --force --ignore --time=0 %s
                """.formatted(
                        port,
                        slot,
                        mounts.isEmpty() ? "" : "RequiresMountsFor=" + mounts + "\n",
                        container,
                        paths.stopSettings(slot),
                        nft == null ? "" : "ExecStartPre=" + nft + " --file " + paths.egressRules() + "\n",
                        UnitWord.line(command),
                        podman,
                        container,
                        podman,
                        container);
    }

    /** Which port a unit of ours publishes. */
    static OptionalInt port(String unit) {
        Matcher found = PORT.matcher(unit);
        return found.find() ? OptionalInt.of(Integer.parseInt(found.group(1))) : OptionalInt.empty();
    }
}
