package dev.hal0.server;

import dev.hal0.kernel.HomeDirectory;
import dev.hal0.models.AdoptReport;
import dev.hal0.models.AdoptRow;
import dev.hal0.models.CapabilityGuess.Confidence;
import dev.hal0.models.ImportSummary;
import dev.hal0.models.ModelAdoption;
import dev.hal0.models.ModelCapability;
import dev.hal0.models.ModelPrune;
import dev.hal0.models.ModelRegistry;
import dev.hal0.models.ModelScan;
import dev.hal0.models.PruneReport;
import dev.hal0.models.RegisteredModel;
import dev.hal0.models.RegistryImport;
import dev.hal0.models.ScanReport;
import dev.hal0.models.ScanRow;
import dev.hal0.models.SkippedPath;
import dev.hal0.models.StoreRoot;
import dev.hal0.slots.SlotManager;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Finding models that are on the disk already, and the way back: scan, adopt, prune, import. Nothing moves a model file. */
final class ModelDiscoveryRoutes {
    /** @param paths absolute; none for the store, the configured roots and where other programs keep their models */
    record ScanBody(@Nullable List<String> paths, @Nullable Boolean recursive) {}

    /** @param rows those to adopt; none to adopt whatever a scan of the usual places finds with certainty */
    record AdoptBody(@Nullable List<Row> rows) {}

    /** @param path absolute; everything else as the file says unless it is given */
    record Row(
            String path,
            @Nullable String id,
            @Nullable String name,
            @Nullable Set<String> labels,
            @Nullable ModelCapability capability) {}

    record PruneBody(@Nullable Boolean apply) {}

    /** @param path of the archive, absolute, on this machine */
    record ImportBody(@Nullable String path, @Nullable Boolean force) {}

    record Found(
            String path,
            String resolvedPath,
            long sizeBytes,
            int parts,
            String suggestedId,
            String suggestedName,
            Set<String> suggestedLabels,
            String architecture,
            String quantization,
            int contextLength,
            ModelCapability capability,
            Confidence confidence,
            String reason,
            String kind,
            @Nullable String mmproj,
            String mmprojReason,
            Map<String, Object> rawHints,
            @Nullable String alreadyRegistered) {}

    record Skipped(String path, String reason) {}

    record Root(String path, String state, String detail) {}

    record Preview(
            List<Found> preview,
            int count,
            List<Skipped> skipped,
            List<Root> roots,
            boolean complete,
            List<String> warnings) {}

    record Adopted(List<String> added, List<Skipped> skipped, List<String> scannedRoots) {}

    record Pruned(List<PrunedRow> gone, List<PrunedRow> kept, boolean applied) {}

    record PrunedRow(String id, String path, String reason) {}

    record Imported(
            String destination,
            @Nullable String backup,
            List<String> present,
            List<String> missing,
            List<String> unavailable,
            List<String> changed,
            Map<String, String> faults,
            List<String> notes,
            String next) {}

    /** Where other programs keep models, below a home directory. */
    private static final List<String> USUAL_PLACES = List.of(
            ".cache/huggingface/hub",
            ".cache/llama.cpp",
            ".ollama/models",
            ".lmstudio/models",
            ".cache/lm-studio/models");

    private static final Path OLLAMA_SERVICE = Path.of("/usr/share/ollama/.ollama/models");

    private final ModelRegistry registry;
    private final StoreRoot store;
    private final SlotManager slots;
    private final RegistryImport importer;
    private final HomeDirectory home;
    private final Optional<Path> userHome;

    ModelDiscoveryRoutes(
            ModelRegistry registry,
            StoreRoot store,
            SlotManager slots,
            RegistryImport importer,
            HomeDirectory home,
            Map<String, String> environment) {
        this.registry = registry;
        this.store = store;
        this.slots = slots;
        this.importer = importer;
        this.home = home;
        this.userHome = Optional.ofNullable(environment.get("HOME"))
                .filter(folder -> !folder.isBlank())
                .map(Path::of);
    }

    List<ApiRoute> routes() {
        return List.of(
                ApiRoute.post(
                        "/api/models/scan/preview",
                        "Find model files without registering any.",
                        ScanBody.class,
                        Preview.class,
                        200,
                        request -> ApiAnswer.ok(preview(request.body(ScanBody.class)))),
                ApiRoute.post(
                        "/api/models/scan",
                        "Register files that a preview showed, or what the usual places hold.",
                        AdoptBody.class,
                        Adopted.class,
                        200,
                        request -> ApiAnswer.ok(adopt(request.body(AdoptBody.class)))),
                ApiRoute.post(
                        "/api/models/prune",
                        "Entries whose file is gone for certain; {\"apply\": true} forgets them.",
                        PruneBody.class,
                        Pruned.class,
                        200,
                        request -> ApiAnswer.ok(prune(request.body(PruneBody.class)))),
                ApiRoute.post(
                        "/api/registry/import",
                        "Take over the registry of a backup archive.",
                        ImportBody.class,
                        Imported.class,
                        200,
                        request -> ApiAnswer.ok(importFrom(request.body(ImportBody.class)))));
    }

