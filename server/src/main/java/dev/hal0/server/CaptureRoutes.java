package dev.hal0.server;

import dev.hal0.gateway.Captures;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.time.Duration;
import java.util.List;

/** What clients send and get, for a time that somebody asks for. */
final class CaptureRoutes {
    /** @param minutes 1 to 60 */
    record Wish(int minutes) {}

    private final Captures captures;

    CaptureRoutes(Captures captures) {
        this.captures = captures;
    }

    List<ApiRoute> routes() {
        return List.of(
                ApiRoute.get(
                        "/api/captures",
                        "Whether bodies are captured, and how many can be read.",
                        Captures.Status.class,
                        request -> ApiAnswer.ok(captures.status())),
                ApiRoute.put(
                        "/api/captures",
                        "Captures the bodies of requests and answers for so many minutes: redacted, in memory only.",
                        Wish.class,
                        Captures.Status.class,
                        request -> ApiAnswer.ok(captures.begin(period(request.body(Wish.class))))),
                ApiRoute.delete(
                        "/api/captures",
                        "Stops capturing and forgets what was captured.",
                        Captures.Status.class,
                        request -> ApiAnswer.ok(captures.end())),
                ApiRoute.get(
                        "/api/captures/{id}",
                        "The newest captured request with this id, and its answer.",
                        Captures.Captured.class,
                        request -> ApiAnswer.ok(find(request.parameter("id")))));
    }

    private static Duration period(Wish wish) {
        if (wish.minutes() < 1 || wish.minutes() > Captures.LONGEST.toMinutes()) {
            throw new Hal0Exception(
                            ErrorCode.REQUEST_INVALID,
                            "minutes is " + wish.minutes() + "; it must be 1 to " + Captures.LONGEST.toMinutes() + ".")
                    .withParam("minutes");
        }
        return Duration.ofMinutes(wish.minutes());
    }

    private Captures.Captured find(String id) {
        return captures.find(id).orElseThrow(() -> {
            Captures.Status status = captures.status();
            return new Hal0Exception(
                    ErrorCode.DISPATCH_NOT_CAPTURED,
                    "Nothing of request " + id + " was captured; " + status.kept()
                            + " others can be read, and capturing is "
                            + (status.until() == null ? "off" : "on until " + status.until()) + ".");
        });
    }
}
