package dev.hal0.server;

import dev.hal0.hardware.Host;
import dev.hal0.hardware.proxmox.OwnGuest;
import dev.hal0.hardware.proxmox.ProxmoxClient;
import dev.hal0.hardware.proxmox.ProxmoxDetection;
import dev.hal0.hardware.proxmox.ProxmoxSettingsFile;
import dev.hal0.hardware.proxmox.ProxmoxSummary;
import dev.hal0.hardware.proxmox.ProxmoxWatch;
import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.EventBus;
import dev.hal0.kernel.HomeDirectory;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What the Proxmox host last said, kept for those who must not wait for it: how much of its memory is free bounds what a guest
 * can take. Thread-safe.
 */
final class ProxmoxHost {
    /** The host is asked twice a minute; what it said before that says nothing about now. */
    private static final Duration SHELF_LIFE = Duration.ofMinutes(2);

    private record Heard(Instant at, long freeMb) {}

    private final ProxmoxWatch watch;
    private final InstantSource clock;
    private volatile @Nullable Heard last;

    ProxmoxHost(HomeDirectory home, DurableFiles files, Host host, EventBus events, InstantSource clock) {
        this.clock = clock;
        String groups = host.read("/proc/1/cgroup").orElse("");
        this.watch = new ProxmoxWatch(
                new ProxmoxSettingsFile(home, files),
                new ProxmoxClient(),
                OwnGuest.of(groups, host.line("/proc/sys/kernel/hostname").orElse("")),
                ProxmoxDetection.of(host.read("/proc/version").orElse(""), groups),
                clock,
                new ProxmoxWatch.Listener() {
                    @Override
                    public void unreachable(String error) {
                        events.publish("system.proxmox_unreachable", "proxmox", Map.of("error", error));
                    }

                    @Override
                    public void recovered() {
                        events.publish("system.proxmox_recovered", "proxmox", Map.of());
                    }
                });
    }

    ProxmoxWatch watch() {
        return watch;
    }

    /** Asks, if it is configured. Called now and then, on a thread that may wait for the disk. */
    void refresh() {
        var unused = watch.summaryAsync().thenAccept(summary -> {
            if (summary instanceof ProxmoxSummary.Reading reading) {
                last = new Heard(clock.instant(), reading.hostMemFreeMb());
            } else if (summary instanceof ProxmoxSummary.NotConfigured) {
                last = null;
            }
        });
    }

    /** In MiB; empty when it is not configured or has not answered for a while. */
    OptionalLong freeMb() {
        Heard heard = last;
        return heard == null || clock.instant().isAfter(heard.at().plus(SHELF_LIFE))
                ? OptionalLong.empty()
                : OptionalLong.of(heard.freeMb());
    }
}
