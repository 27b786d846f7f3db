package dev.hal0.server;

import dev.hal0.runtime.install.InstalledEngines;
import dev.hal0.runtime.install.Program;
import dev.hal0.slots.Engine;
import dev.hal0.slots.EngineCatalog;
import dev.hal0.slots.SlotManager;
import dev.hal0.slots.SlotView;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@code /api/engines}: which programs are there, from where, and fetching one. */
final class EngineRoutes {
    /**
     * @param version null while nothing is installed
     * @param availableVersion what an install fetches; null for an engine that hal0 does not fetch
     * @param versions what hal0 has installed, newest first
     */
    record EngineView(
            String name,
            boolean installed,
            @Nullable String version,
            @Nullable String source,
            @Nullable String path,
            @Nullable String availableVersion,
            List<VersionView> versions,
            List<String> usedBy) {}

    /** @param current whether the next launch uses it */
    record VersionView(String version, String reportedVersion, String source, boolean current) {}

    private final EngineCatalog engines;
    private final InstalledEngines programs;
    private final SlotManager slots;

    EngineRoutes(EngineCatalog engines, InstalledEngines programs, SlotManager slots) {
        this.engines = engines;
        this.programs = programs;
        this.slots = slots;
    }

    List<ApiRoute> routes() {
        return List.of(
                ApiRoute.get(
                        "/api/engines",
                        "All engine families.",
                        EngineView[].class,
                        request -> ApiAnswer.ok(
                                engines.list().stream().map(this::view).toList())),
                ApiRoute.get(
                        "/api/engines/{name}",
                        "One engine family.",
                        EngineView.class,
                        request -> ApiAnswer.ok(view(require(request)))),
                ApiRoute.post(
                        "/api/engines/{name}/install",
                        "Fetch the engine's program. Server-sent events: progress, then done or error.",
                        null,
                        null,
                        200,
                        this::install),
                ApiRoute.delete(
                        "/api/engines/{name}/versions/{version}",
                        "Delete an installed version that nothing runs from.",
                        EngineView.class,
                        this::remove));
    }

    private ApiAnswer remove(ApiRequest request) {
        Engine engine = require(request);
        programs.remove(engine.family(), request.parameter("version"));
        return ApiAnswer.ok(view(engine));
    }

    private Engine require(ApiRequest request) {
        return engines.require(request.parameter("name"));
    }

    private ApiAnswer install(ApiRequest request) {
        Engine engine = require(request);
        return new ApiAnswer.Stream(stream -> {
            programs.install(engine.family(), message -> stream.send(null, "progress", Map.of("message", message)));
            stream.send(null, "done", view(engine));
            stream.end();
        });
    }

    private EngineView view(Engine engine) {
        Optional<Program> program = programs.find(engine.family());
        List<String> usedBy = slots.list().stream()
                .filter(slot -> engine.family().equals(slot.engine()))
                .map(SlotView::name)
                .map(Object::toString)
                .toList();
        return new EngineView(
                engine.family(),
                program.isPresent(),
                program.map(Program::version).orElse(null),
                program.map(Program::source).orElse(null),
                program.map(found -> String.join(" ", found.command())).orElse(null),
                programs.available(engine.family()).orElse(null),
                programs.list(engine.family()).stream()
                        .map(version -> new VersionView(
                                version.version(), version.reportedVersion(), version.source(), version.current()))
                        .toList(),
                usedBy);
    }
}
