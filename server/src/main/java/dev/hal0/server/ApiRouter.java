package dev.hal0.server;

import dev.hal0.gateway.RequestIds;
import dev.hal0.gateway.Responses;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the routes of {@code /api} onto HTTP: bodies are collected on the event loop, handlers run on virtual threads,
 * failures become the one envelope. This is the border between the two kinds of threads.
 */
final class ApiRouter {
    private static final Logger log = LoggerFactory.getLogger(ApiRouter.class);

    /** Configuration and small commands; model files never pass here. */
    private static final int MOST_BODY_BYTES = 1 << 20;

    private final Vertx vertx;
    private final ExecutorService handlers;

    ApiRouter(Vertx vertx, ExecutorService handlers) {
        this.vertx = vertx;
        this.handlers = handlers;
    }

    void mount(Router router, List<ApiRoute> routes) {
        Set<String> seen = new HashSet<>();
        for (ApiRoute route : routes) {
            if (!seen.add(route.method() + " " + route.path())) {
                throw new IllegalStateException("two routes for " + route.method() + " " + route.path());
            }
            router.route(route.method(), pattern(route.path())).handler(context -> collect(context, route));
        }
        for (String path : new TreeSet<>(routes.stream().map(ApiRoute::path).toList())) {
            String allowed = String.join(
                    ", ",
                    routes.stream()
                            .filter(route -> route.path().equals(path))
                            .map(route -> route.method().name())
                            .toList());
            router.route(pattern(path)).handler(context -> methodNotAllowed(context, allowed));
        }
        router.route("/api/*").handler(this::notFound);
    }

    /** {@code /api/slots/{name}} in Vert.x's words; a model's id may contain slashes. */
    private static String pattern(String path) {
        return path.replaceAll("\\{(\\w+)}", ":$1");
    }

    private void collect(RoutingContext context, ApiRoute route) {
        HttpServerRequest request = context.request();
        var body = Buffer.buffer();
        request.handler(chunk -> {
            if (body.length() + chunk.length() > MOST_BODY_BYTES) {
                request.pause();
                Responses.fail(
                        context,
                        new Hal0Exception(
                                ErrorCode.REQUEST_TOO_LARGE,
                                "A body of this route has at most " + MOST_BODY_BYTES + " bytes."));
            } else {
                body.appendBuffer(chunk);
            }
        });
        Context eventLoop = vertx.getOrCreateContext();
        request.endHandler(ignored -> {
            ApiRequest apiRequest = requestOf(context, body);
            handlers.execute(() -> handle(context, eventLoop, route, apiRequest));
        });
        request.resume();
    }

    private void handle(RoutingContext context, Context eventLoop, ApiRoute route, ApiRequest request) {
        try {
            switch (route.handler().handle(request)) {
                case ApiAnswer.Body(int status, Object body, Map<String, String> headers) -> {
                    // Written here: a slot list of a large box is no work for the event loop.
                    String json = Json.STRICT.writeValueAsString(body);
                    eventLoop.runOnContext(ignored -> write(context, status, json, headers));
                }
                case ApiAnswer.Text(String type, String text) ->
                    eventLoop.runOnContext(ignored -> write(context, type, text));
                case ApiAnswer.Stream(ApiAnswer.StreamStart start) ->
                    eventLoop.runOnContext(ignored -> {
                        if (context.response().closed()) {
                            return;
                        }
                        var stream = new EventStream(vertx, eventLoop, context.response());
                        handlers.execute(() -> start(start, stream, request));
                    });
            }
        } catch (Hal0Exception known) {
            eventLoop.runOnContext(ignored -> Responses.fail(context, known));
        } catch (Exception | LinkageError defect) {
            log.error("request {} to {} {} failed", request.requestId(), route.method(), route.path(), defect);
            eventLoop.runOnContext(ignored -> Responses.fail(
                    context,
                    new Hal0Exception(ErrorCode.SYSTEM_INTERNAL, "hal0 failed at this; its log has the details.")));
        }
    }

    private static void start(ApiAnswer.StreamStart start, EventStream stream, ApiRequest request) {
        try {
            start.start(stream);
        } catch (Hal0Exception known) {
            stream.fail(known, request.requestId());
        } catch (Exception | LinkageError defect) {
            log.error("stream {} failed", request.requestId(), defect);
            stream.fail(
                    new Hal0Exception(ErrorCode.SYSTEM_INTERNAL, "hal0 failed at this; its log has the details."),
                    request.requestId());
        }
    }

    private static ApiRequest requestOf(RoutingContext context, Buffer body) {
        var headers = new HashMap<String, String>();
        context.request().headers().forEach((name, value) -> headers.put(name.toLowerCase(Locale.ROOT), value));
        var query = new HashMap<String, String>();
        context.queryParams().forEach(query::put);
        return new ApiRequest(
                Map.copyOf(context.pathParams()), query, headers, body.getBytes(), RequestIds.of(context));
    }

    private static void write(RoutingContext context, int status, String json, Map<String, String> headers) {
        if (!context.response().headWritten()) {
            headers.forEach(context.response()::putHeader);
        }
        Responses.json(context, status, json);
    }

    private static void write(RoutingContext context, String type, String text) {
        var response = context.response();
        if (!response.headWritten() && !response.closed()) {
            response.putHeader("Content-Type", type).putHeader("Cache-Control", "no-store");
            var unused = response.end(text);
        }
    }

    private void methodNotAllowed(RoutingContext context, String allowed) {
        context.response().putHeader("Allow", allowed);
        Responses.fail(
                context,
                new Hal0Exception(
                        ErrorCode.ROUTE_METHOD_NOT_ALLOWED,
                        context.request().method() + " is not for "
                                + context.request().path() + "; use " + allowed + "."));
    }

    private void notFound(RoutingContext context) {
        Responses.fail(
                context,
                new Hal0Exception(
                        ErrorCode.ROUTE_NOT_FOUND,
                        "No route " + context.request().method() + " "
                                + context.request().path() + "."));
    }
}
