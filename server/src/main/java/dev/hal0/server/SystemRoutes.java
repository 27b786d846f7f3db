package dev.hal0.server;

import dev.hal0.slots.SlotManager;
import dev.hal0.slots.SlotView;
import java.util.List;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Health, readiness and the one-page status. */
final class SystemRoutes {
    record Health(String status, String name, String version) {}

    /** @param next what to type next, or null when nothing is missing */
    record Status(
            String name,
            String version,
            String runtime,
            String home,
            List<SlotView> slots,
            int models,
            @Nullable String next) {}

    private final String version;
    private final String home;
    private final SlotManager slots;
    private final IntSupplier models;
    private final Supplier<Boolean> draining;

    SystemRoutes(String version, String home, SlotManager slots, IntSupplier models, Supplier<Boolean> draining) {
        this.version = version;
        this.home = home;
        this.slots = slots;
        this.models = models;
        this.draining = draining;
    }

    List<ApiRoute> routes() {
        return List.of(
                ApiRoute.get(
                        "/api/health",
                        "Answers at once while the process lives.",
                        Health.class,
                        request -> ApiAnswer.ok(new Health("ok", "hal0", version))),
                ApiRoute.get(
                        "/healthz",
                        "The same, for probes.",
                        Health.class,
                        request -> ApiAnswer.ok(new Health("ok", "hal0", version))),
                ApiRoute.get(
                        "/health",
                        "The same, for SDK-style probes.",
                        Health.class,
                        request -> ApiAnswer.ok(new Health("ok", "hal0", version))),
                ApiRoute.get(
                        "/readyz",
                        "503 until requests can be routed, and while stopping.",
                        Health.class,
                        request -> ready()),
                ApiRoute.get(
                        "/api/status", "One page: slots, models, what to do next.", Status.class, request -> status()));
    }

    private ApiAnswer ready() {
        return draining.get()
                ? ApiAnswer.of(503, new Health("stopping", "hal0", version))
                : ApiAnswer.ok(new Health("ok", "hal0", version));
    }

    private ApiAnswer status() {
        List<SlotView> views = slots.list();
        return ApiAnswer.ok(new Status(
                "hal0",
                version,
                views.isEmpty() ? "unknown" : views.getFirst().runtime(),
                home,
                views,
                models.getAsInt(),
                nextStep(views, models.getAsInt())));
    }

    /** The command that leads out of what is missing; null when a chat works. */
    static @Nullable String nextStep(List<SlotView> views, int ownModels) {
        boolean chats =
                views.stream().anyMatch(view -> view.type() == dev.hal0.slots.SlotType.LLM && view.model() != null);
        if (chats) {
            return null;
        }
        return ownModels == 0 ? "./hal0 model add FILE.gguf" : "./hal0 slot load chat --model ID";
    }
}
