package dev.hal0.runtime.install;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Fetches pinned packages into one folder; what is there already is kept, what was cut short is resumed. A package counts
 * only with its size and hash.
 *
 * <p>Uses {@link HttpURLConnection}, because its read timeout covers every read: {@code java.net.http} has none once the
 * headers are there, so a mirror that stalls in the middle of a file would hold the install for ever.
 */
final class PackageDownloads {
    /** The mirror answers, but does not have the file. */
    private static final class AbsentException extends IOException {
        private static final long serialVersionUID = 1L;

        AbsentException(String message) {
            super(message);
        }
    }

    /** The network's fault, as opposed to the disk's. */
    private static final class TransferException extends IOException {
        private static final long serialVersionUID = 1L;

        TransferException(String message) {
            super(message);
        }
    }

    private static final int TRIES_WITHOUT_PROGRESS = 4;
    private static final int REDIRECTS = 5;
    private static final int PARTIAL = 206;
    private static final int RANGE_NOT_SATISFIABLE = 416;

    private final Path folder;
    private final List<URI> mirrors;
    private final boolean configured;
    private final Map<String, String> environment;
    private final Duration timeout;
    private final Duration pause;

    /**
     * @param mirrors in order of preference
     * @param configured whether the mirror is the person's own setting, for messages
     * @param environment for {@code http_proxy}, {@code https_proxy} and {@code no_proxy}
     * @param timeout for connecting and for each read
     * @param pause before the first retry; doubles
     */
    PackageDownloads(
            Path folder,
            List<URI> mirrors,
            boolean configured,
            Map<String, String> environment,
            Duration timeout,
            Duration pause) {
        this.folder = folder;
        this.mirrors = mirrors;
        this.configured = configured;
        this.environment = environment;
        this.timeout = timeout;
        this.pause = pause;
    }

    Path file(EngineLock.Pin pin) {
        return folder.resolve(pin.sha256() + ".deb");
    }

    boolean complete(EngineLock.Pin pin) throws IOException {
        Path file = file(pin);
        return Files.isRegularFile(file)
                && Files.size(file) == pin.size()
                && sha256(file).equals(pin.sha256());
    }

