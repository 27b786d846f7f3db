package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.util.List;
import java.util.Optional;

/** All routes at one instant, by slot name; immutable, replaced whole, so that a request sees one world. */
public record RoutingSnapshot(List<Route> routes) {
    public static final RoutingSnapshot EMPTY = new RoutingSnapshot(List.of());

    public RoutingSnapshot {
        routes = List.copyOf(routes);
    }

    public Optional<Route> slot(SlotName name) {
        return routes.stream().filter(route -> route.slot().equals(name)).findFirst();
    }

    /** Enabled slots with that model, ready ones first. */
    public List<Route> model(String id) {
        return routes.stream()
                .filter(route ->
                        route.enabled() && route.modelId().filter(id::equals).isPresent())
                .sorted(java.util.Comparator.comparing(
                        (Route route) -> route.target().isEmpty()))
                .toList();
    }
}
