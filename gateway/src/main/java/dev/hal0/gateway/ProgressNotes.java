package dev.hal0.gateway;

import io.vertx.core.Vertx;

/**
 * When a client that waits is told what for: after a while for the first time, which opens its answer, and then again and
 * again. Confined to the request's event loop.
 */
final class ProgressNotes {
    private final Vertx vertx;
    private final GatewayPolicy policy;
    private final Runnable open;
    private final Runnable tell;
    private String what = "waiting";
    private long opening = -1;
    private long telling = -1;

    /**
     * @param open the answer, because the wait is long
     * @param tell the client, once more
     */
    ProgressNotes(Vertx vertx, GatewayPolicy policy, Runnable open, Runnable tell) {
        this.vertx = vertx;
        this.policy = policy;
        this.open = open;
        this.tell = tell;
    }

    void waitingFor(String now) {
        what = now;
    }

    void openLater() {
        if (opening < 0) {
            opening = vertx.setTimer(policy.holdHeaders().toMillis(), ignored -> open.run());
        }
    }

    void doNotOpen() {
        cancel(opening);
        opening = -1;
    }

    void goOn() {
        telling = vertx.setPeriodic(policy.progressEvery().toMillis(), ignored -> tell.run());
    }

    void stop() {
        doNotOpen();
        cancel(telling);
        telling = -1;
    }

    /** A comment of a stream of events. */
    String comment() {
        return ": " + what.replaceAll("\\s+", " ") + "\n\n";
    }

    /** Most answers have no timer, and even to look for none costs. */
    private void cancel(long timer) {
        if (timer >= 0) {
            vertx.cancelTimer(timer);
        }
    }
}
