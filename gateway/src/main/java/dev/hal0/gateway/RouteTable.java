package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/** Mounts {@link GatewayRoute} and {@link UnservedRoute}; what is in neither is answered 404 or 405 in the same envelope. */
final class RouteTable {
    private static final String UPSTREAM = "/upstream/";

    /** @param slot the one to use, whatever the body says; empty to go by the body */
    interface Inference {
        void receive(RoutingContext context, GatewayRoute route, Optional<String> slot);
    }

    private final Inference inference;
    private final ModelListing models;

    RouteTable(Inference inference, ModelListing models) {
        this.inference = inference;
        this.models = models;
    }

    /** Every prefix below which the gateway answers everything. */
    static List<String> prefixes() {
        var prefixes = new ArrayList<>(List.of("/v1/*", "/v2/*", UPSTREAM + "*"));
        GatewayRoute.ALL.stream()
                .flatMap(GatewayRoute::spellings)
                .filter(path -> !path.startsWith("/v1/") && !path.startsWith("/v2/"))
                .forEach(prefixes::add);
        return prefixes;
    }

    void mount(Router router) {
        var paths = new TreeSet<String>();
        for (GatewayRoute route : GatewayRoute.ALL) {
            route.spellings().forEach(path -> {
                paths.add(path);
                if (!route.isOwn()) {
                    router.route(route.method(), path)
                            .handler(context -> inference.receive(context, route, Optional.empty()));
                }
            });
        }
        router.route(GatewayRoute.MODELS.method(), GatewayRoute.MODELS.path()).handler(models::list);
        router.routeWithRegex(GatewayRoute.MODEL.method(), "/v1/models/(?<id>.+)")
                .handler(context -> models.one(context, context.pathParam("id")));
        router.routeWithRegex("/upstream/(?<slot>[^/]+)(?<rest>/.*)").handler(this::upstream);
        for (String path : paths) {
            router.route(path.replace("{id}", "*")).handler(context -> notAllowed(context, path));
        }
        for (UnservedRoute unserved : UnservedRoute.ALL) {
            router.route(unserved.path()).handler(context -> notServed(context, unserved));
            router.route(unserved.path() + "/*").handler(context -> notServed(context, unserved));
        }
        prefixes().forEach(prefix -> router.route(prefix).handler(RouteTable::notFound));
    }

    /**
     * One slot's engine, by its own paths: only those of the table, so that nobody unloads a model or reads another's prompt
     * behind the scheduler's back.
     */
    private void upstream(RoutingContext context) {
        String slot = context.pathParam("slot");
        String rest = context.pathParam("rest");
        HttpMethod method = context.request().method();
        Optional<GatewayRoute> route = GatewayRoute.find(rest);
        if (route.isEmpty()) {
            Responses.fail(
                    context,
                    new Hal0Exception(
                            ErrorCode.ROUTE_NOT_FOUND,
                            "No path " + rest + " of slot " + slot + " is passed on. There are " + inferencePaths()
                                    + "."));
        } else if (!route.get().method().equals(method)) {
            notAllowed(context, route.get().path());
        } else {
            inference.receive(context, route.get(), Optional.of(slot));
        }
    }

    /** {@code /upstream/SLOT} taken off a path that begins with it. */
    static String withoutUpstream(String path) {
        int rest = path.startsWith(UPSTREAM) ? path.indexOf('/', UPSTREAM.length()) : 0;
        return rest < 0 ? path : path.substring(rest);
    }

    private static String inferencePaths() {
        return String.join(
                ", ",
                GatewayRoute.ALL.stream()
                        .filter(route -> !route.isOwn())
                        .map(GatewayRoute::path)
                        .toList());
    }

    private static void notAllowed(RoutingContext context, String path) {
        String allowed = GatewayRoute.methodsOf(path);
        context.response().putHeader("Allow", allowed);
        Responses.fail(
                context,
                new Hal0Exception(
                        ErrorCode.ROUTE_METHOD_NOT_ALLOWED,
                        context.request().method() + " is not for "
                                + context.request().path() + "; use " + allowed + "."));
    }

    private static void notServed(RoutingContext context, UnservedRoute route) {
        Responses.fail(
                context,
                new Hal0Exception(
                        ErrorCode.SYSTEM_NOT_IMPLEMENTED,
                        context.request().path() + " is not served here: " + route.reason()));
    }

    private static void notFound(RoutingContext context) {
        Responses.fail(
                context,
                new Hal0Exception(
                        ErrorCode.ROUTE_NOT_FOUND,
                        "No route " + context.request().method() + " "
                                + context.request().path() + ". There are "
                                + String.join(
                                        ", ",
                                        GatewayRoute.ALL.stream()
                                                .map(route -> route.method() + " " + route.path())
                                                .toList())
                                + "."));
    }
}
