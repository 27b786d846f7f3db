package dev.hal0.testing;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Stands in for llama-server where a fault is needed that the real one cannot be made to have on demand. Speaks as much of its
 * protocol as hal0 uses. Faults of a launch come from the environment (a slot's {@code server.env}), faults of an answer from
 * fields of the request, so that a test reads in one place what goes wrong. Each fault is one that was seen, or a numbered
 * pitfall (P) of the reference's history:
 *
 * <ul>
 *   <li>{@code FAKE_LOAD_MS}: 503 on /health for so long (llama-server while it reads a large model);
 *   <li>{@code FAKE_EXIT}: prints a line and exits with this status instead of listening (llama-server on a bad file: 1; the
 *       kernel's answer to too much memory: 137); P4 when it does so every time;
 *   <li>{@code FAKE_EXIT_AFTER_MS}: does so only after this long, in the middle of a load (the memory runs out when the
 *       weights are read, not at the start);
 *   <li>{@code FAKE_DEAF}: runs and never listens (P26: alive, and its port is dead);
 *   <li>{@code FAKE_LYING_HEALTH}: /health is fine while every answer is 503 "Loading model" (P3, P33: a green check proves
 *       no answer);
 *   <li>{@code FAKE_CONTEXT}: claims this n_ctx in /props (P19: llama-server without {@code --fit off} refits silently);
 *   <li>{@code FAKE_IGNORE_TERM}: does not end on SIGTERM (a process in an uninterruptible call of a GPU driver);
 *   <li>{@code fake_silence_ms}: says nothing for so long before the first byte (llama-server's prefill of a long prompt);
 *   <li>{@code fake_tokens}, {@code fake_spacing_ms}: length and pace of a stream;
 *   <li>{@code fake_drop_after}: closes the connection after so many tokens (what is seen of an engine that is killed);
 *   <li>{@code fake_garbage_after}: after so many tokens bytes that are no chunk of HTTP (P33: a process that answers is not
 *       one that answers sanely);
 *   <li>{@code fake_exit_after}: exits with 134 after so many tokens (P16: an aborted context);
 *   <li>{@code fake_hang_after}: after so many tokens nothing more comes and no counter of /slots moves, with /health fine
 *       (llama-server whose GPU hangs: its HTTP threads go on answering);
 *   <li>{@code fake_status}: refuses with this status (llama-server: 400 for a prompt beyond its context).
 * </ul>
 *
 * <p>A port that is taken needs no knob: like llama-server, it says that it cannot bind and exits with 1.
 *
 * {@code GET /fake/cancelled} tells how many requests lost their client before they were answered.
 */
public final class FakeLlamaServer {
    private final Map<String, String> options = new HashMap<>();
    private final long started = System.nanoTime();
    private final AtomicInteger working = new AtomicInteger();
    private final AtomicInteger cancelled = new AtomicInteger();
    private final AtomicInteger served = new AtomicInteger();
    private final AtomicInteger decoded = new AtomicInteger();
    private final String key;

    private FakeLlamaServer(String[] arguments) throws IOException {
        for (int i = 0; i < arguments.length; i++) {
            if (arguments[i].startsWith("--") && i + 1 < arguments.length && !arguments[i + 1].startsWith("--")) {
                options.put(arguments[i], arguments[i + 1]);
            }
        }
        key = Files.readString(Path.of(options.get("--api-key-file"))).strip();
    }

    public static void main(String[] arguments) throws IOException {
        if (System.getenv("FAKE_EXIT") != null) {
            exitWhenDue(
                    Integer.parseInt(System.getenv("FAKE_EXIT")),
                    Integer.parseInt(System.getenv().getOrDefault("FAKE_EXIT_AFTER_MS", "0")));
        }
        if (System.getenv("FAKE_IGNORE_TERM") != null) {
            sun.misc.Signal.handle(
                    new sun.misc.Signal("TERM"), signal -> System.out.println("fake engine: ignored a signal"));
        }
        new FakeLlamaServer(arguments).serve();
    }

    private static void exitWhenDue(int status, int millis) {
        Runnable exit = () -> {
            waited(new CountDownLatch(1), millis);
            System.out.println("fake engine: cannot load the model: out of memory");
            // At once, as the kernel would: nothing is finished first.
            System.out.flush();
            Runtime.getRuntime().halt(status);
        };
        if (millis == 0) {
            exit.run();
        } else {
            Thread.ofPlatform().start(exit);
        }
    }

    private void serve() throws IOException {
        System.out.println("fake engine: started with " + options);
        int port = Integer.parseInt(options.get("--port"));
        while (System.getenv("FAKE_DEAF") != null) {
            waited(new CountDownLatch(1), Integer.MAX_VALUE);
        }
        try (var server = new ServerSocket(port, 256, InetAddress.getLoopbackAddress())) {
            while (true) {
                Socket socket = server.accept();
                socket.setTcpNoDelay(true);
                Thread.ofVirtual().start(() -> {
                    try (socket) {
                        connection(socket);
                    } catch (IOException clientLeft) {
                        // What a client does with its connection is its business.
                    }
                });
            }
        }
    }

    private record Request(String method, String path, String authorization, String body) {}

    /** What one connection's reader has seen: requests in order, and the end. */
    private static final class Inbox {
        private final LinkedBlockingQueue<Optional<Request>> requests = new LinkedBlockingQueue<>();
        private final CountDownLatch clientLeft = new CountDownLatch(1);

        void fill(InputStream input) {
            try {
                for (Request request = read(input); request != null; request = read(input)) {
                    requests.add(Optional.of(request));
                }
            } catch (IOException broken) {
                // The same as an end.
            }
            clientLeft.countDown();
            requests.add(Optional.empty());
        }

        Optional<Request> next() {
            try {
                return requests.take();
            } catch (InterruptedException ending) {
                return Optional.empty();
            }
        }
    }

    private void connection(Socket socket) throws IOException {
        var input = new BufferedInputStream(socket.getInputStream());
        var inbox = new Inbox();
        Thread.ofVirtual().start(() -> inbox.fill(input));
        for (Optional<Request> request = inbox.next(); request.isPresent(); request = inbox.next()) {
            answer(request.get(), socket, inbox.clientLeft);
        }
    }

    private static @Nullable Request read(InputStream input) throws IOException {
        String head = line(input);
        if (head == null || head.isEmpty()) {
            return null;
        }
        String[] words = head.split(" ", 3);
        String authorization = "";
        int length = 0;
        for (String header = line(input); header != null && !header.isEmpty(); header = line(input)) {
            String lower = header.toLowerCase(Locale.ROOT);
            if (lower.startsWith("content-length:")) {
                length = Integer.parseInt(lower.substring(15).strip());
            } else if (lower.startsWith("authorization:")) {
                authorization = header.substring(14).strip();
            }
        }
        return new Request(
                words[0], words[1], authorization, new String(input.readNBytes(length), StandardCharsets.UTF_8));
    }

    private static @Nullable String line(InputStream input) throws IOException {
        var bytes = new ByteArrayOutputStream();
        int next;
        while ((next = input.read()) >= 0) {
            if (next == '\n') {
                return bytes.toString(StandardCharsets.UTF_8).stripTrailing();
            }
            bytes.write(next);
        }
        return bytes.size() == 0 ? null : bytes.toString(StandardCharsets.UTF_8);
    }

    private void answer(Request request, Socket socket, CountDownLatch clientLeft) throws IOException {
        OutputStream output = socket.getOutputStream();
        long loadMillis = Long.parseLong(System.getenv().getOrDefault("FAKE_LOAD_MS", "0"));
        boolean loading = System.nanoTime() - started < TimeUnit.MILLISECONDS.toNanos(loadMillis);
        if (request.path().equals("/health")) {
            send(output, loading ? 503 : 200, loading ? "{\"status\":\"loading\"}" : "{\"status\":\"ok\"}");
        } else if (request.path().equals("/fake/cancelled")) {
            send(output, 200, "{\"cancelled\":" + cancelled + ",\"served\":" + served + "}");
        } else if (!request.authorization().equals("Bearer " + key)) {
            send(
                    output,
                    401,
                    "{\"error\":{\"message\":\"Invalid API Key\",\"type\":\"authentication_error\",\"code\":401}}");
        } else if (request.path().equals("/props")) {
            send(output, 200, props());
        } else if (request.path().equals("/slots")) {
            send(
                    output,
                    200,
                    "[{\"id\":0,\"id_task\":" + served + ",\"is_processing\":" + (working.get() > 0)
                            + ",\"next_token\":[{\"n_decoded\":" + decoded + "}]}]");
        } else if (request.method().equals("POST")) {
            work(request, socket, clientLeft, output);
        } else {
            send(output, 404, "{\"error\":{\"message\":\"not found\"}}");
        }
    }

    private String props() {
        int parallel = Integer.parseInt(options.getOrDefault("--parallel", "1"));
        int context = Integer.parseInt(options.getOrDefault("--ctx-size", "4096")) / parallel;
        String claimed = System.getenv().getOrDefault("FAKE_CONTEXT", Integer.toString(context));
        return "{\"model_alias\":\"" + options.get("--alias") + "\",\"model_path\":\"" + options.get("--model")
                + "\",\"total_slots\":" + parallel + ",\"default_generation_settings\":{\"n_ctx\":" + claimed + "}}";
    }

    private void work(Request request, Socket socket, CountDownLatch clientLeft, OutputStream output)
            throws IOException {
        if (System.getenv("FAKE_LYING_HEALTH") != null) {
            send(
                    output,
                    503,
                    "{\"error\":{\"message\":\"Loading model\",\"type\":\"unavailable_error\",\"code\":503}}");
            return;
        }
        working.incrementAndGet();
        try {
            if (waited(clientLeft, number(request.body(), "fake_silence_ms", 0))) {
                cancelled.incrementAndGet();
                return;
            }
            int status = number(request.body(), "fake_status", 200);
            if (status != 200) {
                send(output, status, "{\"error\":{\"message\":\"the fake engine refuses\",\"code\":" + status + "}}");
            } else if (request.body().replace(" ", "").contains("\"stream\":true")) {
                stream(request.body(), socket, output, clientLeft);
            } else {
                send(
                        output,
                        200,
                        "{\"object\":\"chat.completion\",\"model\":\"" + options.get("--alias")
                                + "\",\"choices\":[{\"index\":0,\"finish_reason\":\"stop\",\"message\":{\"role\":\"assistant\","
                                + "\"content\":\"one two\"}}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}");
                served.incrementAndGet();
            }
        } finally {
            working.decrementAndGet();
        }
    }

    private void stream(String body, Socket socket, OutputStream output, CountDownLatch clientLeft) throws IOException {
        int tokens = number(body, "fake_tokens", 5);
        int spacing = number(body, "fake_spacing_ms", 0);
        int dropAfter = number(body, "fake_drop_after", -1);
        int hangAfter = number(body, "fake_hang_after", -1);
        int exitAfter = number(body, "fake_exit_after", -1);
        int garbageAfter = number(body, "fake_garbage_after", -1);
        output.write(("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII));
        for (int i = 0; i < tokens; i++) {
            if (i == dropAfter) {
                socket.close();
                return;
            }
            if (i == garbageAfter) {
                output.write("\u0000not a chunk\r\n".getBytes(StandardCharsets.US_ASCII));
                output.flush();
                waited(clientLeft, Integer.MAX_VALUE);
                return;
            }
            if (i == exitAfter) {
                System.out.println("fake engine: GPU hang");
                Runtime.getRuntime().halt(134);
            }
            if (i == hangAfter && waited(clientLeft, Integer.MAX_VALUE)) {
                cancelled.incrementAndGet();
                return;
            }
            decoded.incrementAndGet();
            chunk(output, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"t" + i + " \"}}]}\n\n");
            if (waited(clientLeft, spacing)) {
                cancelled.incrementAndGet();
                return;
            }
        }
        chunk(output, "data: [DONE]\n\n");
        output.write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        output.flush();
        served.incrementAndGet();
    }

    private static boolean waited(CountDownLatch clientLeft, int millis) {
        try {
            return clientLeft.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException ending) {
            return true;
        }
    }

    private static void chunk(OutputStream output, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        output.write((Integer.toHexString(bytes.length) + "\r\n" + text + "\r\n").getBytes(StandardCharsets.UTF_8));
        output.flush();
    }

    private static void send(OutputStream output, int status, String json) throws IOException {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        output.write(("HTTP/1.1 " + status + " Fake\r\nContent-Type: application/json\r\nContent-Length: " + body.length
                        + "\r\n\r\n" + json)
                .getBytes(StandardCharsets.UTF_8));
        output.flush();
    }

    private static int number(String body, String field, int otherwise) {
        Matcher matcher = Pattern.compile("\"" + field + "\"\\s*:\\s*(-?\\d+)").matcher(body);
        return matcher.find() ? Integer.parseInt(matcher.group(1)) : otherwise;
    }
}
