package dev.hal0.server;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.models.AddOptions;
import dev.hal0.models.ModelCapability;
import dev.hal0.models.ModelRegistry;
import dev.hal0.models.RegisteredModel;
import dev.hal0.slots.SlotManager;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** {@code /api/models}: the registry. Nothing here moves or deletes a model file. */
final class ModelRoutes {
    record AddModel(
            @Nullable String path,
            @Nullable String id,
            @Nullable String name,
            @Nullable Boolean overwrite) {}

    /** @param fileState what is known of the file now: present, missing, changed or unavailable */
    record ModelView(
            String id,
            String name,
            @Nullable String path,
            long sizeBytes,
            String architecture,
            String quantization,
            int contextLength,
            boolean chatTemplate,
            Set<ModelCapability> capabilities,
            List<String> engines,
            Instant addedAt,
            boolean readOnly,
            String fileState) {}

    /** @param restore the body to POST to {@code /api/models} to undo it */
    record Removed(String id, boolean deleted, AddModel restore) {}

    private final ModelRegistry registry;
    private final SlotManager slots;

    ModelRoutes(ModelRegistry registry, SlotManager slots) {
        this.registry = registry;
        this.slots = slots;
    }

    List<ApiRoute> routes() {
        return List.of(
                ApiRoute.get(
                        "/api/models",
                        "All registered models.",
                        ModelView[].class,
                        request -> ApiAnswer.ok(
                                registry.list().stream().map(this::view).toList())),
                ApiRoute.post(
                        "/api/models",
                        "Register a model file; it stays where it is.",
                        AddModel.class,
                        ModelView.class,
                        201,
                        this::add),
                ApiRoute.get(
                        "/api/models/{id}",
                        "One model.",
                        ModelView.class,
                        request -> ApiAnswer.ok(view(registry.require(request.parameter("id"))))),
                ApiRoute.delete(
                        "/api/models/{id}",
                        "Forget a model; its file stays. ?force=true also while slots are bound to it.",
                        Removed.class,
                        this::remove));
    }

    private ApiAnswer add(ApiRequest request) {
        AddModel body = request.body(AddModel.class);
        if (body.path() == null || body.path().isBlank()) {
            throw ApiRequest.invalid("path", "is required");
        }
        Path path = Path.of(body.path());
        if (!path.isAbsolute()) {
            throw ApiRequest.invalid("path", "must be absolute: the server has another working directory than you");
        }
        RegisteredModel added = registry.add(
                path,
                new AddOptions(
                        Optional.ofNullable(body.id()),
                        Optional.ofNullable(body.name()),
                        Boolean.TRUE.equals(body.overwrite())));
        return ApiAnswer.of(201, view(added));
    }

    private ApiAnswer remove(ApiRequest request) {
        String id = request.parameter("id");
        List<String> users = slots.definitions().list().stream()
                .filter(definition -> definition.modelId().filter(id::equals).isPresent())
                .map(definition -> definition.name().value())
                .toList();
        if (!users.isEmpty() && !request.flag("force")) {
            throw new Hal0Exception(
                            ErrorCode.MODEL_IN_USE,
                            "Model " + id + " is bound to slot " + String.join(", ", users)
                                    + ". Repeat with force to remove it all the same.")
                    .withDetail("slots", users);
        }
        RegisteredModel removed = registry.remove(id).model();
        String path = removed.path().map(Path::toString).orElse(null);
        return ApiAnswer.ok(new Removed(id, true, new AddModel(path, id, removed.name(), null)));
    }

    private ModelView view(RegisteredModel model) {
        return new ModelView(
                model.id(),
                model.name(),
                model.path().map(Path::toString).orElse(null),
                model.sizeBytes(),
                model.architecture(),
                model.quantization(),
                model.contextLength(),
                model.chatTemplate(),
                model.capabilities(),
                model.engines(),
                model.addedAt(),
                model.readOnly(),
                registry.fileState(model).kind().label());
    }

    /** For answers that only need the number, also while the registry cannot be read. */
    int ownModels() {
        try {
            return (int)
                    registry.list().stream().filter(model -> !model.readOnly()).count();
        } catch (Hal0Exception unreadable) {
            return 0;
        }
    }
}
