package dev.hal0.gateway;

import dev.hal0.slots.Incarnation;
import dev.hal0.slots.Route;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.net.NetSocketInternal;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetClientOptions;
import io.vertx.core.net.NetSocket;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The connections to engines that are not in use, and the way to new ones. There is no upper bound: the permits of a slot
 * bound what is open at a time, and a second bound would be a second queue.
 *
 * <p>Every event loop has its own, so that a request and its connection never meet another thread. {@link #open},
 * {@link #keep} and {@link #forget} are called on event loops, {@link #close} from anywhere.
 */
final class EngineLinks {
    /** llama-server closes a quiet connection after 5 s: ours must be given up before. */
    static final long KEPT_NANOS = 4_000_000_000L;

    private static final long LOOK_EVERY_MILLIS = 500;
    private static final int CONNECT_TIMEOUT_MILLIS = 2_000;

    /** A new life of a workload is another address: what it is sent never takes the old life's connection. */
    record Address(String host, int port, Incarnation incarnation) {
        static Address of(Route.Target target) {
            return new Address(target.endpoint().host(), target.endpoint().port(), target.incarnation());
        }
    }

    private final Vertx vertx;
    private final NetClient client;
    private final LongSupplier clock;
    private final ThreadLocal<Shelf> shelves = ThreadLocal.withInitial(Shelf::new);

    EngineLinks(Vertx vertx) {
        this(vertx, System::nanoTime);
    }

    /** @param clock of nanoseconds, by which a link lies too long */
    EngineLinks(Vertx vertx, LongSupplier clock) {
        this.vertx = vertx;
        this.clock = clock;
        this.client = vertx.createNetClient(
                new NetClientOptions().setTcpNoDelay(true).setConnectTimeout(CONNECT_TIMEOUT_MILLIS));
    }

    Vertx vertx() {
        return vertx;
    }

    /** The link that lay for the shortest time, at once, or else a new one. */
    Future<EngineLink> open(Address address) {
        EngineLink kept = shelves.get().take(address);
        return kept == null ? connect(address) : Future.succeededFuture(kept);
    }

    /** A new one, because a kept one turned out to be closed: so may be the others that lie there, which are given up. */
    Future<EngineLink> renew(Address address) {
        shelves.get().clear(address);
        return connect(address);
    }

    private Future<EngineLink> connect(Address address) {
        // A link outlives the request that opened it, so it must not live on that request's context.
        ContextInternal loop = ((ContextInternal) vertx.getOrCreateContext()).unwrap();
        Promise<EngineLink> opened = Promise.promise();
        loop.dispatch(ignored -> client.connect(address.port(), address.host()).onComplete(socket -> {
            if (socket.succeeded()) {
                opened.complete(link(socket.result(), address));
            } else {
                opened.fail(socket.cause());
            }
        }));
        return opened.future();
    }

    private EngineLink link(NetSocket socket, Address address) {
        return new EngineLink((NetSocketInternal) socket, address, this);
    }

    /** It carries nothing just now, and may do so again. */
    void keep(EngineLink link) {
        shelves.get().put(link);
    }

    /** It was closed, by whomever. */
    void forget(EngineLink link) {
        shelves.get().remove(link);
    }

    /** Closes all, also those in use. */
    Future<Void> close() {
        return client.close();
    }

    /** One event loop's. */
    private final class Shelf {
        /** Of each address the one that lay longest comes first. */
        private final Map<Address, SequencedSet<EngineLink>> lying = new HashMap<>();

        private boolean looksAgain;

        @Nullable
        EngineLink take(Address address) {
            SequencedSet<EngineLink> links = lying.get(address);
            if (links == null || links.isEmpty()) {
                return null;
            }
            // If the youngest is too old, they all are; the next look ends them.
            EngineLink youngest = links.getLast();
            if (isTooOld(youngest)) {
                return null;
            }
            links.removeLast();
            return youngest;
        }

        void clear(Address address) {
            SequencedSet<EngineLink> links = lying.remove(address);
            if (links != null) {
                List.copyOf(links).forEach(EngineLink::close);
            }
        }

        void put(EngineLink link) {
            link.lie(clock.getAsLong());
            lying.computeIfAbsent(link.address(), ignored -> new LinkedHashSet<>())
                    .addLast(link);
            lookLater();
        }

        void remove(EngineLink link) {
            SequencedSet<EngineLink> links = lying.get(link.address());
            if (links != null) {
                links.remove(link);
            }
        }

        private void lookLater() {
            if (!looksAgain) {
                looksAgain = true;
                vertx.setTimer(LOOK_EVERY_MILLIS, ignored -> look());
            }
        }

        private void look() {
            looksAgain = false;
            for (Iterator<SequencedSet<EngineLink>> all = lying.values().iterator(); all.hasNext(); ) {
                SequencedSet<EngineLink> links = all.next();
                while (!links.isEmpty() && isTooOld(links.getFirst())) {
                    links.removeFirst().close();
                }
                if (links.isEmpty()) {
                    all.remove();
                }
            }
            if (!lying.isEmpty()) {
                lookLater();
            }
        }

        private boolean isTooOld(EngineLink link) {
            return clock.getAsLong() - link.idleSince() >= KEPT_NANOS;
        }
    }
}
