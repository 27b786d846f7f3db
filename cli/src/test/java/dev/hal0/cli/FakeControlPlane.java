package dev.hal0.cli;

import dev.hal0.kernel.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import tools.jackson.databind.JsonNode;

/**
 * Answers by script on a real socket. Written on sockets, because the JDK's server hides what these tests are about: when the
 * client leaves, and answers that break off.
 */
final class FakeControlPlane implements AutoCloseable {
    enum Ending {
        PROPER,
        /** In the middle of the body. */
        BROKEN,
        /** Silence, until the client leaves. */
        NEVER
    }

    /** @param head false: not even the status is sent before the ending */
    record Answer(int status, String type, String body, Ending ending, boolean head) {}

    private final ServerSocket socket;
    private final Map<String, ArrayDeque<Answer>> script = new ConcurrentHashMap<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final List<JsonNode> bodies = new CopyOnWriteArrayList<>();
    private final List<String> forms = new CopyOnWriteArrayList<>();
    private final CountDownLatch silent = new CountDownLatch(1);
    private final CountDownLatch clientLeft = new CountDownLatch(1);

    FakeControlPlane() {
        try {
            socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        Thread.ofPlatform().daemon().start(this::accept);
    }

    String url() {
        return "http://127.0.0.1:" + socket.getLocalPort();
    }

    /** In order of arrival: method, space, path with query. */
    List<String> requests() {
        return requests;
    }

    /** The JSON bodies in order of arrival. */
    List<JsonNode> bodies() {
        return bodies;
    }

    /** The bodies that are no JSON, byte by byte. */
    List<String> forms() {
        return forms;
    }

    /** Counted down once an answer has gone silent. */
    CountDownLatch silent() {
        return silent;
    }

    /** Counted down once a client has closed its connection to a silent answer. */
    CountDownLatch clientLeft() {
        return clientLeft;
    }

    /** Answers are given in the order they were added; the last one again and again. */
    void on(String request, int status, String body) {
        add(request, new Answer(status, "application/json", body, Ending.PROPER, true));
    }

    void onStream(String request, String events, Ending ending) {
        add(request, new Answer(200, "text/event-stream", events, ending, true));
    }

    /** Takes the request and says nothing. */
    void onSilence(String request) {
        add(request, new Answer(200, "application/json", "", Ending.NEVER, false));
    }

    /** Takes the request and closes the connection. */
    void onHangUp(String request) {
        add(request, new Answer(200, "application/json", "", Ending.BROKEN, false));
    }

    private void add(String request, Answer answer) {
        script.computeIfAbsent(request, ignored -> new ArrayDeque<>()).add(answer);
    }

    private void accept() {
        try {
            while (true) {
                Socket client = socket.accept();
                Thread.ofPlatform().daemon().start(() -> serve(client));
            }
        } catch (IOException closed) {
            // the test is over
        }
    }

    private void serve(Socket client) {
        try (client) {
            InputStream in = client.getInputStream();
            String[] start = line(in).split(" ");
            int length = 0;
            String header;
            while (!(header = line(in)).isEmpty()) {
                if (header.startsWith("Content-Length: ")) {
                    length = Integer.parseInt(header.substring("Content-Length: ".length()));
                }
            }
            byte[] body = in.readNBytes(length);
            if (body.length > 0 && body[0] == '{') {
                bodies.add(Json.LENIENT.readTree(body));
            } else if (body.length > 0) {
                forms.add(new String(body, StandardCharsets.ISO_8859_1));
            }
            String request = start[0] + " " + start[1];
            requests.add(request);
            answer(client, next(request));
        } catch (IOException clientGone) {
            // what it was for is in the test
        }
    }

    private Answer next(String request) {
        ArrayDeque<Answer> answers = script.getOrDefault(request, new ArrayDeque<>());
        synchronized (answers) {
            Answer next = answers.size() > 1 ? answers.poll() : answers.peek();
            return next != null ? next : new Answer(500, "text/plain", "unscripted: " + request, Ending.PROPER, true);
        }
    }

    private void answer(Socket client, Answer answer) throws IOException {
        if (answer.head()) {
            write(client, head(answer));
        }
        if (answer.ending() == Ending.NEVER) {
            silent.countDown();
            if (client.getInputStream().read() < 0) {
                clientLeft.countDown();
            }
        }
    }

    private static byte[] head(Answer answer) {
        byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
        var bytes = new ByteArrayOutputStream();
        bytes.writeBytes(
                ascii("HTTP/1.1 " + answer.status() + " Some Reason\r\nContent-Type: " + answer.type() + "\r\n"));
        if (answer.type().equals("text/event-stream")) {
            bytes.writeBytes(ascii("Transfer-Encoding: chunked\r\n\r\n"));
            // Cut anywhere, also within a character: chunks know nothing of what they carry.
            for (int from = 0; from < body.length; from += 7) {
                int size = Math.min(7, body.length - from);
                bytes.writeBytes(ascii(Integer.toHexString(size) + ";ext=1\r\n"));
                bytes.write(body, from, size);
                bytes.writeBytes(ascii("\r\n"));
            }
            if (answer.ending() == Ending.PROPER) {
                bytes.writeBytes(ascii("0\r\nTrailer: x\r\n\r\n"));
            }
        } else {
            int missing = answer.ending() == Ending.BROKEN ? 100 : 0;
            bytes.writeBytes(ascii("Content-Length: " + (body.length + missing) + "\r\n\r\n"));
            bytes.writeBytes(body);
        }
        return bytes.toByteArray();
    }

    private static void write(Socket client, byte[] bytes) throws IOException {
        client.getOutputStream().write(bytes);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static String line(InputStream in) throws IOException {
        var line = new ByteArrayOutputStream();
        int next;
        while ((next = in.read()) != '\n') {
            if (next < 0) {
                throw new IOException("no request");
            }
            line.write(next);
        }
        return line.toString(StandardCharsets.ISO_8859_1).stripTrailing();
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException ignored) {
            // it is over either way
        }
    }
}