    private Preview preview(ScanBody body) {
        List<String> given = body.paths() == null ? List.of() : body.paths();
        List<Path> roots = given.isEmpty()
                ? usualPlaces()
                : given.stream().map(path -> absolute("paths", path)).toList();
        ScanReport report = new ModelScan(registry).preview(roots, !Boolean.FALSE.equals(body.recursive()));
        return new Preview(
                report.rows().stream().map(ModelDiscoveryRoutes::found).toList(),
                report.rows().size(),
                skipped(report.skipped()),
                report.roots().stream()
                        .map(root -> new Root(
                                root.path().toString(),
                                root.state().kind().label(),
                                root.state().detail()))
                        .toList(),
                report.complete(),
                report.warnings());
    }

    private Adopted adopt(AdoptBody body) {
        if (body.rows() != null) {
            AdoptReport report = new ModelAdoption(registry)
                    .adopt(body.rows().stream().map(ModelDiscoveryRoutes::row).toList());
            return adopted(report, List.of());
        }
        List<Path> roots = usualPlaces();
        List<AdoptRow> certain = new ModelScan(registry)
                .preview(roots, true).rows().stream()
                        .filter(row -> row.alreadyRegistered().isEmpty() && row.confidence() == Confidence.HIGH)
                        .map(AdoptRow::of)
                        .toList();
        return adopted(new ModelAdoption(registry).adopt(certain), roots);
    }

    private static Adopted adopted(AdoptReport report, List<Path> roots) {
        return new Adopted(
                report.added().stream().map(RegisteredModel::id).toList(),
                skipped(report.skipped()),
                roots.stream().map(Path::toString).toList());
    }

    private Pruned prune(PruneBody body) {
        Set<String> inUse = slots.definitions().list().stream()
                .flatMap(definition -> definition.modelId().stream())
                .collect(Collectors.toSet());
        var prune = new ModelPrune(registry, store);
        PruneReport report = Boolean.TRUE.equals(body.apply()) ? prune.apply(inUse) : prune.preview(inUse);
        return new Pruned(rows(report.gone()), rows(report.kept()), report.applied());
    }

    private Imported importFrom(ImportBody body) {
        if (body.path() == null) {
            throw ApiRequest.invalid("path", "is required");
        }
        ImportSummary summary =
                importer.run(absolute("path", body.path()), home.modelRegistry(), Boolean.TRUE.equals(body.force()));
        return new Imported(
                summary.destination().toString(),
                summary.backup().map(Path::toString).orElse(null),
                summary.present(),
                summary.missing(),
                summary.unavailable(),
                summary.changed(),
                summary.faults(),
                summary.notes(),
                ImportSummary.NEXT_STEP);
    }

    private List<Path> usualPlaces() {
        var places = new LinkedHashSet<>(store.roots());
        userHome.ifPresent(folder -> USUAL_PLACES.forEach(place -> places.add(folder.resolve(place))));
        places.add(OLLAMA_SERVICE);
        // The store is shown also when it is missing; somebody else's folder that is not there is no news.
        places.removeIf(place -> !store.roots().contains(place) && !Files.exists(place));
        return List.copyOf(places);
    }

    private static AdoptRow row(Row given) {
        AdoptRow row = AdoptRow.of(absolute("rows.path", given.path()));
        if (given.id() != null) {
            row = row.withId(given.id());
        }
        if (given.name() != null) {
            row = row.withName(given.name());
        }
        if (given.labels() != null) {
            row = row.withLabels(given.labels());
        }
        return given.capability() == null ? row : row.withCapability(given.capability());
    }

    private static Path absolute(String field, String text) {
        try {
            Path path = Path.of(text);
            if (path.isAbsolute()) {
                return path.normalize();
            }
        } catch (InvalidPathException notEvenAPath) {
            throw ApiRequest.invalid(field, "is no path: " + notEvenAPath.getMessage());
        }
        throw ApiRequest.invalid(field, "must be absolute: the server has another working directory than you");
    }

    private static Found found(ScanRow row) {
        return new Found(
                row.path().toString(),
                row.resolvedPath().toString(),
                row.sizeBytes(),
                row.parts(),
                row.suggestedId(),
                row.suggestedName(),
                row.suggestedLabels(),
                row.architecture(),
                row.quantization(),
                row.contextLength(),
                row.capability(),
                row.confidence(),
                row.reason(),
                row.source().kind().label(),
                row.mmproj().map(Path::toString).orElse(null),
                row.mmprojReason(),
                row.rawHints(),
                row.alreadyRegistered().orElse(null));
    }

    private static List<Skipped> skipped(List<SkippedPath> paths) {
        return paths.stream()
                .map(path -> new Skipped(path.path().toString(), path.reason()))
                .toList();
    }

    private static List<PrunedRow> rows(List<PruneReport.Row> rows) {
        return rows.stream()
                .map(row -> new PrunedRow(row.id(), row.path().toString(), row.reason()))
                .toList();
    }
}
