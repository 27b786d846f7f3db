package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import dev.hal0.kernel.NearMatch;
import dev.hal0.models.RegisteredModel;
import dev.hal0.slots.Route;
import dev.hal0.slots.RoutingSnapshot;
import dev.hal0.slots.SlotControl;
import io.vertx.ext.web.RoutingContext;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * {@code GET /v1/models}: every slot by its name, then every registered model by its id. Answered from memory, so that a
 * listing never waits for anything.
 */
public final class ModelListing {
    private final SlotControl slots;
    private final Supplier<List<RegisteredModel>> models;

    /** @param models the newest known registry content; must not block */
    public ModelListing(SlotControl slots, Supplier<List<RegisteredModel>> models) {
        this.slots = slots;
        this.models = models;
    }

    void list(RoutingContext context) {
        var body = new LinkedHashMap<String, Object>();
        body.put("object", "list");
        body.put("data", rows());
        Responses.json(context, 200, Json.STRICT.writeValueAsString(body));
    }

    void one(RoutingContext context) {
        String id = URLDecoder.decode(
                context.request().path().substring("/v1/models/".length()).replace("+", "%2B"), StandardCharsets.UTF_8);
        List<Map<String, Object>> rows = rows();
        rows.stream()
                .filter(row -> id.equals(row.get("id")))
                .findFirst()
                .ifPresentOrElse(
                        row -> Responses.json(context, 200, Json.STRICT.writeValueAsString(row)),
                        () -> Responses.fail(context, unknown(id, rows)));
    }

    private static Hal0Exception unknown(String id, List<Map<String, Object>> rows) {
        List<String> ids =
                rows.stream().map(row -> String.valueOf(row.get("id"))).toList();
        return new Hal0Exception(
                        ErrorCode.DISPATCH_NO_ROUTE,
                        "No model '" + id + "'." + NearMatch.hint(id, ids) + " Available: " + String.join(", ", ids)
                                + ".")
                .withParam("model");
    }

    private List<Map<String, Object>> rows() {
        RoutingSnapshot snapshot = slots.routes();
        var rows = new ArrayList<Map<String, Object>>();
        for (Route route : snapshot.routes()) {
            if (route.enabled() && route.modelId().isPresent()) {
                rows.add(row(
                        route.slot().value(),
                        0,
                        route.contextLength(),
                        List.of(route.type().capability().label()),
                        route));
            }
        }
        for (RegisteredModel model : models.get()) {
            Route serving = snapshot.model(model.id()).stream().findFirst().orElse(null);
            int context = serving == null ? model.contextLength() : serving.contextLength();
            rows.add(row(
                    model.id(),
                    model.addedAt().getEpochSecond(),
                    context,
                    model.capabilities().stream()
                            .map(capability -> capability.label())
                            .toList(),
                    serving));
        }
        return rows;
    }

    private static Map<String, Object> row(
            String id, long created, int contextLength, List<String> capabilities, @Nullable Route route) {
        var row = new LinkedHashMap<String, Object>();
        row.put("id", id);
        row.put("object", "model");
        row.put("created", created);
        row.put("owned_by", "hal0");
        if (contextLength > 0) {
            row.put("context_length", contextLength);
        }
        row.put("capabilities", capabilities);
        row.put("state", route == null ? "not_bound" : route.state().label());
        if (route != null) {
            row.put("slot", route.slot().value());
            row.put("model", route.modelId().orElse(""));
        }
        return row;
    }
}
