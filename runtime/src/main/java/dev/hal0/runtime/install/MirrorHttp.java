package dev.hal0.runtime.install;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;

/**
 * Asks mirrors, through the proxies of the environment.
 *
 * <p>Uses {@link HttpURLConnection}, because its read timeout covers every read: {@code java.net.http} has none once the
 * headers are there, so a mirror that stalls in the middle of a file would hold the install for ever.
 */
final class MirrorHttp {
    private static final int REDIRECTS = 5;

    private final Map<String, String> environment;
    private final Duration timeout;

    /**
     * @param environment for {@code http_proxy}, {@code https_proxy} and {@code no_proxy}
     * @param timeout for connecting and for each read
     */
    MirrorHttp(Map<String, String> environment, Duration timeout) {
        this.environment = environment;
        this.timeout = timeout;
    }

    /** Some mirrors take a plus for a space, so it is spelt out as apt does. */
    static URI address(URI mirror, String path) {
        return URI.create(mirror.toString().replaceFirst("/+$", "") + "/" + path.replace("+", "%2b"));
    }

    /** Without the password that some sources carry. */
    static String shown(URI uri) {
        return uri.toString().replaceFirst("//[^/@]*@", "//");
    }

    static String reason(IOException failure) {
        return failure.getClass().getSimpleName() + (failure.getMessage() == null ? "" : ": " + failure.getMessage());
    }

    /** @throws MirrorFault when {@code mirror} does not answer that it has {@code path} */
    void requirePresent(URI mirror, String path) throws MirrorFault {
        int status;
        try {
            var connection = open(address(mirror, path), "HEAD", 0);
            status = connection.getResponseCode();
            connection.disconnect();
        } catch (IOException failure) {
            throw MirrorFault.unreachable(failure);
        }
        if (status != HttpURLConnection.HTTP_OK) {
            throw MirrorFault.status(status);
        }
    }

    /** @throws MirrorFault also for more than {@code limit} bytes */
    byte[] read(URI mirror, String path, int limit) throws MirrorFault {
        try {
            var connection = open(address(mirror, path), "GET", 0);
            try {
                int status = connection.getResponseCode();
                if (status != HttpURLConnection.HTTP_OK) {
                    throw MirrorFault.status(status);
                }
                byte[] content = connection.getInputStream().readNBytes(limit + 1);
                if (content.length > limit) {
                    throw MirrorFault.broken("answers more than " + limit + " bytes");
                }
                long announced = connection.getContentLengthLong();
                if (announced >= 0 && content.length != announced) {
                    throw MirrorFault.broken("ended after " + content.length + " of " + announced + " bytes");
                }
                return content;
            } finally {
                connection.disconnect();
            }
        } catch (MirrorFault fault) {
            throw fault;
        } catch (IOException failure) {
            throw MirrorFault.unreachable(failure);
        }
    }

    /** Follows redirects. The caller disconnects. */
    HttpURLConnection open(URI address, String method, long offset) throws IOException {
        URI at = address;
        for (int hop = 0; hop <= REDIRECTS; hop++) {
            if (!(at.toURL().openConnection(proxyFor(at)) instanceof HttpURLConnection connection)) {
                throw new IOException("not an HTTP address: " + shown(at));
            }
            connection.setConnectTimeout((int) timeout.toMillis());
            connection.setReadTimeout((int) timeout.toMillis());
            connection.setRequestMethod(method);
            // By hand, because the JDK does not follow from http to https.
            connection.setInstanceFollowRedirects(false);
            connection.setRequestProperty("User-Agent", "hal0");
            connection.setRequestProperty("Accept-Encoding", "identity");
            if (offset > 0) {
                connection.setRequestProperty("Range", "bytes=" + offset + "-");
            }
            int status = connection.getResponseCode();
            String location = connection.getHeaderField("Location");
            if (status < 301 || status > 308 || status == HttpURLConnection.HTTP_NOT_MODIFIED || location == null) {
                return connection;
            }
            connection.disconnect();
            try {
                at = at.resolve(location);
            } catch (IllegalArgumentException malformed) {
                throw new IOException("redirects to a malformed address", malformed);
            }
        }
        throw new IOException("redirects more than " + REDIRECTS + " times");
    }

    private Proxy proxyFor(URI address) {
        String host = String.valueOf(address.getHost()).toLowerCase(Locale.ROOT);
        for (String exception : variable("no_proxy").split("[,\\s]+")) {
            String suffix = exception.replaceFirst("^\\*?\\.", "").toLowerCase(Locale.ROOT);
            if (exception.equals("*") || !suffix.isEmpty() && (host.equals(suffix) || host.endsWith("." + suffix))) {
                return Proxy.NO_PROXY;
            }
        }
        String proxy = variable("https".equalsIgnoreCase(address.getScheme()) ? "https_proxy" : "http_proxy");
        if (proxy.isEmpty()) {
            return Proxy.NO_PROXY;
        }
        try {
            URI uri = URI.create(proxy.contains("://") ? proxy : "http://" + proxy);
            int port = uri.getPort() < 0 ? 8080 : uri.getPort();
            return uri.getHost() == null
                    ? Proxy.NO_PROXY
                    : new Proxy(Proxy.Type.HTTP, new InetSocketAddress(uri.getHost(), port));
        } catch (IllegalArgumentException malformed) {
            return Proxy.NO_PROXY;
        }
    }

    private String variable(String name) {
        String value = environment.getOrDefault(name, environment.getOrDefault(name.toUpperCase(Locale.ROOT), ""));
        return value.strip();
    }
}
