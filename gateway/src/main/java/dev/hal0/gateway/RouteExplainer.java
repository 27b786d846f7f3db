package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.ErrorEnvelope;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.slots.Route;
import dev.hal0.slots.SlotType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Says where a request would go, by the resolver that would send it there. */
final class RouteExplainer {
    private final BiFunction<GatewayRoute, Optional<String>, Resolution> resolver;

    RouteExplainer(BiFunction<GatewayRoute, Optional<String>, Resolution> resolver) {
        this.resolver = resolver;
    }

    /** @throws Hal0Exception {@code route.not_found} for a path that no engine serves */
    RouteExplanation explain(String path, Optional<String> model) {
        GatewayRoute route = GatewayRoute.find(path)
                .orElseThrow(() -> new Hal0Exception(
                                ErrorCode.ROUTE_NOT_FOUND,
                                "No inference route " + path + ". There are "
                                        + GatewayRoute.ALL.stream()
                                                .filter(known -> !known.isOwn())
                                                .map(GatewayRoute::path)
                                                .collect(Collectors.joining(", "))
                                        + ".")
                        .withParam("path"));
        var reasons = new ArrayList<String>();
        reasons.add(route.path() + " needs a slot of type "
                + route.serves().stream().map(SlotType::label).collect(Collectors.joining(" or ")) + ".");
        try {
            Resolution resolution = resolver.apply(route, model);
            return served(route, model, resolution, reasons);
        } catch (Hal0Exception why) {
            reasons.add(why.message());
            return new RouteExplanation(
                    route.path(),
                    model.orElse(null),
                    null,
                    null,
                    null,
                    null,
                    false,
                    null,
                    reasons,
                    ErrorEnvelope.of(why, null).error());
        }
    }

    private static RouteExplanation served(
            GatewayRoute route, Optional<String> model, Resolution resolution, List<String> reasons) {
        Route found = resolution.route();
        String name = "'" + model.orElse("") + "'";
        reasons.add(
                switch (resolution.by()) {
                    case SLOT -> name + " is the name of slot " + found.slot() + ".";
                    case MODEL ->
                        name + " is the model of slot " + found.slot()
                                + ", the readiest of those that have it and serve this route.";
                    case VIRTUAL -> name + " stands for slot " + found.slot() + ".";
                    case DEFAULT ->
                        "No model is named: slot " + found.slot() + " is the default for "
                                + found.type().label() + ".";
                    case UNKNOWN_TO_DEFAULT ->
                        "Nobody knows " + name + ", and [dispatcher] unknown_models sends such requests to the default"
                                + " slot " + found.slot() + ".";
                });
        boolean ready = found.target().isPresent();
        @Nullable Hal0Exception wrong = null;
        Optional<String> enginePath = Optional.empty();
        if (ready) {
            enginePath = found.target().get().engine().path(route.path());
            String family = found.target().get().engine().family();
            if (enginePath.isPresent()) {
                reasons.add("Slot " + found.slot() + " is ready; its engine " + family + " is asked for "
                        + enginePath.get() + ".");
            } else {
                wrong = Admission.notSpoken(family, found, route.path());
                reasons.add(wrong.message());
            }
        } else {
            reasons.add("Slot " + found.slot() + " is " + found.state().label()
                    + ": the request loads it and waits; `hal0 explain slot " + found.slot()
                    + "` says what may stand in the way.");
        }
        return new RouteExplanation(
                route.path(),
                model.orElse(null),
                found.slot().value(),
                resolution.by().label(),
                found.modelId().orElse(null),
                found.state().label(),
                !ready,
                enginePath.orElse(null),
                reasons,
                wrong == null ? null : ErrorEnvelope.of(wrong, null).error());
    }
}
