package dev.hal0.server;

import dev.hal0.hardware.proxmox.ProxmoxProbe;
import dev.hal0.hardware.proxmox.ProxmoxSettings;
import dev.hal0.hardware.proxmox.ProxmoxSummary;
import dev.hal0.hardware.proxmox.ProxmoxUpdate;
import dev.hal0.hardware.proxmox.ProxmoxWatch;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The host that this guest runs on: settings, a test that stores nothing, and what the host says. The token never goes out. */
final class ProxmoxRoutes {
    /** @param tokenValueSet whether one is stored; what it is, nobody is told */
    record View(
            boolean configured,
            @Nullable String host,
            @Nullable Integer port,
            @Nullable String user,
            @Nullable String tokenName,
            @Nullable Boolean verifySsl,
            @Nullable String tlsFingerprint,
            boolean tokenValueSet,
            Status status) {}

    /**
     * @param ok null when not configured
     * @param error why there are no figures; null when there are
     * @param reading of the node that this guest runs on
     */
    record Status(
            boolean configured,
            @Nullable Boolean ok,
            @Nullable String error,
            @Nullable String detection,
            @Nullable String hint,
            ProxmoxSummary.@Nullable Reading reading) {}

    /** @param tlsFingerprint of the certificate that was seen; to be stored for pinning */
    record Tested(
            boolean ok,
            @Nullable String error,
            @Nullable String node,
            @Nullable Long hostMemTotalMb,
            @Nullable Integer tenantsTotal,
            @Nullable String tlsFingerprint) {}

    record Removed(boolean removed) {}

    private static final String PATH = "/api/settings/proxmox";

    private final ProxmoxWatch watch;

    ProxmoxRoutes(ProxmoxWatch watch) {
        this.watch = watch;
    }

    List<ApiRoute> routes() {
        return List.of(
                ApiRoute.get(
                        PATH,
                        "The Proxmox host, as far as it is configured and reachable.",
                        View.class,
                        request -> ApiAnswer.ok(view())),
                ApiRoute.put(
                        PATH,
                        "Configure it. Without a token value the stored one stays, for the same host, port, user and name.",
                        ProxmoxUpdate.class,
                        View.class,
                        request -> {
                            var saved = watch.save(request.body(ProxmoxUpdate.class));
                            return ApiAnswer.ok(view(Optional.of(saved)));
                        }),
                ApiRoute.delete(PATH, "Forget it.", Removed.class, request -> {
                    watch.remove();
                    return ApiAnswer.ok(new Removed(true));
                }),
                ApiRoute.post(
                        PATH + "/test",
                        "Try settings without storing them.",
                        ProxmoxUpdate.class,
                        Tested.class,
                        200,
                        request -> ApiAnswer.ok(tested(watch.test(request.body(ProxmoxUpdate.class))))));
    }

    private View view() {
        return view(watch.settings());
    }

    private View view(Optional<ProxmoxSettings> stored) {
        Status status = status(watch.summary());
        return stored.map(settings -> new View(
                        true,
                        settings.host(),
                        settings.port(),
                        settings.user(),
                        settings.tokenName(),
                        settings.verifyTls(),
                        settings.tlsFingerprint(),
                        true,
                        status))
                .orElseGet(() -> new View(false, null, null, null, null, null, null, false, status));
    }

    private static Status status(ProxmoxSummary summary) {
        return switch (summary) {
            case ProxmoxSummary.NotConfigured(var detection) ->
                new Status(false, null, null, detection.name().toLowerCase(Locale.ROOT), detection.hint(), null);
            case ProxmoxSummary.Failed(var reason, String error) -> new Status(true, false, error, null, null, null);
            case ProxmoxSummary.Reading reading -> new Status(true, true, null, null, null, reading);
        };
    }

    private static Tested tested(ProxmoxProbe probe) {
        return switch (probe.summary()) {
            case ProxmoxSummary.Reading reading ->
                new Tested(
                        true,
                        null,
                        reading.node(),
                        reading.hostMemTotalMb(),
                        reading.tenantsTotal(),
                        probe.tlsFingerprint());
            case ProxmoxSummary.Failed(var reason, String error) ->
                new Tested(false, error, null, null, null, probe.tlsFingerprint());
            case ProxmoxSummary.NotConfigured(var detection) ->
                new Tested(false, detection.hint(), null, null, null, probe.tlsFingerprint());
        };
    }
}
