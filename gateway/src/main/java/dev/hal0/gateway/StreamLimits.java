package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Ends an exchange that takes too long or stands still, with one timer for both: it looks again when the nearer of the two
 * could be due. Confined to the request's event loop.
 */
final class StreamLimits {
    private final Vertx vertx;
    private final Duration idle;
    private final Duration total;
    private final Timings timings;
    private final BooleanSupplier clientIsSlow;
    private final Consumer<Hal0Exception> reached;
    private long timer = -1;

    /** @param clientIsSlow whether a standstill is the client's doing */
    StreamLimits(
            Vertx vertx,
            Duration idle,
            Duration total,
            Timings timings,
            BooleanSupplier clientIsSlow,
            Consumer<Hal0Exception> reached) {
        this.vertx = vertx;
        this.idle = idle;
        this.total = total;
        this.timings = timings;
        this.clientIsSlow = clientIsSlow;
        this.reached = reached;
    }

    /** From the moment the engine has the request until {@link #stop}. */
    void watch() {
        stop();
        long untilTotal = Timings.remaining(total, timings.sinceHandOver());
        long untilIdle = timings.hasByte() ? Timings.remaining(idle, timings.sinceLastByte()) : Long.MAX_VALUE;
        if (untilTotal <= 0) {
            reached.accept(limit("The exchange took longer than " + total.toSeconds() + " s."));
        } else if (untilIdle <= 0) {
            String who = clientIsSlow.getAsBoolean() ? "The client took" : "The engine sent";
            reached.accept(limit(who + " nothing for " + idle.toSeconds() + " s."));
        } else {
            // The first byte may come at any time: before it, an idle span is the longest that may be slept through.
            long next = Math.min(Math.min(untilTotal, untilIdle), Timings.remaining(idle, 0));
            if (next < Long.MAX_VALUE) {
                timer = vertx.setTimer(Math.max(1, Math.ceilDiv(next, 1_000_000)), ignored -> watch());
            }
        }
    }

    void stop() {
        if (timer >= 0) {
            vertx.cancelTimer(timer);
            timer = -1;
        }
    }

    private static Hal0Exception limit(String message) {
        return new Hal0Exception(ErrorCode.DISPATCH_STREAM_LIMIT, message);
    }
}
