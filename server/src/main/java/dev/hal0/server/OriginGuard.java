package dev.hal0.server;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Keeps web pages of other sites out of an open API: without it, any page in a browser on the LAN could unload slots (a
 * simple POST needs no permission) and, through DNS rebinding, read everything. Always on; no key replaces it.
 *
 * <p>The Host header must be an address or one of the box's names; an Origin header, where present, must name the same host and
 * port: a page that another program of this machine serves is another site too.
 */
final class OriginGuard {
    private static final Pattern ADDRESS = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}|\\[[0-9a-fA-F:.]+]");
    private static final Set<String> ALWAYS = Set.of("localhost", "host.docker.internal", "host.containers.internal");

    private final List<String> allowedHosts;
    private final String machineName;

    /** @param machineName this machine's own host name */
    OriginGuard(List<String> allowedHosts, String machineName) {
        this.allowedHosts =
                allowedHosts.stream().map(host -> host.toLowerCase(Locale.ROOT)).toList();
        this.machineName = machineName.toLowerCase(Locale.ROOT);
    }

    /** Why the request is refused; empty when it may pass. */
    Optional<Hal0Exception> refuse(@Nullable String host, @Nullable String origin) {
        String name = hostName(host);
        if (!isOurs(name)) {
            return Optional.of(new Hal0Exception(
                    ErrorCode.REQUEST_HOST_REFUSED,
                    "This box is not known as '" + name
                            + "'. If it is yours, add the name to [network].allowed_hosts."));
        }
        if (origin == null || origin.isEmpty()) {
            return Optional.empty();
        }
        String authority = originAuthority(origin);
        if (authority.equals(host == null ? "" : host.strip().toLowerCase(Locale.ROOT))
                || allowedHosts.contains(authority)
                || allowedHosts.contains(hostName(authority))) {
            return Optional.empty();
        }
        return Optional.of(new Hal0Exception(
                ErrorCode.REQUEST_ORIGIN_REFUSED,
                "A page of '" + authority + "' may not use this box at '" + host
                        + "'. If that is your own site, add its name to [network].allowed_hosts."));
    }

    private boolean isOurs(String name) {
        return ADDRESS.matcher(name).matches()
                || ALWAYS.contains(name)
                || name.endsWith(".localhost")
                || name.endsWith(".local")
                || name.equals(machineName)
                || allowedHosts.contains(name);
    }

    private static String hostName(@Nullable String host) {
        if (host == null) {
            return "";
        }
        String text = host.strip().toLowerCase(Locale.ROOT);
        int colon = text.lastIndexOf(':');
        boolean hasPort = colon > text.lastIndexOf(']');
        return hasPort ? text.substring(0, colon) : text;
    }

    private static String originAuthority(String origin) {
        try {
            String authority = URI.create(origin.strip()).getRawAuthority();
            return authority == null ? origin : authority.toLowerCase(Locale.ROOT);
        } catch (IllegalArgumentException notAUri) {
            return origin;
        }
    }
}
