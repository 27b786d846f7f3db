package dev.hal0.server;

import dev.hal0.gateway.Gateway;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.util.List;

/** What is under way, and how to end it; what has ended is in {@link HistoryRoutes}. */
final class InFlightRoutes {
    /** @param requests with that id; a client may give several requests one id */
    record Cancelled(String id, int requests) {}

    private final Gateway gateway;
    private final InFlightFeed feed;

    InFlightRoutes(Gateway gateway, InFlightFeed feed) {
        this.gateway = gateway;
        this.feed = feed;
    }

    List<ApiRoute> routes() {
        return List.of(
                ApiRoute.get(
                        "/api/inflight",
                        "Inference requests that are under way, oldest first. As a stream: /api/stream?types=inflight.",
                        InFlightView[].class,
                        request -> ApiAnswer.ok(feed.list())),
                ApiRoute.delete(
                        "/api/inflight/{id}",
                        "Ends a request under way: its client gets an error, its engine is told to stop.",
                        Cancelled.class,
                        request -> {
                            String id = request.parameter("id");
                            int cancelled = gateway.cancel(id);
                            if (cancelled == 0) {
                                throw new Hal0Exception(
                                        ErrorCode.DISPATCH_NOT_IN_FLIGHT, "No request " + id + " is under way.");
                            }
                            return ApiAnswer.ok(new Cancelled(id, cancelled));
                        }));
    }
}
