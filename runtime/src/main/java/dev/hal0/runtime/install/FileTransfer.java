package dev.hal0.runtime.install;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;

/**
 * Fetches files whose hash is known into one folder, under the hash as their name. What was cut short is resumed; a file
 * counts only with its size and hash.
 */
final class FileTransfer {
    private static final int TRIES_WITHOUT_PROGRESS = 4;
    private static final int PARTIAL = 206;
    private static final int RANGE_NOT_SATISFIABLE = 416;

    private final Path folder;
    private final MirrorHttp http;
    private final Duration pause;

    /** @param pause before the first retry; doubles */
    FileTransfer(Path folder, MirrorHttp http, Duration pause) {
        this.folder = folder;
        this.http = http;
        this.pause = pause;
    }

    Path folder() {
        return folder;
    }

    Path file(EngineLock.Pin pin) {
        return folder.resolve(pin.sha256() + ".deb");
    }

    boolean complete(EngineLock.Pin pin) throws IOException {
        return matches(file(pin), pin);
    }

    static boolean matches(Path file, EngineLock.Pin pin) throws IOException {
        return Files.isRegularFile(file)
                && Files.size(file) == pin.size()
                && sha256(file).equals(pin.sha256());
    }

    /**
     * @throws MirrorFault when this mirror does not give the file
     * @throws Hal0Exception {@code engine.install_failed} when it gives another one
     */
    void fetch(EngineLock.Pin pin, URI mirror) throws IOException {
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
                    throw wrong(pin, mirror, actual);
                }
            } catch (MirrorFault fault) {
                fruitless = sizeOf(part) > before ? 0 : fruitless + 1;
                if (fault.kind() != MirrorFault.Kind.BROKEN || fruitless >= TRIES_WITHOUT_PROGRESS) {
                    throw fault;
                }
                rest(fruitless);
            }
        }
    }

    private static Hal0Exception wrong(EngineLock.Pin pin, URI mirror, String actual) {
        return new Hal0Exception(
                        ErrorCode.ENGINE_INSTALL_FAILED,
                        pin.path() + " from " + MirrorHttp.shown(mirror) + " is not the expected file: its SHA-256 is "
                                + actual + ", not " + pin.sha256() + ". It was discarded.")
                .withDetail("expected_sha256", pin.sha256())
                .withDetail("actual_sha256", actual);
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
                connection = http.open(MirrorHttp.address(mirror, pin.path()), "GET", offset);
                status = connection.getResponseCode();
            } catch (IOException failure) {
                throw MirrorFault.unreachable(failure);
            }
            switch (status) {
                case PARTIAL -> {
                    String range = String.valueOf(connection.getHeaderField("Content-Range"));
                    if (!range.startsWith("bytes " + offset + "-")) {
                        throw MirrorFault.broken("answered another range than asked: " + range);
                    }
                }
                case HttpURLConnection.HTTP_OK -> offset = 0;
                case RANGE_NOT_SATISFIABLE -> {
                    Files.deleteIfExists(part);
                    throw MirrorFault.status(status);
                }
                default -> throw MirrorFault.status(status);
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
                        throw MirrorFault.broken(
                                "broke off after " + have + " bytes (" + MirrorHttp.reason(failure) + ")");
                    }
                    if (count < 0) {
                        throw MirrorFault.broken("ended after " + have + " of " + pin.size() + " bytes");
                    }
                    var bytes = ByteBuffer.wrap(buffer, 0, count);
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
