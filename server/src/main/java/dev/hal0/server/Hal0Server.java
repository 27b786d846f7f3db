package dev.hal0.server;

import dev.hal0.gateway.Gateway;
import dev.hal0.gateway.GatewayPolicy;
import dev.hal0.gateway.GatewayRoute;
import dev.hal0.gateway.ModelListing;
import dev.hal0.gateway.RequestIds;
import dev.hal0.gateway.Responses;
import dev.hal0.gateway.Spool;
import dev.hal0.hardware.Host;
import dev.hal0.helper.HelperClient;
import dev.hal0.journal.EventRow;
import dev.hal0.journal.Journal;
import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.EventBus;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.HomeDirectory;
import dev.hal0.kernel.ScratchFolder;
import dev.hal0.kernel.TomlDocument;
import dev.hal0.kernel.TomlFile;
import dev.hal0.models.GgufReader;
import dev.hal0.models.ModelRegistry;
import dev.hal0.models.RegisteredModel;
import dev.hal0.models.RegistryImport;
import dev.hal0.models.StoreRoot;
import dev.hal0.runtime.engine.LlamaCppEngine;
import dev.hal0.runtime.engine.StarterEngine;
import dev.hal0.runtime.engine.WhisperCppEngine;
import dev.hal0.runtime.install.InstalledEngines;
import dev.hal0.runtime.install.PackageSources;
import dev.hal0.runtime.podman.FamilyRuntime;
import dev.hal0.runtime.podman.PodmanRuntime;
import dev.hal0.runtime.podman.ToolboxImages;
import dev.hal0.runtime.process.ProcessRuntime;
import dev.hal0.slots.Capabilities;
import dev.hal0.slots.EngineCatalog;
import dev.hal0.slots.SlotDefinitions;
import dev.hal0.slots.SlotManager;
import dev.hal0.slots.SlotRuntime;
import dev.hal0.slots.SlotSeeds;
import dev.hal0.slots.profile.Profile;
import dev.hal0.slots.profile.Profiles;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.net.BindException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The composition root: everything is made here, in the order in which it depends on each other, by plain constructors. */
final class Hal0Server implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Hal0Server.class);
    private static final long ACTIVITY_MILLIS = 250;
    private static final long HAND_EDITS_MILLIS = 1_000;
    /** On two cores a second loop only took time from the engines: 0 ms streams fell from 1.24 to 0.85 of nginx's. */
    private static final int EVENT_LOOPS = Math.clamp(Runtime.getRuntime().availableProcessors() / 4, 1, 4);

    private static final long WATCH_MILLIS = 2_000;
    private static final long STOCK_MILLIS = 30_000;

    private final HomeLock lock;
    private final HelperClient helper;
    private final ProxmoxHost proxmox;
    private final Machine machine;
    private final Journal journal;
    private final Metrics metrics;
    private final Vertx vertx;
    private final ExecutorService handlers = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("api-", 0).factory());
    private final SlotManager slots;
    private final ModelRoutes modelRoutes;
    private final Gateway gateway;
    private final InFlightFeed inFlightFeed;
    private final HttpServer http;
    private volatile List<RegisteredModel> knownModels = List.of();

    /**
     * Starts everything; returns when requests are answered.
     *
     * @throws Hal0Exception with a sentence for the person who typed the command
     */
    Hal0Server(HomeDirectory home, String host, int port, Map<String, String> environment, JavaPrograms java) {
        this(home, host, port, environment, java, EVENT_LOOPS);
    }

    /** @param eventLoops that requests are dealt out to; a port of 0 allows only one */
    Hal0Server(
            HomeDirectory home,
            String host,
            int port,
            Map<String, String> environment,
            JavaPrograms java,
            int eventLoops) {
        this(home, host, port, environment, java, eventLoops, InstantSource.system());
    }

    /** @param clock of everything that is dated or waits for a date; durations are measured without it */
    Hal0Server(
            HomeDirectory home,
            String host,
            int port,
            Map<String, String> environment,
            JavaPrograms java,
            int eventLoops,
            InstantSource clock) {
        this.lock = HomeLock.take(home.state());
        // Where the database driver unpacks its native library, once for the whole JVM.
        System.setProperty(
                "org.sqlite.tmpdir", ScratchFolder.emptied(home.scratch()).toString());
        var files = new DurableFiles();
        Settings settings = Settings.read(new TomlFile(home.settingsFile(), files)
                .read()
                .orElseGet(() -> TomlDocument.empty(home.settingsFile().toString())));
        var events = new EventBus(clock);
        this.proxmox = new ProxmoxHost(home, files, Host.real(), events, clock);
        this.machine = new Machine(Host.real(), home, files, clock, proxmox::freeMb, settings.memoryBudgetBytes());
        machine.start();
        this.journal = new Journal(home.journal(), clock);
        this.metrics = new Metrics(Version.current());
        var history = new History(journal, metrics, clock);
        history.started(Version.current());
        events.subscribe(null, event -> journal.record(EventRow.of(event)));
        var registry = new ModelRegistry(new TomlFile(home.modelRegistry(), files), new GgufReader(), clock);
        var programs = new InstalledEngines(
                home.engines(),
                files,
                settings.programs(),
                new PackageSources(
                        settings.mirror().map(URI::create),
                        Path.of("/etc/apt"),
                        Optional.of(home.code().resolve("engines")),
                        settings.keyring().map(Path::of)),
                environment,
                java.starter(home));
        this.helper = new HelperClient(HelperClient.SOCKET);
        SlotRuntime runtime = runtime(settings, home, files, programs, java, environment, clock);
        var engines = new EngineCatalog(
                List.of(
                        new LlamaCppEngine(),
                        new StarterEngine(),
                        new WhisperCppEngine(SecretPath.of(home.state().resolve("engine-path"), files))),
                family -> missing(family, programs));
        var profiles = new Profiles(new TomlFile(home.profiles(), files), profile -> check(profile, engines));
        var definitions = new SlotDefinitions(home.slotDefinitions(), files, settings.slots(), profiles);
        var capabilities = new Capabilities(home.capabilities(), home.configIntent(), files, definitions, registry);
        capabilities.recover();
        boolean firstStart = definitions.list().isEmpty();
        definitions.seed(SlotSeeds.everywhere());
        this.slots = new SlotManager(
                definitions,
                registry,
                engines,
                runtime,
                home.slotStates(),
                files,
                events,
                history,
                machine,
                settings.slots(),
                clock);
        this.modelRoutes = new ModelRoutes(registry, slots, machine);
        this.vertx = Vertx.vertx(new VertxOptions()
                .setPreferNativeTransport(true)
                // Nothing is served from the class path, so nothing has to be unpacked into the folder of temporary
                // files.
                .setFileSystemOptions(new FileSystemOptions()
                        .setClassPathResolvingEnabled(false)
                        .setFileCachingEnabled(false)));
        var policy = new GatewayPolicy(
                settings.maxBodyBytes(),
                settings.slots().loadBudget().plus(Duration.ofSeconds(20)),
                GatewayPolicy.DEFAULT.holdHeaders(),
                GatewayPolicy.DEFAULT.progressEvery(),
                settings.streamIdle(),
                settings.streamTotal(),
                GatewayPolicy.DEFAULT.nonStreamTotal(),
                settings.unknownModelsToDefault());
        this.gateway = new Gateway(
                vertx,
                slots,
                new ModelListing(slots, () -> knownModels),
                policy,
                new Spool(home.state().resolve("spool")),
                history,
                clock);
        this.inFlightFeed = new InFlightFeed(gateway, slots, clock);
        refreshModels(registry);
        slots.start();
        seedNpu();
        if (firstStart) {
            // Embeddings answer on a box where nobody has configured anything: the model ships with hal0.
            slots.load(new dev.hal0.kernel.SlotName("embed"), Optional.empty(), false);
        }
        String version = Version.current();
        this.http = listen(
                router(settings, version, home, engines, programs, events, registry, capabilities, files, environment),
                host,
                port,
                eventLoops);
        vertx.setPeriodic(ACTIVITY_MILLIS, ignored -> handlers.execute(slots::publishActivity));
        vertx.setPeriodic(ACTIVITY_MILLIS, ignored -> handlers.execute(inFlightFeed::tick));
        vertx.setPeriodic(WATCH_MILLIS, ignored -> slots.watch());
        vertx.setPeriodic(STOCK_MILLIS, ignored -> handlers.execute(proxmox::refresh));
        vertx.setPeriodic(STOCK_MILLIS, ignored -> handlers.execute(slots::takeStock));
        vertx.setPeriodic(
                HAND_EDITS_MILLIS,
                ignored -> handlers.execute(() -> {
                    slots.definitionsChanged();
                    refreshModels(registry);
                }));
    }

    private SlotRuntime runtime(
            Settings settings,
            HomeDirectory home,
            DurableFiles files,
            InstalledEngines programs,
            JavaPrograms java,
            Map<String, String> environment,
            InstantSource clock) {
        var processes = new ProcessRuntime(home.slotStates(), files, programs, java.logWriter(), environment);
        var choice = new RuntimeChoice(home.runtimeDecision(), HelperClient.SOCKET, files, clock);
        return switch (choice.decide(settings.runtime())) {
            case PROCESS -> processes;
            case PODMAN, AUTO ->
                new FamilyRuntime(new PodmanRuntime(helper, new ToolboxImages(environment), files), processes);
        };
    }

    /** What has to be done before a family can be started; fetching llama.cpp is the first load's own business. */
    private static Optional<String> missing(String family, InstalledEngines programs) {
        return family.equals(WhisperCppEngine.FAMILY) && programs.find(family).isEmpty()
                ? Optional.of("put whisper-server on PATH, or its path into [engines].whisper_server of hal0.toml.")
                : Optional.empty();
    }

    private static void check(Profile profile, EngineCatalog engines) {
        engines.list().stream()
                .filter(engine -> engine.family().equals(profile.engine()))
                .forEach(engine -> engine.checkFlags("flags", profile.flags()));
    }

    /** Known only when the probe has ended, which may take a while. */
    private void seedNpu() {
        var unused = machine.firstProbe()
                .thenRunAsync(
                        () -> {
                            if (machine.report()
                                    .map(report -> report.npu().present())
                                    .orElse(false)) {
                                slots.definitions().seed(SlotSeeds.npu());
                                slots.definitionsChanged();
                            }
                        },
                        handlers)
                .exceptionally(failure -> {
                    log.warn("the NPU's slots could not be written", failure);
                    return null;
                });
    }

    /** The last readable content stays in force for listings: unreadable is not empty. */
    private void refreshModels(ModelRegistry registry) {
        try {
            knownModels = registry.list();
        } catch (Hal0Exception unreadable) {
            log.debug("the registry cannot be read: {}", unreadable.message());
        }
    }

    private Router router(
            Settings settings,
            String version,
            HomeDirectory home,
            EngineCatalog engines,
            InstalledEngines programs,
            EventBus events,
            ModelRegistry registry,
            Capabilities capabilities,
            DurableFiles files,
            Map<String, String> environment) {
        var routes = new ArrayList<ApiRoute>();
        routes.addAll(
                new SystemRoutes(version, home.config().toString(), slots, modelRoutes::ownModels, gateway::isDraining)
                        .routes());
        routes.addAll(new SlotRoutes(slots, events).routes());
        routes.addAll(new RouteRoutes(gateway).routes());
        routes.addAll(new ProfileRoutes(slots).routes());
        routes.addAll(new CapabilityRoutes(slots, capabilities, machine).routes());
        routes.addAll(modelRoutes.routes());
        routes.addAll(new ModelDiscoveryRoutes(
                        registry,
                        StoreRoot.of(environment, settings.models(), home),
                        slots,
                        new RegistryImport(files, new GgufReader(), InstantSource.system()),
                        home,
                        environment)
                .routes());
        routes.addAll(new EngineRoutes(engines, programs, slots).routes());
        routes.addAll(new StreamRoutes(events, inFlightFeed).routes());
        routes.addAll(new HistoryRoutes(journal, slots).routes());
        routes.addAll(new InFlightRoutes(gateway, inFlightFeed).routes());
        routes.addAll(new CaptureRoutes(gateway.captures()).routes());
        routes.addAll(new MetricsRoutes(metrics, this::observed).routes());
        routes.addAll(new HardwareRoutes(machine).routes());
        routes.addAll(new ProxmoxRoutes(proxmox.watch()).routes());
        routes.add(ApiRoute.get(
                "/api/openapi.json",
                "This description.",
                null,
                request -> ApiAnswer.ok(OpenApi.describe(version, routes, gatewayPaths()))));

        var guard = new OriginGuard(settings.allowedHosts(), machineName());
        Router router = Router.router(vertx);
        router.errorHandler(400, Responses::malformed);
        router.route().handler(RequestIds::assign);
        router.route().handler(context -> guard(guard, context));
        gateway.mount(router);
        new ApiRouter(vertx, handlers).mount(router, routes);
        router.route("/").handler(context -> welcome(context, version));
        router.route()
                .handler(context -> Responses.fail(
                        context,
                        new Hal0Exception(
                                ErrorCode.ROUTE_NOT_FOUND,
                                "No route " + context.request().path() + ".")));
        router.route().failureHandler(context -> {
            Throwable failure = context.failure();
            log.error("request {} failed", RequestIds.of(context), failure);
            Responses.fail(
                    context,
                    failure instanceof Hal0Exception known
                            ? known
                            : new Hal0Exception(
                                    ErrorCode.SYSTEM_INTERNAL, "hal0 failed at this; its log has the details."));
        });
        return router;
    }

    private Metrics.Now observed() {
        return new Metrics.Now(
                slots.list(), gateway.requests(), journal.status(), machine.budgetBytes(), machine.freeBytes());
    }

    private static void guard(OriginGuard guard, RoutingContext context) {
        guard.refuse(context.request().getHeader("Host"), context.request().getHeader("Origin"))
                .ifPresentOrElse(why -> Responses.fail(context, why), context::next);
    }

    private static void welcome(RoutingContext context, String version) {
        var unused = context.response()
                .putHeader("Content-Type", "text/plain; charset=utf-8")
                .end("hal0 " + version + "\n\nAPI: /v1 (OpenAI-compatible), /api (see /api/openapi.json)\n"
                        + "The dashboard is not built yet; use the hal0 command.\n");
    }

    private static Map<String, Object> gatewayPaths() {
        var paths = new TreeMap<String, Object>();
        for (GatewayRoute route : GatewayRoute.ALL) {
            var operation = new LinkedHashMap<String, Object>();
            operation.put("summary", route.summary());
            if (route.takesBody()) {
                String type = route.takesForm() ? "multipart/form-data" : "application/json";
                operation.put(
                        "requestBody", Map.of("content", Map.of(type, Map.of("schema", Map.of("type", "object")))));
            }
            String method = route.method().name().toLowerCase(Locale.ROOT);
            paths.put(route.path(), Map.of(method, operation));
            route.aliases().forEach(alias -> paths.put(alias, Map.of(method, operation)));
        }
        return paths;
    }

    private HttpServer listen(Router router, String host, int port, int eventLoops) {
        var options = new HttpServerOptions()
                .setHost(host)
                .setPort(port)
                .setTcpNoDelay(true)
                // One protocol, one set of endings: a client that leaves is a closed connection and nothing else.
                .setHttp2ClearTextEnabled(false)
                .setMaxHeaderSize(32 << 10)
                .setMaxInitialLineLength(16 << 10);
        try {
            var servers = new ConcurrentLinkedQueue<HttpServer>();
            // Instances of one deployment share the port, each with an event loop of its own; a port that is chosen
            // when it
            // is bound cannot be shared.
            vertx.deployVerticle(
                            () -> new VerticleBase() {
                                @Override
                                public Future<?> start() {
                                    return vertx.createHttpServer(options)
                                            .requestHandler(router)
                                            .listen()
                                            .onSuccess(servers::add);
                                }
                            },
                            new DeploymentOptions().setInstances(port == 0 ? 1 : eventLoops))
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get(30, TimeUnit.SECONDS);
            return servers.element();
        } catch (java.util.concurrent.ExecutionException failure) {
            close();
            if (failure.getCause() instanceof BindException) {
                throw new Hal0Exception(
                        ErrorCode.SLOT_PORT_CONFLICT,
                        "Port " + port + " on " + host
                                + " is in use. Choose another with --port, or stop what listens there.");
            }
            throw new Hal0Exception(
                    ErrorCode.SYSTEM_INTERNAL,
                    "Could not listen on " + host + ":" + port + ": " + failure.getCause(),
                    failure);
        } catch (InterruptedException | java.util.concurrent.TimeoutException failure) {
            close();
            throw new Hal0Exception(
                    ErrorCode.SYSTEM_INTERNAL, "Could not listen on " + host + ":" + port + " in time.");
        }
    }

    int port() {
        return http.actualPort();
    }

    /** What to type next; empty when a chat works. */
    Optional<String> nextStep() {
        return Optional.ofNullable(SystemRoutes.nextStep(slots.list(), modelRoutes.ownModels()));
    }

    /** Refuses new requests and waits for those under way; how many were ended at the deadline is the result. */
    int drain(Duration deadline) {
        try {
            return gateway.drain(deadline)
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get(deadline.toMillis() + 5_000, TimeUnit.MILLISECONDS)
                    .cut();
        } catch (InterruptedException
                | java.util.concurrent.ExecutionException
                | java.util.concurrent.TimeoutException over) {
            return gateway.inFlight();
        }
    }

    int inFlight() {
        return gateway.inFlight();
    }

    private static String machineName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException nameless) {
            return "localhost";
        }
    }

    /** Ends the control plane; workloads keep running. */
    @Override
    public void close() {
        slots.close();
        var unused = gateway.close();
        try {
            // Timers end with the event loops, before the threads they hand their work to.
            vertx.close().toCompletionStage().toCompletableFuture().get(5, TimeUnit.SECONDS);
            handlers.shutdownNow();
            machine.close();
            journal.close();
            helper.close();
            lock.close();
        } catch (Exception lastWords) {
            log.debug("closing", lastWords);
        }
    }
}
