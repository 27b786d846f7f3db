package dev.hal0.server;

import dev.hal0.hardware.MemoryTruth;
import dev.hal0.hardware.live.LiveMemory;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.models.AddOptions;
import dev.hal0.models.CacheType;
import dev.hal0.models.CapabilityGuess.Confidence;
import dev.hal0.models.FitRequest;
import dev.hal0.models.FitVerdict;
import dev.hal0.models.GgufReader;
import dev.hal0.models.Headroom;
import dev.hal0.models.MemoryNeed;
import dev.hal0.models.ModelCapability;
import dev.hal0.models.ModelChanges;
import dev.hal0.models.ModelFit;
import dev.hal0.models.ModelRegistry;
import dev.hal0.models.RegisteredModel;
import dev.hal0.slots.Device;
import dev.hal0.slots.SchedulerView;
import dev.hal0.slots.SlotManager;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
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
            String fileState,
            Set<String> labels,
            String license,
            @Nullable String hfRepo,
            @Nullable String mmproj,
            String source,
            @Nullable Confidence confidence) {}

    /** @param mmproj empty for none */
    record ChangeModel(
            @Nullable String name,
            @Nullable Set<String> labels,
            @Nullable String license,
            @Nullable String mmproj,
            @Nullable Map<String, Object> defaults) {}

    /**
     * @param device where it would run; cpu unless given
     * @param contextSize tokens of one request; the model's window, at most 32768, unless given
     * @param slot that it would replace: what that one holds is given back
     */
    record FitBody(
            @Nullable Device device,
            @Nullable Integer contextSize,
            @Nullable Integer parallel,
            @Nullable String cacheType,
            @Nullable SlotName slot) {}

    /** @param largestContext null where not even 256 tokens fit, or nobody knows */
    record FitView(
            String id,
            String verdict,
            @Nullable Long needBytes,
            @Nullable MemoryNeed need,
            @Nullable Long headroomBytes,
            @Nullable String limitedBy,
            @Nullable Integer largestContext,
            int contextSize,
            List<String> missing) {}

    /** @param restore the body to POST to {@code /api/models} to undo it */
    record Removed(String id, boolean deleted, AddModel restore) {}

    private final ModelRegistry registry;
    private final SlotManager slots;
    private final Machine machine;

    ModelRoutes(ModelRegistry registry, SlotManager slots, Machine machine) {
        this.registry = registry;
        this.slots = slots;
        this.machine = machine;
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
                ApiRoute.put(
                        "/api/models/{id}",
                        "Change what a person may say of a model; what is left out stays.",
                        ChangeModel.class,
                        ModelView.class,
                        this::change),
                ApiRoute.post(
                        "/api/models/{id}/fit",
                        "Whether a model fits into what is free now, and the largest context that does.",
                        FitBody.class,
                        FitView.class,
                        200,
                        this::fit),
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

    private ApiAnswer change(ApiRequest request) {
        ChangeModel body = request.body(ChangeModel.class);
        if (body.mmproj() != null && !body.mmproj().isEmpty() && !body.mmproj().startsWith("/")) {
            throw ApiRequest.invalid("mmproj", "must be absolute, or empty for none");
        }
        RegisteredModel changed = registry.change(
                request.parameter("id"),
                new ModelChanges(
                        Optional.ofNullable(body.name()),
                        Optional.ofNullable(body.labels()),
                        Optional.ofNullable(body.license()),
                        Optional.ofNullable(body.mmproj()).map(Path::of),
                        body.defaults() == null ? Map.of() : body.defaults()));
        return ApiAnswer.ok(view(changed));
    }

    /** A warning, never a refusal: the same formula decides about loads. */
    private ApiAnswer fit(ApiRequest request) {
        FitBody body = request.body(FitBody.class);
        RegisteredModel model = registry.require(request.parameter("id"));
        Path path = model.path()
                .orElseThrow(() -> new Hal0Exception(
                        ErrorCode.REQUEST_INVALID, "Model " + model.id() + " is part of its engine; it has no file."));
        Device device = body.device() == null ? Device.CPU : body.device();
        int context = body.contextSize() != null
                ? body.contextSize()
                : model.contextLength() > 0 ? Math.min(model.contextLength(), 32_768) : 8_192;
        CacheType cache = body.cacheType() == null
                ? CacheType.F16
                : CacheType.named(body.cacheType())
                        .orElseThrow(() -> ApiRequest.invalid("cache_type", "is '" + body.cacheType() + "'"));
        FitRequest wanted;
        try {
            wanted = FitRequest.of(context)
                    .withParallel(body.parallel() == null ? 1 : body.parallel())
                    .withCache(cache, cache)
                    .withGpuLayers(device.isGpu());
        } catch (IllegalArgumentException outOfRange) {
            throw ApiRequest.invalid("context_size", String.valueOf(outOfRange.getMessage()));
        }
        FitVerdict verdict = ModelFit.judge(
                new GgufReader().read(path).shape().withWeights(model.sizeBytes()),
                wanted,
                headroom(device, body.slot()));
        return ApiAnswer.ok(new FitView(
                model.id(),
                verdict.fit().name().toLowerCase(java.util.Locale.ROOT),
                verdict.need().map(MemoryNeed::total).orElse(null),
                verdict.need().orElse(null),
                verdict.headroom().isPresent() ? verdict.headroom().getAsLong() : null,
                verdict.headroom().isPresent() ? verdict.limit().name().toLowerCase(java.util.Locale.ROOT) : null,
                verdict.largestContext().isPresent() ? verdict.largestContext().getAsInt() : null,
                context,
                verdict.missing()));
    }

    private Headroom headroom(Device device, @Nullable SlotName replaced) {
        long back = replaced == null
                ? 0
                : slots.scheduler().holders().stream()
                        .filter(holder -> holder.slot().equals(replaced))
                        .map(SchedulerView.Holder::reservedBytes)
                        .filter(java.util.Objects::nonNull)
                        .mapToLong(Long::longValue)
                        .sum();
        MemoryTruth truth = machine.memory(device).map(LiveMemory.Now::truth).orElse(null);
        if (truth == null || truth.headroomMb() == null || truth.limitedBy() == null) {
            return Headroom.unknown(Headroom.Limit.RAM);
        }
        return new Headroom(
                OptionalLong.of(truth.headroomMb() << 20),
                Headroom.Limit.valueOf(truth.limitedBy().name()),
                back);
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
                registry.fileState(model).kind().label(),
                model.labels(),
                model.details().license(),
                model.details().hfRepo().orElse(null),
                model.details().mmproj().map(Path::toString).orElse(null),
                model.details().source(),
                model.details().confidence().orElse(null));
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
