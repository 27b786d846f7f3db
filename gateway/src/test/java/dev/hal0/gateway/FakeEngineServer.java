package dev.hal0.gateway;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * An engine on raw sockets that does what a test tells it, down to the byte, and records what it saw. Each connection has a
 * reader that never stops reading, so that a close is noticed while an answer is in work, as llama-server does.
 */
final class FakeEngineServer implements AutoCloseable {
    /** How a request is answered. Runs on a thread of its own; an I/O failure ends it quietly. */
    @FunctionalInterface
    interface Behaviour {
        void answer(Call call) throws IOException, InterruptedException;
    }

    static final String KEY = "launch-key";
    static final String DONE = "data: [DONE]\n\n";

    final List<Call> calls = new CopyOnWriteArrayList<>();
    final List<AssertionError> complaints = new CopyOnWriteArrayList<>();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final int port;
    private volatile Behaviour behaviour = tokens(3);
    private volatile @Nullable ServerSocket listener;
    private volatile @Nullable Thread acceptor;
    private volatile @Nullable Socket held;
    private volatile int connections;

    FakeEngineServer() {
        listen(0);
        port = Objects.requireNonNull(listener).getLocalPort();
    }

    int port() {
        return port;
    }

    int connections() {
        return connections;
    }

    void behave(Behaviour next) {
        behaviour = next;
    }

    /** When it returns, connections are refused; those that stand stay. */
    void refuse() {
        closeQuietly(listener);
        try {
            // The port is free only when nobody accepts any more.
            Objects.requireNonNull(acceptor).join();
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    /** As a killed process: nothing listens and every connection is gone. */
    void die() {
        refuse();
        open.forEach(FakeEngineServer::reset);
        hold();
    }

    void listenAgain() {
        release();
        listen(port);
    }

    /** Bound and not listening: connections are refused, and no other program's engine can take the port meanwhile. */
    private void hold() {
        try {
            var socket = new Socket();
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            held = socket;
        } catch (IOException busy) {
            // The port is refused all the same; it is only not kept from others.
            held = null;
        }
    }

    private void release() {
        Socket socket = held;
        held = null;
        if (socket != null) {
            reset(socket);
        }
    }

    Call onlyCall() {
        if (calls.size() != 1) {
            throw new AssertionError("expected one call, saw " + calls.size());
        }
        return calls.getFirst();
    }

    // Knobs

    static String token(int number) {
        return "data: {\"choices\":[{\"delta\":{\"content\":\"" + number + "\"}}]}\n\n";
    }

    static Behaviour tokens(int count) {
        return call -> {
            call.eventStream();
            for (int i = 0; i < count; i++) {
                call.chunk(token(i));
            }
            call.chunk(DONE);
            call.end();
        };
    }

    static Behaviour json(String body) {
        return call -> call.document(200, "application/json", body);
    }

    static Behaviour status(int status, String type, String body) {
        return call -> call.document(status, type, body);
    }

    /** Sends some tokens, then nothing until the other side closes. */
    static Behaviour hangAfter(int tokens) {
        return call -> {
            call.eventStream();
            for (int i = 0; i < tokens; i++) {
                call.chunk(token(i));
            }
            call.awaitClosed();
        };
    }

    /** Works on the prompt for ever: not even a head. */
    static Behaviour silent() {
        return Call::awaitClosed;
    }

    static Behaviour dropBeforeReply() {
        return Call::drop;
    }

    static Behaviour dropAfter(int tokens) {
        return call -> {
            call.eventStream();
            for (int i = 0; i < tokens; i++) {
                call.chunk(token(i));
            }
            call.drop();
        };
    }

    static Behaviour dropInsideDocument() {
        return call -> {
            call.raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"half\":");
            call.drop();
        };
    }

    static Behaviour garbage() {
        return call -> {
            call.raw("\u0001\u0002 this is not HTTP at all\r\n\r\n");
            call.awaitClosed();
        };
    }

    static Behaviour garbageInsideStream() {
        return call -> {
            call.eventStream();
            call.chunk(token(0));
            call.raw("this is no chunk size\r\n");
            call.awaitClosed();
        };
    }

    /** One request, as the engine saw it, and the hand to answer it with. */
    static final class Call {
        final String requestLine;
        final Map<String, String> headers;
        final byte[] body;
        final AtomicLong sentBytes = new AtomicLong();

        /** What happened, in order: {@code sent}, {@code closed}. */
        final List<String> events = Collections.synchronizedList(new java.util.ArrayList<>());

        private final Socket socket;
        private final OutputStream out;
        private final CountDownLatch closed = new CountDownLatch(1);
        private final CountDownLatch answered = new CountDownLatch(1);

        private Call(Socket socket, String requestLine, Map<String, String> headers, byte[] body) throws IOException {
            this.socket = socket;
            this.out = socket.getOutputStream();
            this.requestLine = requestLine;
            this.headers = headers;
            this.body = body;
        }

        String bodyText() {
            return new String(body, StandardCharsets.UTF_8);
        }

        void eventStream() throws IOException {
            raw("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
                    + "Access-Control-Allow-Origin: *\r\nServer: fake\r\n\r\n");
        }

        void document(int status, String type, String text) throws IOException {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            raw("HTTP/1.1 " + status + " Whatever\r\nContent-Type: " + type + "\r\nContent-Length: " + bytes.length
                    + "\r\n\r\n" + text);
        }

        void chunk(String text) throws IOException {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            raw(Integer.toHexString(bytes.length) + "\r\n" + text + "\r\n");
        }

        void end() throws IOException {
            raw("0\r\n\r\n");
        }

        void raw(String text) throws IOException {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            events.add("sent");
            out.write(bytes);
            out.flush();
            sentBytes.addAndGet(bytes.length);
        }

        /** Ends the connection without a word, as a crash does. */
        void drop() {
            reset(socket);
        }

        /** Says that nothing more will come; {@link #awaitClosed} then tells that the other side has understood. */
        void finish() throws IOException {
            socket.shutdownOutput();
        }

        void awaitClosed() throws InterruptedException {
            if (!closed.await(20, TimeUnit.SECONDS)) {
                throw new AssertionError("the connection was never closed: " + headers + " " + events);
            }
        }

        boolean isClosed() {
            return closed.getCount() == 0;
        }

        private void markClosed() {
            events.add("closed");
            closed.countDown();
        }
    }

    // Machinery

    private void listen(int wanted) {
        try {
            var socket = new ServerSocket();
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), wanted), 1024);
            listener = socket;
            acceptor = Thread.ofPlatform().daemon().name("engine-accept").start(() -> accept(socket));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private void accept(ServerSocket from) {
        try {
            while (true) {
                Socket socket = from.accept();
                connections++;
                open.add(socket);
                Thread.ofVirtual().name("engine-connection").start(() -> serve(socket));
            }
        } catch (IOException closed) {
            // The listener was closed by the test.
        }
    }

