package dev.hal0.hardware.proxmox;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.hal0.kernel.Hal0Exception;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The nested form of {@code proxmox.json}. Every part may be missing in a file that a person edited. */
record StoredProxmox(@Nullable Server proxmox, @Nullable Auth auth) {
    private static final Map<String, String> PATHS = Map.of(
            "host", "proxmox.host",
            "port", "proxmox.port",
            "tls_fingerprint", "proxmox.tls_fingerprint",
            "user", "auth.user",
            "token_name", "auth.token_name",
            "token_value", "auth.token_value");

    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Server(
            @Nullable String host,
            @Nullable Integer port,
            @Nullable Boolean verifySsl,
            @Nullable String service,
            @Nullable String tlsFingerprint) {}

    record Auth(
            @Nullable String user,
            @Nullable String tokenName,
            @Nullable String tokenValue) {
        @Override
        public String toString() {
            return "Auth[user=" + user + ", tokenName=" + tokenName + ", tokenValue=***]";
        }
    }

    static StoredProxmox of(ProxmoxSettings settings) {
        return new StoredProxmox(
                new Server(settings.host(), settings.port(), settings.verifyTls(), "PVE", settings.tlsFingerprint()),
                new Auth(settings.user(), settings.tokenName(), settings.tokenValue()));
    }

    ProxmoxSettings settings() {
        Server server = proxmox == null ? new Server(null, null, null, null, null) : proxmox;
        Auth given = auth == null ? new Auth(null, null, null) : auth;
        return new ProxmoxUpdate(
                        server.host(),
                        server.port(),
                        given.user(),
                        given.tokenName(),
                        given.tokenValue(),
                        server.verifySsl(),
                        server.tlsFingerprint())
                .mergedOnto(null);
    }

    /** The faults of the flat form under the names that they have in the file. */
    static Map<String, String> inFile(Hal0Exception flat) {
        Map<String, String> faults = new LinkedHashMap<>();
        if (flat.details().get("fields") instanceof Map<?, ?> fields) {
            fields.forEach((field, fault) -> faults.put(
                    PATHS.getOrDefault(String.valueOf(field), String.valueOf(field)), String.valueOf(fault)));
        }
        return faults;
    }
}
