package dev.hal0.starter;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.ErrorEnvelope;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP side, on the JDK's own server: one more library would be larger than everything it has to do. Answers health from
 * its first moment, everything else once the model is there.
 */
final class StarterServer implements AutoCloseable {
    private static final int MOST_BODY_BYTES = 8 << 20;

    private final HttpServer http;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final String alias;
    private final byte[] key;
    private final Semaphore permits;
    private volatile @Nullable EmbeddingModel model;

    /** @param parallel inferences at once */
    StarterServer(String host, int port, String alias, String key, int parallel) throws IOException {
        this.alias = alias;
        this.key = ("Bearer " + key).getBytes(StandardCharsets.UTF_8);
        this.permits = new Semaphore(parallel, true);
        this.http = HttpServer.create(new InetSocketAddress(host, port), 0);
        http.setExecutor(threads);
        http.createContext("/", this::handle);
        http.start();
    }

    int port() {
        return http.getAddress().getPort();
    }

    void ready(EmbeddingModel loaded) {
        model = loaded;
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            try {
                dispatch(exchange);
            } catch (Hal0Exception refused) {
                send(exchange, refused.code().status(), ErrorEnvelope.of(refused, null));
            } catch (RuntimeException defect) {
                System.out.println("request failed: " + defect);
                var unexpected = new Hal0Exception(ErrorCode.SYSTEM_INTERNAL, "The engine failed at this request.");
                send(exchange, 500, ErrorEnvelope.of(unexpected, null));
            }
        }
    }

    private void dispatch(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String method = exchange.getRequestMethod();
        EmbeddingModel loaded = model;
        if (path.equals("/health")) {
            requireMethod(method, "GET");
            send(exchange, loaded == null ? 503 : 200, Map.of("status", loaded == null ? "loading model" : "ok"));
            return;
        }
        requireKey(exchange);
        if (loaded == null) {
            throw new Hal0Exception(ErrorCode.SLOT_LOADING, "The model is being loaded.")
                    .withRetryAfter(java.time.Duration.ofSeconds(1));
        }
        switch (path) {
            case "/props" -> {
                requireMethod(method, "GET");
                send(exchange, 200, props(loaded));
            }
            case "/v1/models" -> {
                requireMethod(method, "GET");
                send(
                        exchange,
                        200,
                        Map.of(
                                "object",
                                "list",
                                "data",
                                List.of(Map.of("id", alias, "object", "model", "owned_by", "hal0"))));
            }
            case "/v1/embeddings" -> {
                requireMethod(method, "POST");
                embed(exchange, loaded);
            }
            default -> throw new Hal0Exception(ErrorCode.ROUTE_NOT_FOUND, "No route " + path + ".");
        }
    }

    private Map<String, Object> props(EmbeddingModel loaded) {
        var props = new LinkedHashMap<String, Object>();
        props.put("model_alias", alias);
        props.put("n_ctx", loaded.window());
        props.put("dimensions", loaded.dimensions());
        return props;
    }

    private void embed(HttpExchange exchange, EmbeddingModel loaded) throws IOException {
        byte[] body = exchange.getRequestBody().readNBytes(MOST_BODY_BYTES + 1);
        if (body.length > MOST_BODY_BYTES) {
            throw new Hal0Exception(
                    ErrorCode.REQUEST_TOO_LARGE, "The body is larger than " + (MOST_BODY_BYTES >> 20) + " MiB.");
        }
        EmbeddingRequest request = EmbeddingRequest.parse(body, alias, loaded.dimensions());
        List<EmbeddingModel.Embedded> embedded;
        permits.acquireUninterruptibly();
        try {
            embedded = loaded.embed(request.inputs());
        } finally {
            permits.release();
        }
        send(exchange, 200, reply(request, embedded, loaded.window()));
    }

    private static Map<String, Object> reply(
            EmbeddingRequest request, List<EmbeddingModel.Embedded> embedded, int window) {
        var data = new ArrayList<Map<String, Object>>();
        var averaged = new ArrayList<Integer>();
        int tokens = 0;
        for (int i = 0; i < embedded.size(); i++) {
            EmbeddingModel.Embedded one = embedded.get(i);
            var row = new LinkedHashMap<String, Object>();
            row.put("object", "embedding");
            row.put("index", i);
            row.put("embedding", request.base64() ? base64(one.vector()) : one.vector());
            data.add(row);
            tokens += one.tokens();
            if (one.averaged()) {
                averaged.add(i);
            }
        }
        var reply = new LinkedHashMap<String, Object>();
        reply.put("object", "list");
        reply.put("model", request.model());
        reply.put("data", data);
        var usage = new LinkedHashMap<String, Object>();
        usage.put("prompt_tokens", tokens);
        usage.put("total_tokens", tokens);
        reply.put("usage", usage);
        if (!averaged.isEmpty()) {
            // Said, because such a vector describes a text less well than one that fits.
            reply.put("hal0", Map.of("window", window, "averaged_inputs", averaged));
        }
        return reply;
    }

    private static String base64(float[] vector) {
        var bytes = ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(vector);
        return Base64.getEncoder().encodeToString(bytes.array());
    }

    private static void requireMethod(String method, String wanted) {
        if (!method.equals(wanted)) {
            throw new Hal0Exception(
                    ErrorCode.ROUTE_METHOD_NOT_ALLOWED, method + " is not for this route; use " + wanted + ".");
        }
    }

    private void requireKey(HttpExchange exchange) {
        String given = exchange.getRequestHeaders().getFirst("Authorization");
        byte[] bytes = (given == null ? "" : given).getBytes(StandardCharsets.UTF_8);
        if (!MessageDigest.isEqual(bytes, key)) {
            throw new Hal0Exception(ErrorCode.REQUEST_UNAUTHORIZED, "The key of this launch is required.");
        }
    }

    private static void send(HttpExchange exchange, int status, Object body) throws IOException {
        byte[] json = Json.STRICT.writeValueAsBytes(body);
        exchange.getResponseHeaders().set("Content-Type", "application/json; charset=utf-8");
        exchange.sendResponseHeaders(status, json.length);
        exchange.getResponseBody().write(json);
    }

    @Override
    public void close() {
        http.stop(0);
        threads.shutdownNow();
    }
}
