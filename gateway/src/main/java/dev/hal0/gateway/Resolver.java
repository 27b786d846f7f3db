package dev.hal0.gateway;

import dev.hal0.gateway.Resolution.By;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.NearMatch;
import dev.hal0.models.RegisteredModel;
import dev.hal0.slots.Route;
import dev.hal0.slots.RoutingSnapshot;
import dev.hal0.slots.SlotState;
import dev.hal0.slots.SlotType;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * From the name in a request to the slot that serves it. Pure, and in this order:
 *
 * <ol>
 *   <li>{@code slot:<name>}, or a slot's name as it is;
 *   <li>{@code hal0/auto}: any slot that can answer, the default one first if nothing is ready; {@code hal0/<name>}: that slot,
 *       and for the roles that agents are configured with, the default slot where no slot has that name;
 *   <li>exactly a model's id, on a ready slot, else on one that can be loaded, one in error last;
 *   <li>no name at all: the default slot of the route's type;
 *   <li>an unknown name, only where the settings say so: the default slot, marked in a header;
 *   <li>otherwise an error that names what exists and the command that leads out.
 * </ol>
 *
 * Nothing is guessed from parts of a name: whoever asks for one model never gets another.
 */
final class Resolver {
    static final String EXPLICIT = "slot:";
    private static final String VIRTUAL = "hal0/";
    private static final String AUTO = "auto";

    /** What configurations of agents call the model they talk to. */
    private static final Set<String> ROLES = Set.of("primary", "agent", "utility");

    private static final int MOST_NAMES = 50;

    private final RoutingSnapshot snapshot;
    private final Collection<RegisteredModel> models;
    private final List<SlotType> types;
    private final SlotType type;

    private Resolver(RoutingSnapshot snapshot, Collection<RegisteredModel> models, List<SlotType> types) {
        this.snapshot = snapshot;
        this.models = models;
        this.types = types;
        this.type = types.getFirst();
    }

    /**
     * @param models what is registered, for the way out when nothing is loaded
     * @param types of slot that the route needs, that of its default slot first
     * @param name as the client sent it
     * @param unknownToDefault whether an unknown name means the default slot
     * @throws Hal0Exception 400, 404 or 409
     */
    static Resolution resolve(
            RoutingSnapshot snapshot,
            Collection<RegisteredModel> models,
            List<SlotType> types,
            Optional<String> name,
            boolean unknownToDefault) {
        var resolver = new Resolver(snapshot, models, types);
        Resolution found = name.isPresent()
                ? resolver.named(name.get(), unknownToDefault)
                : new Resolution(resolver.byDefault(), By.DEFAULT);
        resolver.requireUsable(found.route());
        return found;
    }

    private void requireUsable(Route route) {
        if (!types.contains(route.type())) {
            throw new Hal0Exception(
                            ErrorCode.MODEL_CAPABILITY_MISMATCH,
                            "Slot " + route.slot() + " serves " + route.type().label() + ", this route needs "
                                    + type.label() + ". Slots for it: " + namesOfType() + ".")
                    .withParam("model");
        }
        if (!route.enabled()) {
            throw new Hal0Exception(ErrorCode.SLOT_DISABLED, "Slot " + route.slot() + " is disabled.")
                    .withParam("model");
        }
        if (route.modelId().isEmpty()) {
            throw new Hal0Exception(
                            ErrorCode.SLOT_NO_MODEL,
                            "Slot " + route.slot() + " has no model yet. "
                                    + wayOut(route.slot().value()))
                    .withParam("model");
        }
    }

    private Resolution named(String name, boolean unknownToDefault) {
        boolean explicit = name.startsWith(EXPLICIT);
        Optional<Route> slot = slot(explicit ? name.substring(EXPLICIT.length()) : name);
        if (slot.isPresent()) {
            return new Resolution(slot.get(), By.SLOT);
        }
        Route withModel = explicit ? null : withModel(name);
        if (withModel != null) {
            return new Resolution(withModel, By.MODEL);
        }
        Optional<Route> virtual =
                name.startsWith(VIRTUAL) ? virtual(name.substring(VIRTUAL.length())) : Optional.empty();
        if (virtual.isPresent()) {
            return new Resolution(virtual.get(), By.VIRTUAL);
        }
        // What somebody registered is never taken for a name that nobody knows.
        boolean registered = models.stream().anyMatch(model -> model.id().equals(name));
        if (unknownToDefault && !explicit && !registered) {
            return new Resolution(byDefault(), By.UNKNOWN_TO_DEFAULT);
        }
        throw unknown(name);
    }

    private Optional<Route> slot(String name) {
        return snapshot.routes().stream()
                .filter(route -> route.slot().value().equals(name))
                .findFirst();
    }

    private Optional<Route> virtual(String name) {
        if (name.equals(AUTO)) {
            return snapshot.routes().stream()
                    .filter(route -> types.contains(route.type())
                            && route.enabled()
                            && route.modelId().isPresent())
                    .min(Comparator.comparingInt(this::obstacles)
                            .thenComparing(route -> !route.isDefault())
                            .thenComparing(Route::slot));
        }
        Optional<Route> slot = slot(name);
        return slot.isPresent() || !ROLES.contains(name) ? slot : Optional.of(byDefault());
    }

