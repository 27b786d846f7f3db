package dev.hal0.server;

import java.util.List;
import java.util.function.Supplier;

/** {@code /metrics}, and the path that dashboards of earlier systems ask. */
final class MetricsRoutes {
    private final Metrics metrics;
    private final Supplier<Metrics.Now> observed;

    MetricsRoutes(Metrics metrics, Supplier<Metrics.Now> observed) {
        this.metrics = metrics;
        this.observed = observed;
    }

    List<ApiRoute> routes() {
        return List.of(route("/metrics"), route("/api/metrics/prometheus"));
    }

    private ApiRoute route(String path) {
        return ApiRoute.get(
                path,
                "Metrics in the text format of Prometheus.",
                null,
                request -> new ApiAnswer.Text(Metrics.CONTENT_TYPE, metrics.scrape(observed.get())));
    }
}
