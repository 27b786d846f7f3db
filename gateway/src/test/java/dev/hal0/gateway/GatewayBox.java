package dev.hal0.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import dev.hal0.models.ModelCapability;
import dev.hal0.models.RegisteredModel;
import dev.hal0.slots.SlotType;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.slf4j.LoggerFactory;

/**
 * The real gateway on a real port, one fake engine and a ready slot {@code chat} in front of it. Closing it fails the test if
 * an event loop was blocked, a handler threw, a lease was kept or an exchange was forgotten.
 */
final class GatewayBox implements AutoCloseable {
    static final String CHAT = "/v1/chat/completions";
    static final Duration PATIENCE = Duration.ofSeconds(15);

    /** Longer than anything here computes, shorter than anything that waits. */
    private static final Duration BLOCKED = Duration.ofMillis(1_000);

    /** Short where a test waits for it, long where a test must not meet it. */
    static final GatewayPolicy POLICY = new GatewayPolicy(
            1 << 20,
            Duration.ofSeconds(30),
            Duration.ofMillis(150),
            Duration.ofMillis(50),
            Duration.ofSeconds(30),
            Duration.ofSeconds(60),
            Duration.ofSeconds(60),
            false);

    /** As in the product. */
    private static final int MEMORY_BYTES = 8 << 20;

    final Vertx vertx;
    final FakeEngineServer engine = new FakeEngineServer();
    final TestingSlotControl slots = new TestingSlotControl();
    final TestingSlotControl.Slot chat;
    final Gateway gateway;
    final List<Accounting.Ended> ended = new CopyOnWriteArrayList<>();
    final List<RegisteredModel> models = new CopyOnWriteArrayList<>();
    final List<String> defects = new CopyOnWriteArrayList<>();
    private final HttpServer server;
    private final AppenderBase<ILoggingEvent> watcher;

    GatewayBox() {
        this(POLICY);
    }

    GatewayBox(GatewayPolicy policy) {
        this(policy, new Spool(MEMORY_BYTES, GatewayBox::noFile));
    }

    GatewayBox(GatewayPolicy policy, Spool spool) {
        watcher = watchLogs();
        vertx = Vertx.vertx(new VertxOptions()
                .setPreferNativeTransport(true)
                .setEventLoopPoolSize(2)
                .setBlockedThreadCheckInterval(100)
                .setMaxEventLoopExecuteTimeUnit(TimeUnit.MILLISECONDS)
                .setMaxEventLoopExecuteTime(BLOCKED.toMillis()));
        vertx.exceptionHandler(defect -> defects.add("unhandled: " + defect));
        chat = slots.add("chat", SlotType.LLM)
                .model("tiny")
                .on(engine)
                .byDefault()
                .ready();
        gateway = new Gateway(
                vertx, slots, new ModelListing(slots, () -> models), policy, spool, ended::add, InstantSource.system());
        Router router = Router.router(vertx);
        router.route().handler(RequestIds::assign);
        router.errorHandler(400, Responses::malformed);
        gateway.mount(router);
        server = get(vertx.createHttpServer().requestHandler(router).listen(0, "127.0.0.1"));
    }

    static GatewayPolicy policy(Duration loadBudget, Duration idle, Duration total, Duration nonStreamTotal) {
        return new GatewayPolicy(
                POLICY.maxBodyBytes(),
                loadBudget,
                POLICY.holdHeaders(),
                POLICY.progressEvery(),
                idle,
                total,
                nonStreamTotal,
                false);
    }

    private static FileChannel noFile() throws IOException {
        throw new IOException("this test has no disk");
    }

    int port() {
        return server.actualPort();
    }

    static String body(String model, boolean stream) {
        return "{\"model\":\"" + model + "\",\"stream\":" + stream + ",\"messages\":[{\"role\":\"user\"}]}";
    }

    RawClient.Reply post(String path, String body, String... headers) throws IOException {
        return RawClient.exchange(port(), "POST", path, body, headers);
    }

    RawClient.Reply get(String path) throws IOException {
        return RawClient.exchange(port(), "GET", path, "");
    }

    /** A streamed chat that has been sent; the caller reads and closes it. */
    RawClient stream() throws IOException {
        var client = new RawClient(port());
        client.send("POST", CHAT, body("chat", true));
        return client;
    }

    FakeEngineServer.Call engineCall() {
        await().atMost(PATIENCE).until(() -> !engine.calls.isEmpty());
        return engine.calls.getFirst();
    }

    /** What accounting heard of the only request. */
    Accounting.Ended account() {
        await().atMost(PATIENCE).until(() -> !ended.isEmpty());
        assertThat(ended).hasSize(1);
        return ended.getFirst();
    }

    void awaitInside(int count) {
        await().atMost(PATIENCE).until(() -> chat.gate.inside() == count);
    }

    void model(String id, ModelCapability capability) {
        models.add(registered(id, capability));
    }

    static RegisteredModel registered(String id, ModelCapability capability) {
        return new RegisteredModel(
                id,
                id,
                Optional.of(Path.of("/models/" + id)),
                1,
                "llama",
                "Q4_K_M",
                2048,
                true,
                Set.of(capability),
                List.of("testing"),
                Instant.ofEpochSecond(1_700_000_000),
                false);
    }

    static <T> T get(Future<T> future) {
        try {
            return future.toCompletionStage().toCompletableFuture().get(15, TimeUnit.SECONDS);
        } catch (Exception failure) {
            throw new AssertionError("did not complete", failure);
        }
    }

    private AppenderBase<ILoggingEvent> watchLogs() {
        var appender = new AppenderBase<ILoggingEvent>() {
            @Override
            protected void append(ILoggingEvent event) {
                String message = event.getFormattedMessage();
                if (message.contains("has been blocked")
                        || event.getLoggerName().startsWith("dev.hal0")) {
                    defects.add(event.getLoggerName() + ": " + message);
                }
            }
        };
        appender.start();
        root().addAppender(appender);
        return appender;
    }

    private static Logger root() {
        return (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    }

    /** For the one test of this class itself. */
    void forgiveDefects() {
        defects.clear();
    }

    @Override
    public void close() {
        try {
            engine.close();
            await().atMost(PATIENCE).until(() -> gateway.inFlight() == 0);
            assertThat(gateway.requests()).isEmpty();
            assertThat(chat.gate.inside()).as("leases kept").isZero();
            assertThat(chat.queue.length()).as("places kept").isZero();
            assertThat(defects).isEmpty();
            assertThat(engine.complaints).isEmpty();
        } finally {
            root().detachAppender(watcher);
            get(gateway.close());
            get(vertx.close());
        }
    }
}
