package dev.hal0.hardware.proxmox;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.hal0.kernel.Hal0Exception;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Settings as a person sends them, flat and unchecked; bindable from the body of {@code PUT /api/settings/proxmox}. Null is
 * absent. Immutable.
 *
 * @param port absent means {@value ProxmoxSettings#DEFAULT_PORT}
 * @param tokenValue absent or blank keeps the stored one where {@link #mergedOnto} allows it
 * @param verifyTls {@code verify_ssl} in JSON; absent keeps the stored one for the same host and port, else false
 * @param tlsFingerprint absent keeps the stored one for the same host and port; blank removes it
 */
public record ProxmoxUpdate(
        @Nullable String host,
        @Nullable Integer port,
        @Nullable String user,
        @Nullable String tokenName,

        @JsonProperty(value = "token_value", access = JsonProperty.Access.WRITE_ONLY) @Nullable
        String tokenValue,

        @JsonProperty("verify_ssl") @Nullable Boolean verifyTls,
        @Nullable String tlsFingerprint) {

    /**
     * These settings, completed from the stored ones. The stored token is used only if host, port, user and token name are
     * the stored ones too: whoever changes the host would otherwise be sent a secret they do not know.
     *
     * @param stored what is in force, or null when nothing is
     * @throws Hal0Exception {@code proxmox.config_invalid}, with every field at fault under {@code details.fields}
     */
    public ProxmoxSettings mergedOnto(@Nullable ProxmoxSettings stored) {
        String newHost = given(host);
        int newPort = port == null ? ProxmoxSettings.DEFAULT_PORT : port;
        ProxmoxSettings sameAddress = stored != null && stored.sameAddress(newHost, newPort) ? stored : null;
        String token = given(tokenValue);
        if (token.isEmpty() && stored != null) {
            token = keptToken(stored, newHost, newPort);
        }
        boolean verify = verifyTls == null ? sameAddress != null && sameAddress.verifyTls() : verifyTls;
        String pin = tlsFingerprint == null && sameAddress != null ? sameAddress.tlsFingerprint() : tlsFingerprint;
        return new ProxmoxSettings(newHost, newPort, verify, given(user), given(tokenName), token, pin);
    }

    private String keptToken(ProxmoxSettings stored, String newHost, int newPort) {
        List<String> changed = new ArrayList<>();
        if (!stored.sameAddress(newHost, stored.port())) {
            changed.add("host");
        }
        if (stored.port() != newPort) {
            changed.add("port");
        }
        if (!stored.user().equals(given(user))) {
            changed.add("user");
        }
        if (!stored.tokenName().equals(given(tokenName))) {
            changed.add("token_name");
        }
        if (changed.isEmpty()) {
            return stored.tokenValue();
        }
        var fields = new ProxmoxFields();
        fields.checkHost(ProxmoxFields.normalHost(newHost));
        fields.checkPort(newPort);
        fields.checkUser(given(user));
        fields.checkTokenName(given(tokenName));
        fields.add("token_value", "must be given again because this changed: " + String.join(", ", changed));
        fields.throwIfAny();
        return "";
    }

    private static String given(@Nullable String value) {
        return value == null ? "" : value.strip();
    }

    @Override
    public String toString() {
        return "ProxmoxUpdate[host=" + host + ", port=" + port + ", user=" + user + ", tokenName=" + tokenName
                + ", tokenValue=" + (given(tokenValue).isEmpty() ? "absent" : "***") + ", verifyTls=" + verifyTls
                + ", tlsFingerprint=" + tlsFingerprint + "]";
    }
}
