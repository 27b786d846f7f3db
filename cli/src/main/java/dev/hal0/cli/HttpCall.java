package dev.hal0.cli;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP/1.1 exchange on a connection of its own.
 *
 * <p>Why not the JDK's clients? {@code java.net.http} costs 410 ms of start-up with a class cache (this and
 * {@code HttpURLConnection}: 10 ms), more than the whole budget of a command. {@code HttpURLConnection} cannot be stopped:
 * {@code disconnect()} waits for a read in progress, so Ctrl-C during a silent prefill would reach the engine only with its
 * next token; it also has no deadline for a whole answer and repeats a POST whose connection broke.
 *
 * <p>Used by one thread, except {@link #close}, which any thread may call at any moment, also before {@link #send}: whatever
 * the other one waits for then ends with an exception at once.
 */
final class HttpCall implements AutoCloseable {
    private static final int MOST_HEADER_BYTES = 64 << 10;

    /** Smaller ones fit the kernel's buffer: writing them cannot block. */
    private static final int MOST_UNWATCHED_BYTES = 16 << 10;

    private final URI uri;
    private final Deadlines deadlines;
    private volatile Socket plain = new Socket();

    /** The one to read and write: {@link #plain}, or the TLS layer on it. */
    private Socket socket = plain;

    private InputStream in = InputStream.nullInputStream();
    private Patience patience = new Patience(Duration.ZERO, true);
    private int status;

    /** Bytes left of the body or of its current chunk; -1 = until the connection ends. */
    private long left = -1;

    private boolean chunked;
    private boolean ended;
    private volatile boolean closed;

    HttpCall(URI uri, Deadlines deadlines) {
        this.uri = uri;
        this.deadlines = deadlines;
    }

    /**
     * A request's body.
     *
     * @param file what stands between the two; null for nothing
     */
    record Content(String type, byte[] before, @Nullable Path file, byte[] after) {
        static Content json(byte[] bytes) {
            return new Content("application/json", bytes, null, new byte[0]);
        }

        long length() throws IOException {
            return before.length + (file == null ? 0 : Files.size(file)) + after.length;
        }
    }

    /** The connection could not be made: nothing was sent. */
    static final class NotConnected extends IOException {
        private static final long serialVersionUID = 1L;

        NotConnected(IOException cause) {
            super(cause.getMessage(), cause);
        }
    }

    /** How long reads may take: together, or each. */
    private record Patience(long nanos, long since, boolean together) {
        Patience(Duration time, boolean together) {
            this(time.toNanos(), System.nanoTime(), together);
        }

        int millis() throws SocketTimeoutException {
            long remaining = together ? nanos - (System.nanoTime() - since) : nanos;
            if (remaining <= 0) {
                throw new SocketTimeoutException("no complete answer in time");
            }
            return (int) Math.clamp(remaining / 1_000_000, 1, Integer.MAX_VALUE);
        }
    }

    /**
     * Sends the request and reads the answer's head.
     *
     * @param body null for none
     * @param time for the whole answer, or between two bytes of a stream
     * @return the HTTP status
     */
    int send(String method, @Nullable Content body, String accept, Duration time, boolean stream) throws IOException {
        connect();
        patience = new Patience(time, !stream);
        in = new BufferedInputStream(new Deadlined(socket.getInputStream()));
        write(request(method, body, accept), body, time);
        do {
            head();
        } while (status < 200);
        if (status == 204 || status == 304) {
            ended = true;
        }
        return status;
    }

    private void connect() throws IOException {
        boolean tls = "https".equalsIgnoreCase(uri.getScheme());
        int port = uri.getPort() >= 0 ? uri.getPort() : tls ? 443 : 80;
        String host = uri.getHost();
        try {
            connectTo(InetAddress.getAllByName(host), port);
            if (tls) {
                patience = new Patience(deadlines.connect(), true);
                plain.setSoTimeout(patience.millis());
                var secured = (SSLSocket)
                        ((SSLSocketFactory) SSLSocketFactory.getDefault()).createSocket(plain, host, port, true);
                var parameters = secured.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                secured.setSSLParameters(parameters);
                secured.startHandshake();
                socket = secured;
            }
            socket.setTcpNoDelay(true);
        } catch (IOException failure) {
            throw new NotConnected(failure);
        }
    }

    /** A socket whose connect failed is spent; another address of the host needs a new one. */
    private void connectTo(InetAddress[] addresses, int port) throws IOException {
        IOException last = new IOException("no address");
        for (InetAddress address : addresses) {
            plain = new Socket();
            if (closed) {
                break;
            }
            try {
                plain.connect(
                        new InetSocketAddress(address, port),
                        Math.toIntExact(deadlines.connect().toMillis()));
                socket = plain;
                return;
            } catch (IOException failure) {
                last = failure;
            }
        }
        throw last;
    }

    private byte[] request(String method, @Nullable Content body, String accept) throws IOException {
        var head = new StringBuilder();
        String path = uri.getRawPath();
        head.append(method).append(' ').append(path.isEmpty() ? "/" : path);
        if (uri.getRawQuery() != null) {
            head.append('?').append(uri.getRawQuery());
        }
        head.append(" HTTP/1.1\r\nHost: ").append(uri.getHost());
        if (uri.getPort() >= 0) {
            head.append(':').append(uri.getPort());
        }
        head.append("\r\nAccept: ").append(accept).append("\r\nUser-Agent: hal0-cli\r\nConnection: close\r\n");
        if (body != null) {
            head.append("Content-Type: ").append(body.type());
            head.append("\r\nContent-Length: ").append(body.length()).append("\r\n");
        }
        var bytes = new ByteArrayOutputStream();
        bytes.writeBytes(head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
        if (body != null) {
            bytes.writeBytes(body.before());
        }
        return bytes.toByteArray();
    }

    private void write(byte[] bytes, @Nullable Content rest, Duration time) throws IOException {
        Path file = rest == null ? null : rest.file();
        if (bytes.length <= MOST_UNWATCHED_BYTES && file == null) {
            socket.getOutputStream().write(bytes);
            return;
        }
        // Java has no deadline for writes: a server that does not read would hold us for ever.
        Thread watch = Thread.ofPlatform().daemon().start(() -> {
            try {
                Thread.sleep(time);
                plain.close();
            } catch (InterruptedException | IOException written) {
                // nothing to end
            }
        });
        try {
            OutputStream out = socket.getOutputStream();
            out.write(bytes);
            if (rest != null && file != null) {
                Files.copy(file, out);
                out.write(rest.after());
            }
        } catch (IOException failure) {
            if (!closed && plain.isClosed()) {
                throw new SocketTimeoutException("the request was not taken in time");
            }
            throw failure;
        } finally {
            watch.interrupt();
        }
    }

    private void head() throws IOException {
        String[] start = line().split(" ", 3);
        if (start.length < 2 || !start[0].startsWith("HTTP/1.") || !start[1].matches("[1-5][0-9][0-9]")) {
            throw new NotHttp();
        }
        status = Integer.parseInt(start[1]);
        int size = 0;
        String line;
        while (!(line = line()).isEmpty()) {
            size += line.length();
            int colon = line.indexOf(':');
            if (colon < 0 || size > MOST_HEADER_BYTES) {
                throw new NotHttp();
            }
            String value = line.substring(colon + 1).strip();
            switch (line.substring(0, colon).toLowerCase(Locale.ROOT)) {
                case "content-length" -> left = number(value, 10);
                case "transfer-encoding" ->
                    chunked = value.toLowerCase(Locale.ROOT).endsWith("chunked");
                default -> {}
            }
        }
        if (chunked) {
            left = 0;
        }
    }

    /** What answers does not speak HTTP. */
    static final class NotHttp extends IOException {
        private static final long serialVersionUID = 1L;

        NotHttp() {
            super("the answer is not HTTP");
        }
    }

    private static long number(String text, int radix) throws IOException {
        try {
            long number = Long.parseLong(text, radix);
            if (number >= 0) {
                return number;
            }
        } catch (NumberFormatException notOne) {
            // refused below
        }
        throw new NotHttp();
    }

    private String line() throws IOException {
        var line = new ByteArrayOutputStream();
        int next;
        while ((next = in.read()) != '\n') {
            if (next < 0) {
                throw new IOException("the connection ended early");
            }
            if (line.size() > MOST_HEADER_BYTES) {
                throw new NotHttp();
            }
            line.write(next);
        }
        String text = line.toString(StandardCharsets.ISO_8859_1);
        return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
    }

    /** The answer's body; ends with an exception if the connection ends before the body does. */
    InputStream body() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public int read(byte[] bytes, int from, int length) throws IOException {
                return readBody(bytes, from, length);
            }
        };
    }

    private int readBody(byte[] bytes, int from, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (!ended && left == 0) {
            if (chunked) {
                nextChunk();
            } else {
                ended = true;
            }
        }
        if (ended) {
            return -1;
        }
        int count = in.read(bytes, from, left < 0 ? length : (int) Math.min(length, left));
        if (count < 0) {
            if (left >= 0) {
                throw new IOException("the connection ended early");
            }
            ended = true;
            return -1;
        }
        if (left >= 0) {
            left -= count;
            if (left == 0 && chunked && !line().isEmpty()) {
                throw new NotHttp();
            }
        }
        return count;
    }

    private void nextChunk() throws IOException {
        String size = line();
        int extension = size.indexOf(';');
        left = number((extension < 0 ? size : size.substring(0, extension)).strip(), 16);
        if (left == 0) {
            ended = true;
            while (!line().isEmpty()) {
                // trailers
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        try {
            // Not the TLS layer: its close would wait to say goodbye.
            plain.close();
        } catch (IOException gone) {
            // that is what was wanted
        }
    }

    /** Every read of the socket is bounded by what is left of the patience. */
    private final class Deadlined extends InputStream {
        private final InputStream raw;

        Deadlined(InputStream raw) {
            this.raw = raw;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
            plain.setSoTimeout(patience.millis());
            return raw.read(bytes, from, length);
        }
    }
}
