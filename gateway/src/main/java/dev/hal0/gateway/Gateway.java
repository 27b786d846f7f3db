package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.slots.Route;
import dev.hal0.slots.SlotControl;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.PoolOptions;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The {@code /v1} routes. Handlers run on event loops; {@link #drain} may be called from anywhere. */
public final class Gateway {
    private static final Logger log = LoggerFactory.getLogger(Gateway.class);

    /** Larger bodies are parsed on a worker, so that one long prompt does not hold up everyone's tokens. */
    private static final int PARSED_ON_LOOP_BYTES = 64 << 10;

    /** llama-server closes a quiet connection after 5 s: ours must be given up before. */
    private static final int KEEP_ALIVE_SECONDS = 4;

    private static final int MOST_CONNECTIONS_PER_ENGINE = 1024;

    private final Vertx vertx;
    private final SlotControl slots;
    private final GatewayPolicy policy;
    private final Accounting accounting;
    private final ModelListing models;
    private final HttpClient client;
    private final Set<Exchange> inFlight = ConcurrentHashMap.newKeySet();
    private volatile boolean draining;
    private volatile Promise<Void> emptied = Promise.promise();

    public Gateway(Vertx vertx, SlotControl slots, ModelListing models, GatewayPolicy policy, Accounting accounting) {
        this.vertx = vertx;
        this.slots = slots;
        this.models = models;
        this.policy = policy;
        this.accounting = accounting;
        this.client = vertx.httpClientBuilder()
                .with(new HttpClientOptions()
                        .setKeepAlive(true)
                        .setKeepAliveTimeout(KEEP_ALIVE_SECONDS)
                        .setConnectTimeout(2_000)
                        .setTcpNoDelay(true)
                        .setDecompressionSupported(false))
                .with(new PoolOptions().setHttp1MaxSize(MOST_CONNECTIONS_PER_ENGINE))
                .build();
    }

    /** Adds the routes; everything else below {@code /v1} is answered 404 or 405 in the same envelope. */
    public void mount(Router router) {
        for (GatewayRoute route : GatewayRoute.ALL) {
            router.route(HttpMethod.POST, route.path()).handler(context -> receive(context, route));
            router.route(route.path()).handler(context -> notAllowed(context, "POST"));
        }
        router.route(HttpMethod.GET, "/v1/models").handler(models::list);
        router.route("/v1/models").handler(context -> notAllowed(context, "GET"));
        router.routeWithRegex(HttpMethod.GET, "/v1/models/(?<id>.+)").handler(models::one);
        router.route("/v1/models/*").handler(context -> notAllowed(context, "GET"));
        router.route("/v1/*")
                .handler(context -> Responses.fail(
                        context,
                        new Hal0Exception(
                                ErrorCode.ROUTE_NOT_FOUND,
                                "No route " + context.request().method() + " "
                                        + context.request().path() + ". There are "
                                        + GatewayRoute.ALL.stream()
                                                .map(GatewayRoute::path)
                                                .toList() + " and /v1/models.")));
    }

    /** How many exchanges are under way. */
    public int inFlight() {
        return inFlight.size();
    }

    public boolean isDraining() {
        return draining;
    }

    /**
     * Refuses new requests and lets those under way finish.
     *
     * @return completes when the last one ended; at the deadline the rest get an error event, their number is the result
     */
    public Future<Integer> drain(Duration deadline) {
        draining = true;
        if (inFlight.isEmpty()) {
            return Future.succeededFuture(0);
        }
        Promise<Integer> result = Promise.promise();
        long timer = vertx.setTimer(Math.max(1, deadline.toMillis()), ignored -> {
            List<Exchange> rest = List.copyOf(inFlight);
            rest.forEach(exchange -> exchange.end(new Hal0Exception(
                    ErrorCode.DISPATCH_SHUTTING_DOWN, "The control plane is stopping; the slot stays loaded.")));
            result.tryComplete(rest.size());
        });
        emptied.future().onSuccess(ignored -> {
            vertx.cancelTimer(timer);
            result.tryComplete(0);
        });
        if (inFlight.isEmpty()) {
            emptied.tryComplete();
        }
        return result.future();
    }

    public Future<Void> close() {
        return client.close();
    }

    private void receive(RoutingContext context, GatewayRoute route) {
        if (draining) {
            Responses.fail(
                    context,
                    new Hal0Exception(ErrorCode.DISPATCH_SHUTTING_DOWN, "The control plane is stopping.")
                            .withRetryAfter(Duration.ofSeconds(5)));
            return;
        }
        HttpServerRequest request = context.request();
        long announced = announcedLength(request);
        if (announced > policy.maxBodyBytes()) {
            tooLarge(context);
            return;
        }
        Buffer body = Buffer.buffer((int) Math.max(1024, Math.min(announced, 1 << 20)));
        request.handler(chunk -> {
            if (body.length() + (long) chunk.length() > policy.maxBodyBytes()) {
                request.handler(ignored -> {});
                request.endHandler(ignored -> {});
                tooLarge(context);
            } else {
                body.appendBuffer(chunk);
            }
        });
        request.endHandler(ignored -> parse(context, route, body));
    }

    private static long announcedLength(HttpServerRequest request) {
        try {
            String length = request.getHeader("Content-Length");
            return length == null ? 0 : Long.parseLong(length);
        } catch (NumberFormatException refusedByTheServerBefore) {
            return 0;
        }
    }

    /** The rest of the body is not read: the connection ends with the answer. */
    private void tooLarge(RoutingContext context) {
        context.response().putHeader("Connection", "close");
        Responses.fail(
                context,
                new Hal0Exception(
                        ErrorCode.REQUEST_TOO_LARGE,
                        "The body is larger than " + (policy.maxBodyBytes() >> 20) + " MiB."));
    }

    private void parse(RoutingContext context, GatewayRoute route, Buffer body) {
        if (body.length() <= PARSED_ON_LOOP_BYTES) {
            try {
                begin(context, route, body, RequestHead.parse(body.getBytes()));
            } catch (Hal0Exception refused) {
                Responses.fail(context, refused);
            }
            return;
        }
        vertx.executeBlocking(() -> RequestHead.parse(body.getBytes()), false).onComplete(parsed -> {
            try {
                if (parsed.failed()) {
                    throw failureOf(parsed.cause());
                }
                begin(context, route, body, parsed.result());
            } catch (Hal0Exception refused) {
                Responses.fail(context, refused);
            }
        });
    }

    private void begin(RoutingContext context, GatewayRoute route, Buffer body, RequestHead head) {
        Route resolved = Resolver.resolve(slots.routes(), route.type(), head.model());
        var exchange = new Exchange(vertx, client, slots, policy, context, route, resolved, body, head.stream());
        inFlight.add(exchange);
        exchange.start(ended -> {
            inFlight.remove(exchange);
            if (draining && inFlight.isEmpty()) {
                emptied.tryComplete();
            }
            try {
                accounting.ended(ended);
            } catch (RuntimeException defect) {
                log.error("accounting of {} failed", ended.requestId(), defect);
            }
        });
    }

    static Hal0Exception failureOf(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof java.util.concurrent.CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause instanceof Hal0Exception known
                ? known
                : new Hal0Exception(ErrorCode.SYSTEM_INTERNAL, "Unexpected: " + cause, cause);
    }

    private static void notAllowed(RoutingContext context, String allowed) {
        context.response().putHeader("Allow", allowed);
        Responses.fail(
                context,
                new Hal0Exception(
                        ErrorCode.ROUTE_METHOD_NOT_ALLOWED,
                        context.request().method() + " is not for "
                                + context.request().path() + "; use " + allowed + "."));
    }
}
