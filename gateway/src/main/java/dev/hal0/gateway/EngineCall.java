package dev.hal0.gateway;

import dev.hal0.slots.CancelRule;
import dev.hal0.slots.Lease;
import dev.hal0.slots.Route;
import io.vertx.core.AsyncResult;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One exchange with one engine: it owns the lease and the connection, and leaves the lease exactly once, when the engine has
 * finished or its connection is closed, however that came about.
 *
 * <pre>
 *   CONNECTING ──▶ SENT ──▶ REPLYING ──▶ OVER
 *       └───────────┴───────────┴──────────▲   refused · broke · hung up
 * </pre>
 *
 * <p>When nobody wants the answer any more ({@link #abandon}) the family's {@link CancelRule} decides: the connection is
 * closed at once, which is what makes an engine stop; or the call goes <em>deaf</em>: it reads to the end, throws everything
 * away and holds the lease until then, but no longer than the total limit. A deaf call tells its listener nothing but
 * {@link Listener#over}.
 *
 * <p>Confined to the event loop of the request.
 */
final class EngineCall implements EngineLink.User {
    /** Called in this order: sent, replied, received…, then one of completed or broke; refused instead of all; over last. */
    interface Listener {
        /** The engine has a connection and is being given the request. */
        void sent();

        /** The engine cannot have carried out anything: no connection, or the request never left whole. */
        void refused(Throwable cause);

        void replied(ReplyHead head);

        /** @return false to hear no more until {@link EngineCall#resume} */
        boolean received(Buffer chunk);

        void completed();

        void broke(Throwable cause);

        /** The lease was left. */
        void over();
    }

    private enum State {
        CONNECTING,
        SENT,
        REPLYING,
        OVER
    }

    private final Vertx vertx;
    private final EngineLinks links;
    private final EngineLinks.Address address;
    private final Lease lease;
    private final CancelRule rule;
    private final Duration limit;
    private final Listener listener;
    private State state = State.CONNECTING;
    private boolean deaf;
    private boolean renewed;
    private @Nullable EngineRequest request;
    private @Nullable EngineLink link;
    private long deafTimer = -1;

    /** @param limit how long a deaf call may hold the lease; zero for as long as it takes */
    EngineCall(Vertx vertx, EngineLinks links, Route.Target target, Lease lease, Duration limit, Listener listener) {
        this.vertx = vertx;
        this.links = links;
        this.address = EngineLinks.Address.of(target);
        this.lease = lease;
        this.rule = target.engine().cancelRule();
        this.limit = limit;
        this.listener = listener;
    }

    void start(EngineRequest wanted) {
        if (state == State.CONNECTING) {
            request = wanted;
            links.open(address).onComplete(opened -> opened(opened, wanted));
        }
    }

    /** Nobody wants the answer any more. */
    void abandon() {
        if (state == State.OVER || deaf) {
            return;
        }
        if (rule == CancelRule.ON_DISCONNECT || state == State.CONNECTING) {
            hangUp();
            return;
        }
        deaf = true;
        if (!limit.isZero()) {
            deafTimer = vertx.setTimer(Math.max(1, limit.toMillis()), ignored -> hangUp());
        }
        resume();
    }

    /** Closes the engine's connection, whatever the family says: the workload is going away, or its time is over. */
    void hangUp() {
        if (state == State.OVER) {
            return;
        }
        EngineLink working = link;
        over();
        if (working != null) {
            working.close();
        }
    }

    void resume() {
        EngineLink reading = link;
        if (reading != null) {
            reading.resume();
        }
    }

    private void opened(AsyncResult<EngineLink> opened, EngineRequest request) {
        if (state == State.OVER) {
            // Given up while connecting: the connection was not used and may serve somebody else.
            if (opened.succeeded()) {
                links.keep(opened.result());
            }
            return;
        }
        if (opened.failed()) {
            over();
            listener.refused(opened.cause());
            return;
        }
        EngineLink fresh = opened.result();
        link = fresh;
        state = State.SENT;
        if (!renewed) {
            listener.sent();
        }
        if (state == State.SENT) {
            fresh.carry(request, this);
        }
    }

    @Override
    public void replied(ReplyHead head) {
        state = State.REPLYING;
        if (!deaf) {
            listener.replied(head);
        }
    }

    @Override
    public void received(Buffer bytes) {
        if (deaf || listener.received(bytes) || deaf) {
            return;
        }
        EngineLink reading = link;
        if (reading != null) {
            reading.pause();
        }
    }

    @Override
    public void completed() {
        boolean heard = !deaf;
        over();
        if (heard) {
            listener.completed();
        }
    }

    @Override
    public void broke(Throwable cause) {
        EngineLink broken = link;
        boolean untouched = state == State.SENT && broken != null && broken.isUntouched();
        EngineRequest again = request;
        if (untouched && broken != null && broken.isKept() && !renewed && !deaf && again != null) {
            // An engine closes kept connections when it likes; that says nothing about the engine. Once, on a new one.
            renewed = true;
            state = State.CONNECTING;
            link = null;
            links.renew(address).onComplete(opened -> opened(opened, again));
            return;
        }
        boolean heard = !deaf;
        over();
        if (!heard) {
            return;
        }
        if (untouched) {
            listener.refused(cause);
        } else {
            listener.broke(cause);
        }
    }

    private void over() {
        state = State.OVER;
        link = null;
        request = null;
        if (deafTimer >= 0) {
            vertx.cancelTimer(deafTimer);
        }
        lease.leave();
        listener.over();
    }
}
