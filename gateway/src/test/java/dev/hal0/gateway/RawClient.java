package dev.hal0.gateway;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** A client on a raw socket: it sees every byte and can leave at any of them. */
final class RawClient implements AutoCloseable {
    record Head(int status, Map<String, String> headers) {}

    record Reply(int status, Map<String, String> headers, String body) {
        JsonNode json() {
            return dev.hal0.kernel.Json.LENIENT.readTree(body);
        }

        JsonNode error() {
            return json().path("error");
        }
    }

    private final Socket socket;
    private final InputStream in;
    private @Nullable Head head;
    private boolean ended;

    RawClient(int port) throws IOException {
        this(port, 0);
    }

    /** @param receiveBuffer how little the kernel may take ahead of a slow reader; 0 for its own choice */
    RawClient(int port, int receiveBuffer) throws IOException {
        socket = new Socket();
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        socket.connect(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), port), 5_000);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(20_000);
        in = new BufferedInputStream(socket.getInputStream(), 8192);
    }

    static Reply exchange(int port, String method, String path, String body, String... headers) throws IOException {
        try (var client = new RawClient(port)) {
            client.send(method, path, body, headers);
            return client.reply();
        }
    }

    void send(String method, String path, String body, String... headers) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        var text = new StringBuilder(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n");
        for (String header : headers) {
            text.append(header).append("\r\n");
        }
        if (bytes.length > 0) {
            text.append("Content-Length: ").append(bytes.length).append("\r\n");
        }
        raw(text.append("\r\n").toString());
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
    }

    void raw(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
        socket.getOutputStream().flush();
    }

    Head head() throws IOException {
        Head known = head;
        if (known != null) {
            return known;
        }
        String status = line();
        var headers = new LinkedHashMap<String, String>();
        for (String line = line(); !line.isEmpty(); line = line()) {
            int colon = line.indexOf(':');
            headers.put(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip());
        }
        Head fresh = new Head(Integer.parseInt(status.split(" ", 3)[1]), headers);
        head = fresh;
        return fresh;
    }

    /** The next chunk of a chunked body; null after the proper end. */
    @Nullable
    String chunk() throws IOException {
        head();
        if (ended) {
            return null;
        }
        int size = Integer.parseInt(line(), 16);
        byte[] bytes = in.readNBytes(size);
        if (bytes.length < size) {
            throw new EOFException();
        }
        line();
        if (size == 0) {
            ended = true;
            return null;
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Reads until the text stood in the body, and gives everything up to then. */
    String until(String text) throws IOException {
        var seen = new StringBuilder();
        while (seen.indexOf(text) < 0) {
            String chunk = chunk();
            if (chunk == null) {
                throw new EOFException("'" + text + "' is not in: " + seen);
            }
            seen.append(chunk);
        }
        return seen.toString();
    }

    /** The rest of a chunked body, which must end properly. */
    String rest() throws IOException {
        var rest = new StringBuilder();
        for (String chunk = chunk(); chunk != null; chunk = chunk()) {
            rest.append(chunk);
        }
        return rest.toString();
    }

    Reply reply() throws IOException {
        Head now = head();
        String length = now.headers().get("content-length");
        String body;
        if (length != null) {
            byte[] bytes = in.readNBytes(Integer.parseInt(length));
            if (bytes.length < Integer.parseInt(length)) {
                throw new EOFException();
            }
            body = new String(bytes, StandardCharsets.UTF_8);
        } else {
            body = rest();
        }
        head = null;
        ended = false;
        return new Reply(now.status(), now.headers(), body);
    }

    /** An interim answer's status. */
    int interim() throws IOException {
        int status = head().status();
        head = null;
        return status;
    }

    /** A body without any length, as of HTTP/1.0. */
    String untilClosed() throws IOException {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }

    boolean isClosedByServer() throws IOException {
        return in.read() < 0;
    }

    private String line() throws IOException {
        var line = new ByteArrayOutputStream();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new EOFException();
            }
            if (c != '\r') {
                line.write(c);
            }
        }
        return line.toString(StandardCharsets.UTF_8);
    }

    /** Leaves as a killed program does. */
    void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