    /** Removes what no pin of this lock asks for. */
    void keepOnly(EngineLock lock) throws IOException {
        var wanted = lock.packages().stream().map(EngineLock.Pin::sha256).toList();
        try (var files = Files.list(folder)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                if (wanted.stream().noneMatch(file.getFileName().toString()::startsWith)) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    /** @return the mirror that was used, for the record; empty text when nothing had to be fetched */
    String fetch(EngineLock lock, Consumer<String> progress, Runnable afterEach) throws IOException {
        var missing = new ArrayList<EngineLock.Pin>();
        for (EngineLock.Pin pin : lock.packages()) {
            if (!complete(pin)) {
                missing.add(pin);
            }
        }
        if (missing.isEmpty()) {
            return "";
        }
        List<URI> suitable = suitable(lock, missing.getFirst());
        long bytes = lock.totalSize()
                - missing.stream().mapToLong(EngineLock.Pin::size).sum();
        int count = lock.packages().size() - missing.size();
        for (EngineLock.Pin pin : missing) {
            fetch(lock, pin, suitable);
            count++;
            bytes += pin.size();
            progress.accept(String.format(
                    Locale.ROOT,
                    "Downloaded %d of %d packages, %.1f of %.1f MB",
                    count,
                    lock.packages().size(),
                    bytes / 1e6,
                    lock.totalSize() / 1e6));
            afterEach.run();
        }
        return shown(suitable.getFirst());
    }

    private List<URI> suitable(EngineLock lock, EngineLock.Pin probe) {
        var suitable = new ArrayList<URI>();
        var reasons = new ArrayList<String>();
        boolean answered = mirrors.isEmpty();
        for (URI mirror : mirrors) {
            requireNotCancelled();
            try {
                var connection = open(address(mirror, probe), "HEAD", 0);
                try {
                    int status = connection.getResponseCode();
                    if (status == HttpURLConnection.HTTP_OK) {
                        suitable.add(mirror);
                        continue;
                    }
                    answered = true;
                    reasons.add(shown(mirror) + " answers " + status);
                } finally {
                    connection.disconnect();
                }
            } catch (IOException unreachable) {
                reasons.add(shown(mirror) + " cannot be reached (" + reason(unreachable) + ")");
            }
        }
        if (!suitable.isEmpty()) {
            return suitable;
        }
        String asked = mirrors.isEmpty()
                ? "This machine's apt sources name no Debian archive over HTTP."
                : "For " + probe.path() + ": " + String.join("; ", reasons) + ".";
        if (!answered) {
            throw new Hal0Exception(ErrorCode.ENGINE_INSTALL_FAILED, asked);
        }
        throw unsuitable(lock, asked);
    }

    private Hal0Exception unsuitable(EngineLock lock, String reason) {
        return new Hal0Exception(
                        ErrorCode.ENGINE_MIRROR_UNSUITABLE,
                        "No mirror has the pinned packages of " + lock.engine() + " " + lock.version()
                                + " (Debian " + lock.suite() + "). " + reason + " "
                                + (configured
                                        ? "[engines].mirror names this mirror: set another"
                                        : "Set [engines].mirror to one that has them")
                                + ", or have llama-server on PATH.")
                .withParam("engines.mirror")
                .withDetail(
                        "mirrors", mirrors.stream().map(PackageDownloads::shown).toList());
    }

    private void fetch(EngineLock lock, EngineLock.Pin pin, List<URI> suitable) throws IOException {
        var reasons = new ArrayList<String>();
        boolean absent = true;
        for (URI mirror : suitable) {
            try {
                fetch(pin, mirror);
                return;
            } catch (AbsentException gone) {
                reasons.add(shown(mirror) + " " + gone.getMessage());
            } catch (TransferException failed) {
                absent = false;
                reasons.add(shown(mirror) + " " + failed.getMessage());
            }
        }
        String said = "For " + pin.path() + ": " + String.join("; ", reasons) + ".";
        if (absent) {
            throw unsuitable(lock, said);
        }
        throw new Hal0Exception(ErrorCode.ENGINE_INSTALL_FAILED, said + " What arrived is kept; the next try resumes.");
    }

    private void fetch(EngineLock.Pin pin, URI mirror) throws IOException {
        Path part = folder.resolve(pin.sha256() + ".deb.part");
        int fruitless = 0;
        int corrupt = 0;
        while (true) {
            requireNotCancelled();
            long before = sizeOf(part);
            try {
                transfer(pin, mirror, part);
                String actual = sha256(part);
                if (actual.equals(pin.sha256())) {
                    Files.move(part, file(pin), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
                    return;
                }
                Files.delete(part);
                // A first try may have resumed what somebody else's bytes began; a whole file that is wrong stays
                // wrong.
                if (before == 0 || ++corrupt > 1) {
                    throw new Hal0Exception(
                                    ErrorCode.ENGINE_INSTALL_FAILED,
                                    pin.path() + " from " + shown(mirror)
                                            + " is not the pinned file: its SHA-256 is " + actual + ", not "
                                            + pin.sha256() + ". It was discarded.")
                            .withDetail("expected_sha256", pin.sha256())
                            .withDetail("actual_sha256", actual);
                }
            } catch (TransferException cut) {
                fruitless = sizeOf(part) > before ? 0 : fruitless + 1;
                if (fruitless >= TRIES_WITHOUT_PROGRESS) {
                    throw cut;
                }
                rest(fruitless);
            }
        }
    }

    private void transfer(EngineLock.Pin pin, URI mirror, Path part) throws IOException {
        long offset = sizeOf(part);
        if (offset > pin.size()) {
            Files.delete(part);
            offset = 0;
        }
        if (offset == pin.size()) {
            return;
        }
        HttpURLConnection connection = null;
        try {
            int status;
            try {
                connection = open(address(mirror, pin), "GET", offset);
                status = connection.getResponseCode();
            } catch (IOException failure) {
                throw new TransferException("cannot be reached (" + reason(failure) + ")");
            }
            switch (status) {
                case PARTIAL -> {
                    String range = String.valueOf(connection.getHeaderField("Content-Range"));
                    if (!range.startsWith("bytes " + offset + "-")) {
                        throw new TransferException("answered another range than asked: " + range);
                    }
                }
                case HttpURLConnection.HTTP_OK -> offset = 0;
                case RANGE_NOT_SATISFIABLE -> {
                    Files.deleteIfExists(part);
                    throw new TransferException("answers 416");
                }
                case HttpURLConnection.HTTP_NOT_FOUND, HttpURLConnection.HTTP_GONE, HttpURLConnection.HTTP_FORBIDDEN ->
                    throw new AbsentException("answers " + status);
                default -> throw new TransferException("answers " + status);
            }
            save(pin, connection, part, offset);
        } finally {
            if (connection != null) {
                connection.disconnect();
            }
        }
    }

    private static void save(EngineLock.Pin pin, HttpURLConnection connection, Path part, long offset)
            throws IOException {
        try (FileChannel out = FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            out.truncate(offset);
            out.position(offset);
            long have = offset;
            var buffer = new byte[64 << 10];
            InputStream body = null;
            try {
                while (have < pin.size()) {
                    int count;
                    try {
                        body = body == null ? connection.getInputStream() : body;
                        count = body.read(buffer, 0, (int) Math.min(buffer.length, pin.size() - have));
                    } catch (IOException failure) {
                        throw new TransferException("broke off after " + have + " bytes (" + reason(failure) + ")");
                    }
                    if (count < 0) {
                        throw new TransferException("ended after " + have + " of " + pin.size() + " bytes");
                    }
                    var bytes = java.nio.ByteBuffer.wrap(buffer, 0, count);
                    while (bytes.hasRemaining()) {
                        out.write(bytes);
                    }
                    have += count;
                    requireNotCancelled();
                }
            } finally {
                out.force(true);
            }
        }
    }

    private HttpURLConnection open(URI address, String method, long offset) throws IOException {
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

    private void rest(int fruitless) {
        try {
            Thread.sleep(pause.multipliedBy(1L << fruitless));
        } catch (InterruptedException cancelled) {
            Thread.currentThread().interrupt();
            requireNotCancelled();
        }
    }

    static void requireNotCancelled() {
        if (Thread.currentThread().isInterrupted()) {
            throw new Hal0Exception(
                    ErrorCode.OPERATION_CANCELLED,
                    "The install was cancelled. What arrived is kept; the next try resumes.");
        }
    }

    /** Some mirrors take a plus for a space, so it is spelt out as apt does. */
    private static URI address(URI mirror, EngineLock.Pin pin) {
        return URI.create(
                mirror.toString().replaceFirst("/+$", "") + "/" + pin.path().replace("+", "%2b"));
    }

    /** Without the password that some sources carry. */
    private static String shown(URI uri) {
        return uri.toString().replaceFirst("//[^/@]*@", "//");
    }

    private static String reason(IOException failure) {
        return failure.getClass().getSimpleName() + (failure.getMessage() == null ? "" : ": " + failure.getMessage());
    }

    private static long sizeOf(Path file) throws IOException {
        return Files.exists(file) ? Files.size(file) : 0;
    }

    private static String sha256(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            var buffer = new byte[64 << 10];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                digest.update(buffer, 0, count);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError("every JDK has SHA-256", impossible);
        }
    }
}
