package dev.hal0.hardware.proxmox;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.net.URI;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What each field may hold, collecting all faults before failing. A fault's text never quotes what was given: a token pasted
 * into the wrong field would be shown.
 */
final class ProxmoxFields {
    /** Shorter than any real token, and long enough not to occur by chance in a text that is being scrubbed. */
    private static final int SHORTEST_TOKEN = 8;

    private static final int LONGEST = 255;
    private static final Pattern NAME = Pattern.compile("[a-z0-9](?:[a-z0-9.-]*[a-z0-9.])?");
    private static final Pattern IPV6 = Pattern.compile("[0-9a-f:.]*:[0-9a-f:.]*");
    private static final Pattern USER = Pattern.compile("[!-~&&[^:/!=]]+@[A-Za-z][A-Za-z0-9._-]*");
    private static final Pattern TOKEN_NAME = Pattern.compile("[A-Za-z][A-Za-z0-9._-]*");
    private static final Pattern VISIBLE_ASCII = Pattern.compile("[!-~]+");
    private static final Pattern HEX = Pattern.compile("[0-9A-F]{64}");
    private static final Pattern FINGERPRINT = Pattern.compile("[0-9A-F]{2}(?::[0-9A-F]{2}){31}");

    private final Map<String, String> faults = new LinkedHashMap<>();

    void checkHost(String host) {
        boolean shaped = host.length() <= LONGEST
                && (NAME.matcher(host).matches() || IPV6.matcher(host).matches());
        if (host.isEmpty()) {
            faults.put("host", "is required");
        } else if (!shaped || !understood(host)) {
            faults.put("host", "must be a DNS name or an IP address, without scheme, port or path");
        }
    }

    void checkPort(int port) {
        if (port < 1 || port > 65_535) {
            faults.put("port", "must be between 1 and 65535");
        }
    }

    void checkUser(String user) {
        if (user.isEmpty()) {
            faults.put("user", "is required");
        } else if (user.length() > LONGEST || !USER.matcher(user).matches()) {
            faults.put("user", "must be a user with its realm, as in root@pam, without the token's name");
        }
    }

    void checkTokenName(String tokenName) {
        if (tokenName.isEmpty()) {
            faults.put("token_name", "is required");
        } else if (tokenName.length() > LONGEST
                || !TOKEN_NAME.matcher(tokenName).matches()) {
            faults.put("token_name", "must be the part of the token id after the exclamation mark");
        }
    }

    void checkTokenValue(String tokenValue) {
        if (tokenValue.isEmpty()) {
            faults.put("token_value", "is required");
        } else if (tokenValue.length() < SHORTEST_TOKEN
                || tokenValue.length() > LONGEST
                || !VISIBLE_ASCII.matcher(tokenValue).matches()) {
            faults.put("token_value", "must be " + SHORTEST_TOKEN + " to " + LONGEST + " visible ASCII characters");
        }
    }

    void checkFingerprint(@Nullable String fingerprint) {
        if (fingerprint != null && !FINGERPRINT.matcher(fingerprint).matches()) {
            faults.put("tls_fingerprint", "must be a SHA-256 fingerprint: 64 hexadecimal digits, colons optional");
        }
    }

    void add(String field, String fault) {
        faults.put(field, fault);
    }

    void throwIfAny() {
        if (faults.isEmpty()) {
            return;
        }
        var text = new StringBuilder("The Proxmox settings are not valid:");
        faults.forEach((field, fault) ->
                text.append(' ').append(field).append(' ').append(fault).append(';'));
        text.setLength(text.length() - 1);
        throw new Hal0Exception(ErrorCode.PROXMOX_CONFIG_INVALID, text.toString())
                .withParam(faults.keySet().iterator().next())
                .withDetail("fields", Collections.unmodifiableMap(new LinkedHashMap<>(faults)));
    }

    static String normalHost(String host) {
        String bare = host.strip().toLowerCase(Locale.ROOT);
        return bare.startsWith("[") && bare.endsWith("]") ? bare.substring(1, bare.length() - 1) : bare;
    }

    /** Upper case with colons; what is no fingerprint is left for the check to refuse. Blank is none. */
    static @Nullable String normalFingerprint(@Nullable String fingerprint) {
        if (fingerprint == null || fingerprint.isBlank()) {
            return null;
        }
        String upper = fingerprint.strip().toUpperCase(Locale.ROOT);
        return HEX.matcher(upper).matches() ? upper.replaceAll("(..)(?!$)", "$1:") : upper;
    }

    static String inUri(String host) {
        return host.contains(":") ? "[" + host + "]" : host;
    }

    /** Asks the parser that the call will use: it must see exactly this host, and nothing else in the text. */
    private static boolean understood(String host) {
        try {
            return inUri(host)
                    .equals(URI.create("https://" + inUri(host) + ":1/").getHost());
        } catch (IllegalArgumentException notAnAddress) {
            return false;
        }
    }
}