    /** A slot of the wrong type or a disabled one is found last: then the error says what is wrong with it. */
    private @Nullable Route withModel(String id) {
        Route best = null;
        for (Route route : snapshot.routes()) {
            boolean has = route.modelId().isPresent() && route.modelId().get().equals(id);
            if (has && (best == null || obstacles(route) < obstacles(best))) {
                best = route;
            }
        }
        return best;
    }

    /** How far a slot is from an answer. */
    private int obstacles(Route route) {
        return (types.contains(route.type()) ? 0 : 8)
                + (route.enabled() ? 0 : 4)
                + (route.target().isPresent() ? 0 : 2)
                + (route.state() == SlotState.ERROR ? 1 : 0);
    }

    private Route byDefault() {
        List<Route> ofType =
                snapshot.routes().stream().filter(route -> route.type() == type).toList();
        return ofType.stream()
                .filter(Route::isDefault)
                .findFirst()
                .or(() -> ofType.size() == 1 ? Optional.of(ofType.getFirst()) : Optional.empty())
                .orElseThrow(() -> new Hal0Exception(
                                ErrorCode.DISPATCH_MODEL_REQUIRED,
                                "`model` is required: no slot is the default for " + type.label() + ". Slots for it: "
                                        + namesOfType() + ".")
                        .withParam("model"));
    }

    private Hal0Exception unknown(String name) {
        List<String> available = available();
        Optional<String> near = NearMatch.of(name, available);
        var message = new StringBuilder("Nothing serves '" + abbreviate(name) + "'.");
        near.ifPresent(match -> message.append(" Did you mean '").append(match).append("'?"));
        Optional<RegisteredModel> registered =
                models.stream().filter(model -> model.id().equals(name)).findFirst();
        boolean anyModel = snapshot.routes().stream()
                .anyMatch(route -> route.type() == type
                        && route.enabled()
                        && route.modelId().isPresent());
        if (registered.isPresent()) {
            message.append(" The model is registered, but no slot has it: run `hal0 slot load ")
                    .append(slotFor(registered.get()))
                    .append(" --model ")
                    .append(name)
                    .append("`.");
        } else if (!anyModel) {
            message.append(" There is no ")
                    .append(type.label())
                    .append(" model yet. ")
                    .append(wayOut(defaultSlot()));
        } else {
            message.append(" Available: ").append(shown(available)).append('.');
        }
        var failure = new Hal0Exception(ErrorCode.DISPATCH_NO_ROUTE, message.toString())
                .withParam("model")
                .withDetail("available", available.stream().limit(MOST_NAMES).toList());
        return near.isPresent() ? failure.withDetail("did_you_mean", near.get()) : failure;
    }

    /** The exact commands that make a slot of this type answer. */
    private String wayOut(String slot) {
        Optional<String> registered = models.stream()
                .filter(model -> model.can(type.capability()))
                .map(RegisteredModel::id)
                .sorted()
                .findFirst();
        return registered
                .map(id -> "Run `hal0 slot load " + slot + " --model " + id + "`.")
                .orElseGet(() -> "Register one with `hal0 model add FILE.gguf`, then run `hal0 slot load " + slot
                        + " --model ID`.");
    }

    private String slotFor(RegisteredModel model) {
        return model.can(type.capability())
                ? defaultSlot()
                : snapshot.routes().stream()
                        .filter(route -> model.can(route.type().capability()))
                        .map(route -> route.slot().value())
                        .findFirst()
                        .orElse("NAME");
    }

    private String defaultSlot() {
        return snapshot.routes().stream()
                .filter(route -> route.type() == type)
                .min(Comparator.comparing((Route route) -> !route.isDefault()).thenComparing(Route::slot))
                .map(route -> route.slot().value())
                .orElse(type == SlotType.LLM ? "chat" : type == SlotType.EMBEDDING ? "embed" : "NAME");
    }

    /** Slot names and model ids that answer now or after a load, sorted. */
    private List<String> available() {
        var names = new TreeSet<String>();
        snapshot.routes().stream()
                .filter(route -> route.enabled() && route.modelId().isPresent())
                .forEach(route -> {
                    names.add(route.slot().value());
                    names.add(route.modelId().get());
                });
        return List.copyOf(names);
    }

    private String namesOfType() {
        List<String> names = snapshot.routes().stream()
                .filter(route -> route.type() == type && route.enabled())
                .map(route -> route.slot().value())
                .toList();
        return names.isEmpty() ? "none" : shown(names);
    }

    private static String shown(List<String> names) {
        String some = String.join(", ", names.subList(0, Math.min(names.size(), MOST_NAMES)));
        return names.size() <= MOST_NAMES ? some : some + " and " + (names.size() - MOST_NAMES) + " more";
    }

    private static String abbreviate(String text) {
        return text.length() <= 100 ? text : text.substring(0, 100) + "…";
    }
}
