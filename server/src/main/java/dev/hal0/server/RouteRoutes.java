package dev.hal0.server;

import dev.hal0.gateway.Gateway;
import dev.hal0.gateway.RouteExplanation;
import java.util.List;
import java.util.Optional;

/** {@code /api/route}: where an inference request would go. */
final class RouteRoutes {
    private static final String USUAL_PATH = "/v1/chat/completions";

    private final Gateway gateway;

    RouteRoutes(Gateway gateway) {
        this.gateway = gateway;
    }

    List<ApiRoute> routes() {
        return List.of(ApiRoute.get(
                "/api/route",
                "Where a request with ?model= to ?path= would go, without sending it.",
                RouteExplanation.class,
                request -> ApiAnswer.ok(gateway.explain(
                        Optional.ofNullable(request.query().get("path")).orElse(USUAL_PATH),
                        Optional.ofNullable(request.query().get("model")).filter(model -> !model.isBlank())))));
    }
}