    private void serve(Socket socket) {
        Call current = null;
        try (socket) {
            socket.setTcpNoDelay(true);
            InputStream in = new BufferedInputStream(socket.getInputStream());
            while (true) {
                Call next = read(socket, in);
                if (current != null) {
                    current.answered.await();
                }
                current = next;
                calls.add(next);
                Thread.ofVirtual().name("engine-answer").start(() -> answer(next));
            }
        } catch (IOException | InterruptedException ended) {
            // Seen below.
        } finally {
            open.remove(socket);
            if (current != null) {
                current.markClosed();
            }
        }
    }

    private void answer(Call call) {
        try {
            behaviour.answer(call);
        } catch (IOException | InterruptedException gone) {
            // The other side left while this one wrote.
        } catch (AssertionError complaint) {
            complaints.add(complaint);
        } finally {
            call.answered.countDown();
        }
    }

    private static Call read(Socket socket, InputStream in) throws IOException {
        String requestLine = line(in);
        var headers = new LinkedHashMap<String, String>();
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            int colon = line.indexOf(':');
            headers.merge(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip(),
                    (one, other) -> one + ", " + other);
        }
        int length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
        byte[] body = in.readNBytes(length);
        if (body.length < length) {
            throw new EOFException();
        }
        return new Call(socket, requestLine, headers, body);
    }

    private static String line(InputStream in) throws IOException {
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

    private static void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
            socket.close();
        } catch (IOException already) {
            // Closed by the other side.
        }
    }

    private static void closeQuietly(@Nullable AutoCloseable resource) {
        try {
            if (resource != null) {
                resource.close();
            }
        } catch (Exception already) {
            // Nothing is left to close.
        }
    }

    @Override
    public void close() {
        release();
        refuse();
        open.forEach(FakeEngineServer::reset);
    }
}
