package dev.hal0.server;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.hal0.kernel.Event;
import dev.hal0.kernel.EventBus;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.Device;
import dev.hal0.slots.LaunchDrift;
import dev.hal0.slots.Operation;
import dev.hal0.slots.OperationId;
import dev.hal0.slots.ResolvedLaunch;
import dev.hal0.slots.SchedulerView;
import dev.hal0.slots.SlotDraft;
import dev.hal0.slots.SlotExplanation;
import dev.hal0.slots.SlotManager;
import dev.hal0.slots.SlotType;
import dev.hal0.slots.SlotView;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** {@code /api/slots} and {@code /api/operations}. */
final class SlotRoutes {
    record CreateSlot(
            SlotName name,
            @Nullable SlotType type,
            @Nullable Device device,
            @Nullable Integer port,
            @Nullable String model,
            @Nullable Integer parallel,
            @Nullable Integer contextSize,
            @Nullable String profile,
            @JsonProperty("default") @Nullable Boolean isDefault) {}

    record LoadSlot(
            @Nullable String model,
            @Nullable String modelId,
            @Nullable Boolean create,
            @Nullable Boolean force) {}

    record StopSlot(@Nullable Boolean force) {}

    record Accepted(Operation operation, SlotView slot) {}

    record Deleted(SlotName name, boolean deleted) {}

    record Logs(SlotName name, List<String> logs) {}

    private final SlotManager slots;
    private final EventBus events;

    SlotRoutes(SlotManager slots, EventBus events) {
        this.slots = slots;
        this.events = events;
    }

    List<ApiRoute> routes() {
        return List.of(
                ApiRoute.get("/api/slots", "All slots.", SlotView[].class, request -> ApiAnswer.ok(slots.list())),
                ApiRoute.post(
                        "/api/slots",
                        "Create a slot; starts nothing.",
                        CreateSlot.class,
                        SlotView.class,
                        201,
                        this::create),
                ApiRoute.get(
                        "/api/scheduler",
                        "Who holds memory, which loads wait for it, and why.",
                        SchedulerView.class,
                        request -> ApiAnswer.ok(slots.scheduler())),
                ApiRoute.get(
                        "/api/slots/{name}/explain",
                        "Why a slot does not run, and what would change that.",
                        SlotExplanation.class,
                        request -> ApiAnswer.ok(slots.explain(request.slot()))),
                ApiRoute.get(
                        "/api/slots/{name}",
                        "One slot.",
                        SlotView.class,
                        request -> ApiAnswer.ok(slots.view(request.slot()))),
                ApiRoute.delete(
                        "/api/slots/{name}",
                        "Unload and delete a slot (?force=true ends requests).",
                        Deleted.class,
                        this::delete),
                ApiRoute.get(
                        "/api/slots/{name}/config",
                        "The slot's configuration; ETag in the header.",
                        null,
                        this::config),
                ApiRoute.put(
                        "/api/slots/{name}/config",
                        "Change keys of the configuration; null removes one. If-Match is honoured. Nothing is restarted.",
                        null,
                        SlotView.class,
                        this::configure),
                ApiRoute.get(
                        "/api/slots/{name}/resolved",
                        "The command a load would run now, and where each of its flags comes from.",
                        ResolvedLaunch.class,
                        request -> ApiAnswer.ok(slots.resolved(request.slot()))),
                ApiRoute.get(
                        "/api/slots/{name}/drift",
                        "How what runs differs from what its files say now.",
                        LaunchDrift.class,
                        request -> ApiAnswer.ok(slots.drift(request.slot()))),
                ApiRoute.post(
                        "/api/slots/{name}/load",
                        "Load a slot, bind a model first if one is named; ?wait=SECONDS waits.",
                        LoadSlot.class,
                        Accepted.class,
                        202,
                        this::load),
                ApiRoute.post(
                        "/api/slots/{name}/unload",
                        "Unload a slot; force ends its requests. ?wait=SECONDS waits.",
                        StopSlot.class,
                        Accepted.class,
                        202,
                        request -> accepted(request, slots.unload(request.slot(), force(request)))),
                ApiRoute.post(
                        "/api/slots/{name}/restart",
                        "Unload, then load with the current configuration. ?wait=SECONDS waits.",
                        StopSlot.class,
                        Accepted.class,
                        202,
                        request -> accepted(request, slots.restart(request.slot(), force(request)))),
                ApiRoute.get(
                        "/api/slots/{name}/logs",
                        "The engine's newest lines; ?lines=1..5000.",
                        Logs.class,
                        request -> ApiAnswer.ok(new Logs(
                                request.slot(),
                                slots.log(request.slot()).tail(request.number("lines", 200, 1, 5000))))),
                ApiRoute.get(
                        "/api/slots/{name}/logs/stream",
                        "The engine's lines as server-sent events; ?backfill=0..5000.",
                        null,
                        this::followLog),
                ApiRoute.get(
                        "/api/slots/{name}/state/stream",
                        "The slot's view at every change, as server-sent events.",
                        null,
                        this::followState),
                ApiRoute.get(
                        "/api/operations",
                        "Running operations and the newest that ended.",
                        Operation[].class,
                        request -> ApiAnswer.ok(slots.operations())),
                ApiRoute.get(
                        "/api/operations/{id}",
                        "One operation; ?wait=SECONDS answers when it ends or the time is over.",
                        Operation.class,
                        this::operation));
    }

