package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.slots.Priority;
import dev.hal0.slots.SlotControl;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The {@code /v1} routes. Handlers run on event loops and never block; {@link #drain}, {@link #inFlight} and
 * {@link #requests} may be called from any thread.
 */
public final class Gateway {
    private static final Logger log = LoggerFactory.getLogger(Gateway.class);

    /** Larger bodies are parsed on a worker, so that one long prompt does not hold up everyone's tokens. */
    private static final int PARSED_ON_LOOP_BYTES = 64 << 10;

    /** Under which a request keeps the slot that its path names. */
    private static final String SLOT = "hal0.slot";

    /** What an answer that the drain cut gets to reach its client. */
    private static final long LAST_WORDS_MILLIS = 500;

    private final Vertx vertx;
    private final SlotControl slots;
    private final ModelListing models;
    private final GatewayPolicy policy;
    private final Spool spool;
    private final Accounting accounting;
    private final InstantSource clock;
    private final EngineLinks links;
    private final Captures captures;
    private final Exchange.Surroundings surroundings = new Surroundings();
    private final Set<Exchange> exchanges = ConcurrentHashMap.newKeySet();
    private volatile @Nullable Drain drain;

    /**
     * How a drain went.
     *
     * @param finished exchanges that ended by themselves
     * @param cut those that were told at the deadline
     */
    public record Drained(int finished, int cut) {}

    /** A drain under way. Its result is known when nothing is in flight any more, or when the last words had their time. */
    private static final class Drain {
        private final int before;
        private final Promise<Drained> result = Promise.promise();
        private volatile int cut;

        Drain(int before) {
            this.before = before;
        }

        boolean complete() {
            return result.tryComplete(new Drained(Math.max(0, before - cut), cut));
        }
    }

    public Gateway(
            Vertx vertx,
            SlotControl slots,
            ModelListing models,
            GatewayPolicy policy,
            Spool spool,
            Accounting accounting,
            InstantSource clock) {
        this.vertx = vertx;
        this.slots = slots;
        this.models = models;
        this.policy = policy;
        this.spool = spool;
        this.accounting = accounting;
        this.clock = clock;
        this.links = new EngineLinks(vertx);
        this.captures = new Captures(vertx, clock);
    }

    /**
     * Adds the routes; everything else below {@code /v1} is answered 404 or 405 in the same envelope. Earlier handlers must
     * neither read the body nor set the response's close handler. A request whose path is malformed never reaches a route: for
     * those the router itself needs {@link Responses#malformed} as its error handler of 400.
     */
    public void mount(Router router) {
        RouteTable.prefixes()
                .forEach(prefix ->
                        router.route(prefix).failureHandler(Gateway::defect).handler(this::refuseWhileDraining));
        new RouteTable(this::receive, models).mount(router);
    }

    /**
     * Where a request would go, without sending it. May be called from any thread.
     *
     * @param path of an inference route, in any spelling
     * @throws Hal0Exception {@code route.not_found} for another path
     */
    public RouteExplanation explain(String path, Optional<String> model) {
        return new RouteExplainer(surroundings::resolve).explain(path, model);
    }

    /** What clients really send and get, while somebody wants to see it. */
    public Captures captures() {
        return captures;
    }

    /** How many exchanges are under way. */
    public int inFlight() {
        return exchanges.size();
    }

    /** Every exchange that is under way, oldest first. */
    public List<InFlight> requests() {
        return exchanges.stream()
                .map(Exchange::view)
                .sorted(Comparator.comparing(InFlight::since))
                .toList();
    }

    /**
     * Ends requests by their id, whatever they wait for; their clients are told. A client may give several requests one id.
     *
     * @return how many there were
     */
    public int cancel(String requestId) {
        List<Exchange> meant = exchanges.stream()
                .filter(exchange -> exchange.view().requestId().equals(requestId))
                .toList();
        meant.forEach(exchange ->
                exchange.cut(new Hal0Exception(ErrorCode.DISPATCH_CANCELLED, "The request was ended by an operator.")));
        return meant.size();
    }

    public boolean isDraining() {
        return drain != null;
    }

    /**
     * Refuses new requests and lets those under way finish; at the deadline the rest get an error event and a done marker.
     * A second call gives the first one's result.
     */
    public synchronized Future<Drained> drain(Duration deadline) {
        Drain running = drain;
        if (running != null) {
            return running.result.future();
        }
        var begun = new Drain(exchanges.size());
        drain = begun;
        long timer = vertx.setTimer(Math.max(1, deadline.toMillis()), ignored -> cutTheRest(begun));
        completeIfEmpty();
        return begun.result.future().onComplete(ignored -> vertx.cancelTimer(timer));
    }

    private void cutTheRest(Drain begun) {
        List<Exchange> rest = List.copyOf(exchanges);
        begun.cut = rest.size();
        rest.forEach(exchange -> exchange.cut(shuttingDown("The control plane is stopping; the slot stays loaded.")));
        vertx.setTimer(LAST_WORDS_MILLIS, ignored -> begun.complete());
        completeIfEmpty();
    }

    private void completeIfEmpty() {
        Drain running = drain;
        if (running != null && exchanges.isEmpty()) {
            var unused = running.complete();
        }
    }

    /** Closes the connections to engines. */
    public Future<Void> close() {
        return links.close();
    }

    private void receive(RoutingContext context, GatewayRoute route, Optional<String> slot) {
        var timings = new Timings(System.nanoTime());
        slot.ifPresent(name -> context.put(SLOT, name));
        route.dialect().name(context);
        if (!route.takesBody()) {
            Optional<String> model = Optional.ofNullable(context.request().getParam("model"))
                    .map(String::strip)
                    .filter(name -> !name.isEmpty());
            begin(context, route, new RequestBody.None(new RequestHead(model, false)), timings);
        } else if (route.takesForm()) {
            receiveForm(context, route, timings);
        } else {
            collect(context, route, timings, chunk -> {}, body -> parse(context, route, body, timings));
        }
    }

    private void receiveForm(RoutingContext context, GatewayRoute route, Timings timings) {
        MultipartReader form;
        try {
            form = MultipartReader.of(context.request().getHeader("Content-Type"));
        } catch (Hal0Exception why) {
            // Answered when the body is there: most clients listen only when they have sent it.
            collect(context, route, timings, chunk -> {}, body -> {
                body.close();
                refuse(context, route, why, timings);
            });
            return;
        }
        collect(context, route, timings, form::read, body -> {
            try {
                var whole = new RequestBody.Form(form.finish().requireFile("file"), body);
                begin(context, route, whole, timings);
            } catch (Hal0Exception why) {
                body.close();
                refuse(context, route, why, timings);
            }
        });
    }

    private void collect(
            RoutingContext context,
            GatewayRoute route,
            Timings timings,
            Consumer<Buffer> reader,
            Consumer<StoredBody> whole) {
        new BodyCollector(vertx, context, policy.maxBodyBytes(), spool, reader)
                .collect(
                        whole,
                        why -> account(
                                context, route, why.code().status(), why.code().code(), timings),
                        () -> account(context, route, 499, Accounting.CLIENT_CLOSED, timings));
    }

    private void parse(RoutingContext context, GatewayRoute route, StoredBody body, Timings timings) {
        if (body instanceof StoredBody.InMemory small && small.length() <= PARSED_ON_LOOP_BYTES) {
            try {
                RequestHead head = RequestHead.parse(small.bytes().getBytes());
                begin(context, route, new RequestBody.Json(head, body), timings);
            } catch (Hal0Exception why) {
                refuse(context, route, why, timings);
            }
            return;
        }
        vertx.executeBlocking(() -> RequestHead.parse(body.stream()), false).onComplete(parsed -> {
            if (parsed.succeeded()) {
                begin(context, route, new RequestBody.Json(parsed.result(), body), timings);
            } else {
                body.close();
                refuse(context, route, Responses.failureOf(parsed.cause()), timings);
            }
        });
    }

    private void begin(RoutingContext context, GatewayRoute route, RequestBody body, Timings timings) {
        Optional<String> name = Optional.ofNullable(context.<String>get(SLOT))
                .map(slot -> Resolver.EXPLICIT + slot)
                .or(() -> body.head().model());
        var exchange = new Exchange(surroundings, context, route, name, body, clock.instant(), timings);
        exchanges.add(exchange);
        if (isDraining()) {
            // Its body came in while the drain began: it is refused like everyone who came later.
            over(exchange);
            body.close();
            refuse(context, route, shuttingDown("The control plane is stopping."), timings);
        } else {
            exchange.start();
        }
    }

    private void refuse(RoutingContext context, GatewayRoute route, Hal0Exception why, Timings timings) {
        Responses.fail(context, why);
        account(context, route, why.code().status(), why.code().code(), timings);
    }

    private void account(RoutingContext context, GatewayRoute route, int status, String errorCode, Timings timings) {
        account(new Accounting.Ended(
                RequestIds.of(context),
                route.path(),
                Callers.of(context),
                Priority.INTERACTIVE,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                false,
                status,
                Optional.of(errorCode),
                Duration.ZERO,
                Duration.ZERO,
                Optional.empty(),
                Optional.empty(),
                timings.elapsed(),
                EngineFigures.UNKNOWN,
                0,
                0));
    }

    private void refuseWhileDraining(RoutingContext context) {
        if (isDraining()) {
            Responses.fail(context, shuttingDown("The control plane is stopping."));
        } else {
            context.next();
        }
    }

    private static Hal0Exception shuttingDown(String message) {
        return new Hal0Exception(ErrorCode.DISPATCH_SHUTTING_DOWN, message).withRetryAfter(Duration.ofSeconds(5));
    }

    private static void defect(RoutingContext context) {
        log.error("request {} failed", RequestIds.of(context), context.failure());
        Responses.fail(context, Responses.failureOf(context.failure()));
    }

    private void over(Exchange exchange) {
        exchanges.remove(exchange);
        completeIfEmpty();
    }

    private void account(Accounting.Ended ended) {
        try {
            accounting.ended(ended);
        } catch (RuntimeException defect) {
            log.error("accounting of {} failed", ended.requestId(), defect);
        }
    }

    private final class Surroundings implements Exchange.Surroundings {
        @Override
        public Vertx vertx() {
            return vertx;
        }

        @Override
        public EngineLinks links() {
            return links;
        }

        @Override
        public SlotControl slots() {
            return slots;
        }

        @Override
        public GatewayPolicy policy() {
            return policy;
        }

        @Override
        public Resolution resolve(GatewayRoute route, Optional<String> model) {
            return Resolver.resolve(
                    slots.routes(), models.registered(), route.serves(), model, policy.unknownToDefault());
        }

        @Override
        public Captures captures() {
            return captures;
        }

        @Override
        public void ended(Accounting.Ended ended) {
            account(ended);
        }

        @Override
        public void over(Exchange exchange) {
            Gateway.this.over(exchange);
        }
    }
}
