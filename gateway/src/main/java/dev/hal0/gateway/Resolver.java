package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.NearMatch;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.Route;
import dev.hal0.slots.RoutingSnapshot;
import dev.hal0.slots.SlotType;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * From the name in a request to the slot that serves it: the slot of that name, else a slot with exactly that model, a ready
 * one first, else an error. Nothing is guessed from parts of a name: whoever asks for one model never gets another.
 */
final class Resolver {
    private Resolver() {}

    /**
     * @param model as the client sent it; empty asks for the default slot of the type
     * @throws Hal0Exception naming what exists and the command that leads out
     */
    static Route resolve(RoutingSnapshot snapshot, SlotType type, Optional<String> model) {
        Route route = model.isPresent() ? named(snapshot, type, model.get()) : byDefault(snapshot, type);
        if (!route.enabled()) {
            throw new Hal0Exception(ErrorCode.SLOT_DISABLED, "Slot " + route.slot() + " is disabled.")
                    .withParam("model");
        }
        if (route.type() != type) {
            throw new Hal0Exception(
                            ErrorCode.MODEL_CAPABILITY_MISMATCH,
                            "Slot " + route.slot() + " serves " + route.type().label() + ", this route needs "
                                    + type.label() + ". Slots for it: " + names(snapshot, type) + ".")
                    .withParam("model");
        }
        if (route.modelId().isEmpty()) {
            throw new Hal0Exception(
                            ErrorCode.SLOT_NO_MODEL,
                            "Slot " + route.slot()
                                    + " has no model yet. Register one with `hal0 model add FILE.gguf`, then"
                                    + " run `hal0 slot load " + route.slot() + " --model ID`.")
                    .withParam("model");
        }
        return route;
    }

    private static Route named(RoutingSnapshot snapshot, SlotType type, String name) {
        String alias = name.startsWith("slot:") ? name.substring("slot:".length()) : name;
        if (SlotName.isValid(alias)) {
            Optional<Route> slot = snapshot.slot(new SlotName(alias));
            if (slot.isPresent()) {
                return slot.get();
            }
        }
        List<Route> withModel = snapshot.model(name);
        return withModel.stream()
                .filter(route -> route.type() == type)
                .findFirst()
                .or(() -> withModel.stream().findFirst())
                .orElseThrow(() -> unknown(snapshot, name));
    }

    private static Route byDefault(RoutingSnapshot snapshot, SlotType type) {
        List<Route> ofType =
                snapshot.routes().stream().filter(route -> route.type() == type).toList();
        return ofType.stream()
                .filter(Route::isDefault)
                .findFirst()
                .or(() -> only(ofType.stream().filter(Route::enabled).toList()))
                .or(() -> only(ofType))
                .orElseThrow(() -> new Hal0Exception(
                                ErrorCode.DISPATCH_MODEL_REQUIRED,
                                "`model` is required: no slot is the default for " + type.label() + ". Slots for it: "
                                        + names(snapshot, type) + ".")
                        .withParam("model"));
    }

    private static Optional<Route> only(List<Route> routes) {
        return routes.size() == 1 ? Optional.of(routes.getFirst()) : Optional.empty();
    }

    private static Hal0Exception unknown(RoutingSnapshot snapshot, String name) {
        Collection<String> available = available(snapshot);
        return new Hal0Exception(
                        ErrorCode.DISPATCH_NO_ROUTE,
                        "Nothing serves '" + abbreviate(name) + "'." + NearMatch.hint(name, available) + " Available: "
                                + String.join(", ", available) + ".")
                .withParam("model")
                .withDetail("available", List.copyOf(available));
    }

    /** Slot names and model ids, sorted. */
    static Collection<String> available(RoutingSnapshot snapshot) {
        var names = new TreeSet<String>();
        snapshot.routes().stream().filter(Route::enabled).forEach(route -> {
            names.add(route.slot().value());
            route.modelId().ifPresent(names::add);
        });
        return names;
    }

    private static String names(RoutingSnapshot snapshot, SlotType type) {
        List<String> names = snapshot.routes().stream()
                .filter(route -> route.type() == type && route.enabled())
                .map(route -> route.slot().value())
                .toList();
        return names.isEmpty() ? "none" : String.join(", ", names);
    }

    private static String abbreviate(String text) {
        return text.length() <= 100 ? text : text.substring(0, 100) + "…";
    }
}
