package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import dev.hal0.kernel.NearMatch;
import dev.hal0.models.ModelCapability;
import dev.hal0.models.RegisteredModel;
import dev.hal0.slots.Route;
import dev.hal0.slots.RoutingSnapshot;
import dev.hal0.slots.SlotControl;
import io.vertx.ext.web.RoutingContext;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * {@code GET /v1/models}: every slot that has a model by its name, then every registered model by its id. Answered from
 * memory and bounded, so that a listing never waits for anything. Thread-safe.
 */
public final class ModelListing {
    /** Several times what a box holds; a client that shows a menu needs no more. */
    private static final int MOST_ROWS = 1_000;

    private final SlotControl slots;
    private final Supplier<List<RegisteredModel>> models;
    private volatile @Nullable Listing cached;

    /** Rows by id, and what they were made of: both are immutable and replaced whole, so identity is enough. */
    private record Listing(
            RoutingSnapshot routes, List<RegisteredModel> models, Map<String, Map<String, Object>> rows, String json) {}

    /** @param models the newest known registry content, the same list while nothing changed; must not block */
    public ModelListing(SlotControl slots, Supplier<List<RegisteredModel>> models) {
        this.slots = slots;
        this.models = models;
    }

    List<RegisteredModel> registered() {
        return models.get();
    }

    void list(RoutingContext context) {
        Responses.json(context, 200, listing().json());
    }

    void one(RoutingContext context, String id) {
        Map<String, Map<String, Object>> rows = listing().rows();
        Map<String, Object> row = rows.get(id);
        if (row != null) {
            Responses.json(context, 200, Json.STRICT.writeValueAsString(row));
        } else {
            Responses.fail(context, unknown(id, rows.keySet().stream().sorted().toList()));
        }
    }

    private static Hal0Exception unknown(String id, List<String> ids) {
        String shown = id.length() <= 100 ? id : id.substring(0, 100) + "…";
        return new Hal0Exception(
                        ErrorCode.DISPATCH_NO_ROUTE,
                        "No model '" + shown + "'" + NearMatch.hint(id, ids) + ". GET /v1/models lists all "
                                + ids.size() + ".")
                .withParam("id")
                .withDetail("available", ids.stream().limit(50).toList());
    }

    private Listing listing() {
        RoutingSnapshot routes = slots.routes();
        List<RegisteredModel> registered = models.get();
        Listing known = cached;
        if (known != null && known.routes() == routes && known.models() == registered) {
            return known;
        }
        Map<String, Map<String, Object>> rows = rows(routes, registered);
        var body = new LinkedHashMap<String, Object>();
        body.put("object", "list");
        body.put("data", rows.values());
        Listing fresh = new Listing(routes, registered, rows, Json.STRICT.writeValueAsString(body));
        cached = fresh;
        return fresh;
    }

    private static Map<String, Map<String, Object>> rows(RoutingSnapshot routes, List<RegisteredModel> registered) {
        var byId = new HashMap<String, RegisteredModel>();
        registered.forEach(model -> byId.put(model.id(), model));
        var rows = new LinkedHashMap<String, Map<String, Object>>();
        for (Route route : routes.routes()) {
            if (route.enabled() && route.modelId().isPresent() && rows.size() < MOST_ROWS) {
                RegisteredModel model = byId.get(route.modelId().get());
                rows.put(
                        route.slot().value(),
                        row(route.slot().value(), model, List.of(route.type().capability()), route));
            }
        }
        for (RegisteredModel model : registered) {
            if (rows.size() < MOST_ROWS) {
                Route serving = routes.model(model.id()).stream().findFirst().orElse(null);
                // A slot's name wins over a model's id, as it does when a request names it.
                rows.putIfAbsent(
                        model.id(),
                        row(
                                model.id(),
                                model,
                                model.capabilities().stream().sorted().toList(),
                                serving));
            }
        }
        return rows;
    }

    private static Map<String, Object> row(
            String id, @Nullable RegisteredModel model, List<ModelCapability> capabilities, @Nullable Route route) {
        var row = new LinkedHashMap<String, Object>();
        row.put("id", id);
        row.put("object", "model");
        row.put("created", model == null ? 0 : Math.max(0, model.addedAt().getEpochSecond()));
        row.put("owned_by", "hal0");
        int context = route != null && route.contextLength() > 0
                ? route.contextLength()
                : model == null ? 0 : model.contextLength();
        if (context > 0) {
            row.put("context_length", context);
        }
        row.put(
                "capabilities",
                capabilities.stream().map(ModelCapability::label).toList());
        row.put("state", route == null ? "not_bound" : route.state().label());
        if (route != null) {
            row.put("slot", route.slot().value());
            route.modelId().ifPresent(bound -> row.put("model", bound));
        }
        return row;
    }
}
