package dev.hal0.hardware.proxmox;

import com.fasterxml.jackson.annotation.JsonIgnore;
import dev.hal0.kernel.Hal0Exception;
import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * Where the Proxmox API is and what to show it. Valid and normalised by construction: host in lower case and without
 * brackets, fingerprint as {@code AB:CD:…}. Immutable.
 *
 * @param host DNS name or IP address, without scheme, port or path
 * @param port 1 to 65535
 * @param verifyTls check the certificate chain and the host name; the fingerprint is then not looked at
 * @param user with its realm, as in {@code root@pam}
 * @param tokenName the part after the {@code !} of the token id
 * @param tokenValue the secret; left out of {@link #toString()} and of JSON
 * @param tlsFingerprint SHA-256 of the only certificate to talk to, or null; without it and without {@code verifyTls} any
 *     certificate is accepted
 */
public record ProxmoxSettings(
        String host,
        int port,
        boolean verifyTls,
        String user,
        String tokenName,
        @JsonIgnore String tokenValue,
        @Nullable String tlsFingerprint) {
    /** Where Proxmox VE listens unless a proxy is put before it. */
    public static final int DEFAULT_PORT = 8006;

    private static final String HIDDEN = "***";

    /** @throws Hal0Exception {@code proxmox.config_invalid}, with every field at fault under {@code details.fields} */
    public ProxmoxSettings {
        host = ProxmoxFields.normalHost(host);
        user = user.strip();
        tokenName = tokenName.strip();
        tokenValue = tokenValue.strip();
        tlsFingerprint = ProxmoxFields.normalFingerprint(tlsFingerprint);
        var fields = new ProxmoxFields();
        fields.checkHost(host);
        fields.checkPort(port);
        fields.checkUser(user);
        fields.checkTokenName(tokenName);
        fields.checkTokenValue(tokenValue);
        fields.checkFingerprint(tlsFingerprint);
        fields.throwIfAny();
    }

    URI resources() {
        return URI.create("https://" + ProxmoxFields.inUri(host) + ":" + port + "/api2/json/cluster/resources");
    }

    String authorization() {
        return "PVEAPIToken=" + user + "!" + tokenName + "=" + tokenValue;
    }

    /** {@code text} without the token, for messages that others wrote. */
    String scrub(String text) {
        return text.replace(tokenValue, HIDDEN);
    }

    boolean sameAddress(String otherHost, int otherPort) {
        return host.equals(ProxmoxFields.normalHost(otherHost)) && port == otherPort;
    }

    @Override
    public String toString() {
        return "ProxmoxSettings[host=" + host + ", port=" + port + ", verifyTls=" + verifyTls + ", user=" + user
                + ", tokenName=" + tokenName + ", tokenValue=" + HIDDEN + ", tlsFingerprint=" + tlsFingerprint + "]";
    }
}