    private ApiAnswer create(ApiRequest request) {
        CreateSlot body = request.body(CreateSlot.class);
        @SuppressWarnings("NullAway") // Jackson leaves an absent component null whatever its type says
        boolean nameless = body.name() == null;
        if (nameless) {
            throw ApiRequest.invalid("name", "is required");
        }
        var draft = new SlotDraft(
                body.name(),
                body.type() == null ? SlotType.LLM : body.type(),
                body.device() == null ? Device.CPU : body.device(),
                body.port() == null ? OptionalInt.empty() : OptionalInt.of(body.port()),
                Boolean.TRUE.equals(body.isDefault()),
                Optional.ofNullable(body.model()),
                body.contextSize() == null ? OptionalInt.empty() : OptionalInt.of(body.contextSize()),
                body.parallel() == null ? 1 : body.parallel(),
                Optional.ofNullable(body.profile()));
        return ApiAnswer.of(201, slots.create(draft));
    }

    private ApiAnswer delete(ApiRequest request) throws Exception {
        SlotName slot = request.slot();
        Operation operation = slots.delete(slot, request.flag("force"));
        var ended = slots.ended(operation.id()).toCompletableFuture().get(150, TimeUnit.SECONDS);
        if (ended.status() == Operation.Status.SUCCEEDED) {
            return ApiAnswer.ok(new Deleted(slot, true));
        }
        return ApiAnswer.of(409, Map.of("error", java.util.Objects.requireNonNull(ended.error())));
    }

    private ApiAnswer load(ApiRequest request) throws Exception {
        LoadSlot body = request.body(LoadSlot.class);
        Optional<String> model = Optional.ofNullable(body.model()).or(() -> Optional.ofNullable(body.modelId()));
        return accepted(
                request,
                slots.load(
                        request.slot(), model, Boolean.TRUE.equals(body.create()), Boolean.TRUE.equals(body.force())));
    }

    private static boolean force(ApiRequest request) {
        return Boolean.TRUE.equals(request.body(StopSlot.class).force());
    }

    /** 202 with a running operation; after a wait 200, or the operation's own failure as the answer. */
    private ApiAnswer accepted(ApiRequest request, Operation operation) throws Exception {
        int wait = request.number("wait", 0, 0, 600);
        Operation now = wait == 0 ? slots.operation(operation.id()) : await(operation.id(), wait);
        var answer = new Accepted(now, slots.view(request.slot()));
        if (wait > 0 && now.status() == Operation.Status.FAILED && now.error() != null) {
            int status = dev.hal0.kernel.ErrorCode.of(now.error().code())
                    .map(dev.hal0.kernel.ErrorCode::status)
                    .orElse(500);
            return ApiAnswer.of(status, Map.of("error", now.error()));
        }
        return ApiAnswer.of(now.status() == Operation.Status.RUNNING || wait == 0 ? 202 : 200, answer);
    }

    private ApiAnswer operation(ApiRequest request) throws Exception {
        var id = new OperationId(request.parameter("id"));
        int wait = request.number("wait", 0, 0, 60);
        return ApiAnswer.ok(wait == 0 ? slots.operation(id) : await(id, wait));
    }

    private Operation await(OperationId id, int seconds) throws InterruptedException, ExecutionException {
        try {
            return slots.ended(id).toCompletableFuture().get(seconds, TimeUnit.SECONDS);
        } catch (TimeoutException stillRunning) {
            return slots.operation(id);
        }
    }

    private ApiAnswer config(ApiRequest request) {
        SlotName slot = request.slot();
        return new ApiAnswer.Body(
                200,
                slots.definitions().config(slot),
                Map.of("ETag", '"' + slots.definitions().etag(slot) + '"'));
    }

    private ApiAnswer configure(ApiRequest request) {
        JsonNode changes = request.object();
        Optional<String> etag = request.header("if-match").map(value -> value.replace("\"", ""));
        slots.definitions().update(request.slot(), etag, document -> TomlChanges.apply(document, List.of(), changes));
        slots.definitionsChanged();
        SlotView view = slots.view(request.slot());
        return new ApiAnswer.Body(
                200, view, Map.of("ETag", '"' + slots.definitions().etag(request.slot()) + '"'));
    }

    private ApiAnswer followLog(ApiRequest request) {
        int backfill = request.number("backfill", 400, 0, 5000);
        var slotLog = slots.log(request.slot());
        return new ApiAnswer.Stream(
                stream -> stream.onEnd(slotLog.follow(backfill, line -> stream.send(null, null, line))));
    }

    private ApiAnswer followState(ApiRequest request) {
        SlotName slot = request.slot();
        SlotView first = slots.view(slot);
        return new ApiAnswer.Stream(stream -> {
            stream.onEnd(events.subscribe(null, event -> forward(event, slot, stream)));
            stream.send(null, "state", first);
        });
    }

    private static void forward(Event event, SlotName slot, EventStream stream) {
        if (event.type().equals("slot.state") && event.subject().equals(slot.value())) {
            stream.send(event.id(), "state", event.data());
        }
    }
}
