package dev.hal0.runtime.install;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/** A Debian mirror on the loopback that can cut connections. */
final class FakeMirror implements AutoCloseable {
    /** @param range the header, or empty */
    record Seen(String method, String path, String range) {}

    private final HttpServer server;
    private final Map<String, byte[]> files = new ConcurrentHashMap<>();
    private final List<Seen> seen = new CopyOnWriteArrayList<>();
    private final AtomicInteger cutsLeft = new AtomicInteger();
    private final Map<String, Integer> statuses = new ConcurrentHashMap<>();
    private volatile boolean ranges = true;

    FakeMirror() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/debian/", this::answer);
        server.createContext("/moved/", exchange -> {
            exchange.getResponseHeaders()
                    .set("Location", exchange.getRequestURI().toString().replace("/moved/", "/debian/"));
            exchange.sendResponseHeaders(302, -1);
            exchange.close();
        });
        server.start();
    }

    URI uri() {
        return uri("debian");
    }

    URI uri(String folder) {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/" + folder);
    }

    void put(String path, byte[] content) {
        files.put("/debian/" + path, content);
    }

    void remove(String path) {
        files.remove("/debian/" + path);
    }

    void change(String path, UnaryOperator<String> change) {
        files.computeIfPresent(
                "/debian/" + path,
                (name, content) -> change.apply(new String(content, StandardCharsets.UTF_8))
                        .getBytes(StandardCharsets.UTF_8));
    }

    void flipLastByte(String path) {
        files.computeIfPresent("/debian/" + path, (name, content) -> {
            byte[] flipped = content.clone();
            flipped[flipped.length - 1] ^= 1;
            return flipped;
        });
    }

    /** The next answers end in the middle. */
    void cut(int answers) {
        cutsLeft.set(answers);
    }

    /** Whatever is there. */
    void answer(String path, int status) {
        statuses.put("/debian/" + path, status);
    }

    void ignoreRanges() {
        ranges = false;
    }

    List<Seen> downloads() {
        return seen.stream().filter(request -> request.method().equals("GET")).toList();
    }

    List<Seen> seen() {
        return List.copyOf(seen);
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String range = exchange.getRequestHeaders().getFirst("Range");
        seen.add(
                new Seen(exchange.getRequestMethod(), path.substring("/debian/".length()), range == null ? "" : range));
        byte[] content = files.get(path);
        try (exchange) {
            if (content == null || statuses.containsKey(path)) {
                exchange.sendResponseHeaders(statuses.getOrDefault(path, 404), -1);
                return;
            }
            if (exchange.getRequestMethod().equals("HEAD")) {
                exchange.getResponseHeaders().set("Content-Length", String.valueOf(content.length));
                exchange.sendResponseHeaders(200, -1);
                return;
            }
            int from = 0;
            if (range != null && ranges) {
                from = Integer.parseInt(range.substring("bytes=".length(), range.length() - 1));
                exchange.getResponseHeaders()
                        .set("Content-Range", "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
            }
            int length = content.length - from;
            exchange.sendResponseHeaders(from > 0 ? 206 : 200, length);
            boolean cut = cutsLeft.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
            exchange.getResponseBody().write(content, from, cut ? length / 2 : length);
            exchange.getResponseBody().flush();
        } catch (IOException cutShort) {
            // Closing before the announced length is the point.
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
