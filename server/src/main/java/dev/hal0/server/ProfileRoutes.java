package dev.hal0.server;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.slots.SlotDefinitions;
import dev.hal0.slots.SlotManager;
import dev.hal0.slots.profile.GpuBackend;
import dev.hal0.slots.profile.Profile;
import dev.hal0.slots.profile.ProfileClass;
import dev.hal0.slots.profile.ProfileEntry;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code /api/profiles}. */
final class ProfileRoutes {
    /**
     * @param seed ships with this version of hal0
     * @param edited {@code profiles.toml} says something about it
     * @param problem why what the file says is not in force; null when it is
     * @param usedBy slots whose files name it
     */
    record ProfileView(
            String name,
            String engine,
            @Nullable String image,
            String flags,
            boolean mtp,
            ProfileClass deviceClass,
            @Nullable GpuBackend backend,
            List<String> devices,
            String intent,
            String quant,
            @Nullable String clonedFrom,
            boolean seed,
            boolean edited,
            @Nullable String problem,
            List<String> usedBy) {}

    record Deleted(String name, boolean deleted) {}

    private final SlotManager slots;
    private final SlotDefinitions definitions;

    ProfileRoutes(SlotManager slots) {
        this.slots = slots;
        this.definitions = slots.definitions();
    }

    List<ApiRoute> routes() {
        return List.of(
                ApiRoute.get(
                        "/api/profiles",
                        "All profiles.",
                        ProfileView[].class,
                        request -> ApiAnswer.ok(definitions.profiles().list().stream()
                                .map(this::view)
                                .toList())),
                ApiRoute.post(
                        "/api/profiles",
                        "Make a profile: its name and any of its keys; cloned_from copies another one.",
                        null,
                        ProfileView.class,
                        201,
                        this::create),
                ApiRoute.get(
                        "/api/profiles/{name}",
                        "One profile; ETag in the header.",
                        ProfileView.class,
                        request -> answer(request.parameter("name"))),
                ApiRoute.put(
                        "/api/profiles/{name}",
                        "Change keys of a profile; null takes one back. If-Match is honoured. Nothing is restarted.",
                        null,
                        ProfileView.class,
                        this::change),
                ApiRoute.delete(
                        "/api/profiles/{name}",
                        "Delete a profile that no slot names and that does not ship with hal0.",
                        Deleted.class,
                        this::delete),
                ApiRoute.post(
                        "/api/profiles/{name}/reset",
                        "Take back every edit of a profile that ships with hal0.",
                        null,
                        ProfileView.class,
                        200,
                        this::reset));
    }

    private ApiAnswer create(ApiRequest request) {
        JsonNode body = request.object();
        String name = body.path("name").asString("");
        if (name.isEmpty()) {
            throw ApiRequest.invalid("name", "is required");
        }
        ObjectNode keys = ((ObjectNode) body).deepCopy();
        keys.remove("name");
        Optional<Profile> model = Optional.of(body.path("cloned_from").asString(""))
                .filter(other -> !other.isEmpty())
                .map(other -> definitions.profiles().require(other).profile());
        model.ifPresent(other -> copy(other, keys));
        definitions.changeProfile(
                name, Optional.empty(), true, document -> TomlChanges.apply(document, List.of(name), keys));
        slots.definitionsChanged();
        return new ApiAnswer.Body(201, view(definitions.profiles().require(name)), etag(name));
    }

    /** What the clone does not say itself. */
    private static void copy(Profile from, ObjectNode keys) {
        putIfAbsent(keys, "engine", from.engine());
        putIfAbsent(keys, "flags", from.flags());
        putIfAbsent(keys, "device_class", from.deviceClass().label());
        putIfAbsent(keys, "intent", from.intent());
        from.image().ifPresent(image -> putIfAbsent(keys, "image", image));
        from.backend().ifPresent(backend -> putIfAbsent(keys, "backend", backend.label()));
        if (from.mtp() && !keys.has("mtp")) {
            keys.put("mtp", true);
        }
        if (!from.devices().isEmpty() && !keys.has("devices")) {
            from.devices().forEach(keys.withArray("devices")::add);
        }
    }

    private static void putIfAbsent(ObjectNode keys, String key, String value) {
        if (!keys.has(key)) {
            keys.put(key, value);
        }
    }

    private ApiAnswer change(ApiRequest request) {
        String name = request.parameter("name");
        definitions.profiles().require(name);
        JsonNode changes = request.object();
        definitions.changeProfile(
                name, ifMatch(request), false, document -> TomlChanges.apply(document, List.of(name), changes));
        slots.definitionsChanged();
        return answer(name);
    }

    private ApiAnswer delete(ApiRequest request) {
        String name = request.parameter("name");
        definitions.deleteProfile(name, ifMatch(request));
        return ApiAnswer.ok(new Deleted(name, true));
    }

    private ApiAnswer reset(ApiRequest request) {
        String name = request.parameter("name");
        definitions.resetProfile(name, ifMatch(request));
        slots.definitionsChanged();
        return answer(name);
    }

    private ApiAnswer answer(String name) {
        return new ApiAnswer.Body(200, view(definitions.profiles().require(name)), etag(name));
    }

    private Map<String, String> etag(String name) {
        return Map.of("ETag", '"' + definitions.profiles().etag(name) + '"');
    }

    private static Optional<String> ifMatch(ApiRequest request) {
        return request.header("if-match").map(value -> value.replace("\"", ""));
    }

    private ProfileView view(ProfileEntry entry) {
        Profile profile = entry.profile();
        return new ProfileView(
                profile.name(),
                profile.engine(),
                profile.image().orElse(null),
                profile.flags(),
                profile.mtp(),
                profile.deviceClass(),
                profile.backend().orElse(null),
                profile.devices(),
                profile.intent(),
                profile.quant(),
                profile.clonedFrom().orElse(null),
                entry.seed(),
                entry.edited(),
                entry.problem()
                        .or(() -> definitions.profiles().problem())
                        .map(Hal0Exception::message)
                        .orElse(null),
                definitions.usersOf(profile.name()).stream()
                        .map(slot -> slot.value())
                        .toList());
    }
}
