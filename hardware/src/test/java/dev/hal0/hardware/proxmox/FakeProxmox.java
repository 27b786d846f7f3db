package dev.hal0.hardware.proxmox;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** A Proxmox API over real TLS on the loopback address, which records what reached it. */
final class FakeProxmox implements AutoCloseable {
    /** What the fake does with a request once it is recorded. */
    @FunctionalInterface
    interface Answer {
        void send(HttpExchange exchange) throws IOException;
    }

    record Seen(String path, @Nullable String authorization) {}

    private static final int CHUNK = 64 << 10;

    private final HttpsServer server;
    private final List<Seen> seen = new CopyOnWriteArrayList<>();
    private volatile Answer answer;

    private FakeProxmox(HttpsServer server, Answer answer) {
        this.server = server;
        this.answer = answer;
    }

    static FakeProxmox answering(Answer answer) throws IOException {
        HttpsServer server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(FakeIdentity.shared().serverContext()));
        server.setExecutor(Thread::startVirtualThread);
        FakeProxmox fake = new FakeProxmox(server, answer);
        server.createContext("/", exchange -> {
            fake.seen.add(new Seen(
                    exchange.getRequestURI().toString(),
                    exchange.getRequestHeaders().getFirst("Authorization")));
            fake.answer.send(exchange);
        });
        server.start();
        return fake;
    }

    void nowAnswering(Answer next) {
        answer = next;
    }

    int port() {
        return server.getAddress().getPort();
    }

    List<Seen> seen() {
        return seen;
    }

    @Override
    public void close() {
        server.stop(0);
    }

    static Answer json(String body) {
        return status(200, body);
    }

    static Answer status(int code, String body) {
        return exchange -> {
            try (exchange) {
                byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(code, bytes.length);
                exchange.getResponseBody().write(bytes);
            }
        };
    }

    static Answer redirectTo(int port) {
        return exchange -> {
            exchange.getResponseHeaders().add("Location", "https://localhost:" + port + "/elsewhere");
            status(302, "moved").send(exchange);
        };
    }

    /** Never ends by itself: only a reader that hangs up stops it. */
    static Answer endless() {
        return exchange -> {
            try (exchange) {
                exchange.sendResponseHeaders(200, 0);
                while (true) {
                    exchange.getResponseBody().write(new byte[CHUNK]);
                }
            }
        };
    }

    /** Sends the head and half of a body, then nothing until released. */
    static Answer stuck(int code, CountDownLatch release) {
        return exchange -> {
            try (exchange) {
                exchange.sendResponseHeaders(code, 0);
                exchange.getResponseBody().write("{\"data\":".getBytes(StandardCharsets.UTF_8));
                exchange.getResponseBody().flush();
                await(release);
            }
        };
    }

    /** Answers once released. */
    static Answer held(CountDownLatch release, Answer then) {
        return exchange -> {
            await(release);
            then.send(exchange);
        };
    }

    private static void await(CountDownLatch latch) throws IOException {
        try {
            latch.await();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException(interrupted);
        }
    }
}
