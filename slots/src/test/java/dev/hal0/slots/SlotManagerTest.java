package dev.hal0.slots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.EventBus;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.models.ModelCapability;
import dev.hal0.models.ModelCatalog;
import dev.hal0.models.RegisteredModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 30, unit = TimeUnit.SECONDS)
class SlotManagerTest {
    private static final SlotName OWN = new SlotName("own");
    private static final SlotPolicy POLICY = new SlotPolicy(
            Duration.ofSeconds(20),
            Duration.ofMillis(1),
            Duration.ofSeconds(1),
            Duration.ofSeconds(2),
            8081,
            8099,
            ResidencyLimits.NONE);

    @TempDir
    private Path folder;

    private final FakeSlotRuntime runtime = new FakeSlotRuntime();
    private final FakeEngine engine = new FakeEngine();
    private final SwitchableDisk disk = new SwitchableDisk();
    private @Nullable SlotManager opened;

    @BeforeEach
    void define() throws IOException {
        Files.createDirectories(folder.resolve("slots"));
        Files.writeString(folder.resolve("slots/own.toml"), "port = 8085\nmodel.default = \"small\"\n");
        open();
    }

    @AfterEach
    void close() {
        manager().close();
    }

    @Test
    void hundredCallers_causeOneLaunch() {
        var callers = new ArrayList<CompletableFuture<Void>>();
        for (int i = 0; i < 100; i++) {
            callers.add(manager().ensureReady(OWN, message -> {}).toCompletableFuture());
        }

        CompletableFuture.allOf(callers.toArray(CompletableFuture[]::new)).join();

        assertThat(runtime.launches).hasSize(1);
        assertThat(manager().view(OWN).state()).isEqualTo(SlotState.READY);
    }

    @Test
    void callerThatGivesUp_doesNotCancelTheOthers() {
        runtime.holdLaunches();
        CompletableFuture<Void> impatient =
                manager().ensureReady(OWN, message -> {}).toCompletableFuture();
        CompletableFuture<Void> patient =
                manager().ensureReady(OWN, message -> {}).toCompletableFuture();

        impatient.cancel(true);
        runtime.releaseLaunches();

        patient.join();
    }

    @Test
    void failedLaunch_failsEveryCallerWithItsReason() {
        runtime.refuseLaunches();

        assertThat(failure(manager().ensureReady(OWN, message -> {}).toCompletableFuture())
                        .code())
                .isEqualTo(ErrorCode.SLOT_SPAWN_FAILED);
        assertThat(manager().view(OWN).state()).isEqualTo(SlotState.ERROR);
    }

    @Test
    void disabledSlot_isNotLoaded() throws IOException {
        Files.writeString(
                folder.resolve("slots/own.toml"), "port = 8085\nenabled = false\nmodel.default = \"small\"\n");

        assertThat(failure(manager().ensureReady(OWN, message -> {}).toCompletableFuture())
                        .code())
                .isEqualTo(ErrorCode.SLOT_DISABLED);
        assertThat(runtime.launches).isEmpty();
    }

    @Test
    void readySlot_isRoutedToItsIncarnation() {
        load("small");

        Route route = manager().routes().slot(OWN).orElseThrow();

        assertThat(route.target())
                .hasValueSatisfying(target -> assertThat(target.incarnation())
                        .isEqualTo(runtime.launches.getFirst().incarnation()));
        assertThat(route.modelId()).contains("small");
    }

    @Test
    void loadOfAnotherModel_bindsItWhenItIsReady() {
        load("small");

        Operation operation = load("large");

        assertThat(operation.status()).isEqualTo(Operation.Status.SUCCEEDED);
        await().untilAsserted(() ->
                assertThat(manager().definitions().require(OWN).modelId()).contains("large"));
        assertThat(runtime.alive()).hasSize(1);
    }

    @Test
    void failedSwap_bringsThePreviousModelBack_andSaysSo() {
        load("small");
        engine.differences.put("large", List.of("n_ctx is 512"));

        Operation operation = load("large");

        assertThat(operation.status()).isEqualTo(Operation.Status.FAILED);
        assertThat(operation.message()).contains("n_ctx is 512").endsWith("Slot own goes back to model small.");
        assertThat(manager().definitions().require(OWN).modelId()).contains("small");
        await().untilAsserted(() -> {
            assertThat(manager().view(OWN).state()).isEqualTo(SlotState.READY);
            assertThat(manager().routes().slot(OWN).orElseThrow().modelId()).contains("small");
        });
        assertThat(runtime.alive()).hasSize(1);
    }

    @Test
    void driftOfARunningSlot_namesWhatARestartWouldChange() throws IOException {
        assertThat(manager().drift(OWN).live()).isFalse();
        load("small");
        assertThat(manager().drift(OWN).differences()).isEmpty();

        Files.writeString(folder.resolve("slots/own.toml"), "port = 8085\nmodel.default = \"large\"\n");

        assertThat(manager().drift(OWN).differences())
                .contains(new LaunchDrift.Difference("--model", "small", "large", "hal0"));
        assertThat(manager().explain(OWN).reasons())
                .anySatisfy(reason -> assertThat(reason.because()).contains("--model is small, configured is large"));
    }

    /** Guards against a slot that stays doubted for as long as a load may take, although its engine has nothing to load. */
    @Test
    void engineThatFallsSilent_isStartedAnew() {
        load("small");
        Incarnation first = manager().view(OWN).incarnation();
        engine.health.set(new Health.Unreachable("refused"));
        manager().doubt(OWN, java.util.Objects.requireNonNull(first), "no connection");
        await().untilAsserted(() -> assertThat(manager().view(OWN).state()).isEqualTo(SlotState.ERROR));
        assertThat(manager().view(OWN).message()).contains("not ready after").contains("refused");
        assertThat(manager().view(OWN).retryAt()).isNotNull();

        engine.health.set(new Health.Ready());

        await().untilAsserted(() -> assertThat(manager().view(OWN).state()).isEqualTo(SlotState.READY));
        assertThat(manager().view(OWN).incarnation()).isNotEqualTo(first);
    }

    @Test
    void unknownModel_isRefusedBeforeAnythingStops() {
        load("small");

        assertThatThrownBy(() -> manager().load(OWN, Optional.of("absent"), false))
                .isInstanceOfSatisfying(
                        Hal0Exception.class, why -> assertThat(why.code()).isEqualTo(ErrorCode.MODEL_NOT_FOUND));

        assertThat(runtime.alive()).hasSize(1);
    }

    @Test
    void delete_unloadsFirst() {
        load("small");

        Operation deletion = ended(manager().delete(OWN, false));

        assertThat(deletion.status()).isEqualTo(Operation.Status.SUCCEEDED);
        assertThat(runtime.stops).isEqualTo(runtime.launches);
        assertThat(runtime.forgotten).containsExactly(OWN);
        assertThat(folder.resolve("slots/own.toml")).doesNotExist();
        await().untilAsserted(() ->
                assertThat(folder.resolve("states/own/state.json")).doesNotExist());
    }

    @Test
    void deleteOfABusySlot_failsAndKeepsIt() {
        load("small");
        Lease inside = enter();

        Operation deletion = ended(manager().delete(OWN, false));

        assertThat(deletion.status()).isEqualTo(Operation.Status.FAILED);
        assertThat(manager().view(OWN).state()).isEqualTo(SlotState.SERVING);
        inside.leave();
    }

    @Test
    void forcedUnload_tellsThoseInside() {
        load("small");
        Lease inside = enter();
        inside.onRevoke(cause -> inside.leave());

        Operation unload = ended(manager().unload(OWN, true));

        assertThat(unload.status()).isEqualTo(Operation.Status.SUCCEEDED);
        assertThat(runtime.alive()).isEmpty();
    }

    @Test
    void unloadDuringALoad_cancelsIt() throws InterruptedException {
        runtime.holdLaunches();
        Operation load = manager().load(OWN, Optional.empty(), false);
        runtime.launchBegan.await();

        Operation unload = manager().unload(OWN, false);
        runtime.releaseLaunches();

        assertThat(ended(load).status()).isEqualTo(Operation.Status.CANCELLED);
        assertThat(ended(unload).status()).isEqualTo(Operation.Status.SUCCEEDED);
        assertThat(runtime.alive()).isEmpty();
        assertThat(manager().view(OWN).state()).isEqualTo(SlotState.OFFLINE);
    }

    @Test
    void crash_isShownAndTheNextRequestLoadsAgain() {
        load("small");

        runtime.kill(runtime.alive().getFirst());

        await().untilAsserted(() -> assertThat(manager().view(OWN).cause()).isEqualTo(CauseCode.ENGINE_EXITED));
        manager().ensureReady(OWN, message -> {}).toCompletableFuture().join();
        assertThat(runtime.launches).hasSize(2);
    }

    @Test
    void doubtedSlot_isNotRoutedUntilItAnswers() {
        load("small");
        Incarnation life = runtime.alive().getFirst().incarnation();
        engine.health.set(new Health.Unreachable("refused"));

        manager().doubt(OWN, life, "refused");

        await().untilAsserted(() ->
                assertThat(manager().routes().slot(OWN).orElseThrow().target()).isEmpty());
        engine.health.set(new Health.Ready());
        await().untilAsserted(() ->
                assertThat(manager().routes().slot(OWN).orElseThrow().target()).isPresent());
        assertThat(runtime.launches).hasSize(1);
    }

    /** Guards against "never used" on a slot that was used before an update. */
    @Test
    void lastUse_isKnownToTheNextControlPlane() throws Exception {
        load("small");
        assertThat(manager().view(OWN).lastUsedAt()).isNull();
        manager()
                .routes()
                .slot(OWN)
                .orElseThrow()
                .admission()
                .enter(new Claim("anyone", Priority.INTERACTIVE))
                .get()
                .leave();
        Instant used = Objects.requireNonNull(manager().view(OWN).lastUsedAt());

        reopen();

        assertThat(manager().view(OWN).lastUsedAt()).isNotNull().isBetween(used.minusSeconds(5), used.plusSeconds(5));
    }

    /** Guards against a request that waits for an operation nobody will ever end. */
    @Test
    void closedControlPlane_leavesNobodyWaiting() {
        runtime.holdLaunches();
        CompletableFuture<Void> waiting =
                manager().ensureReady(OWN, message -> {}).toCompletableFuture();
        await().until(() -> !manager().operations().isEmpty());

        manager().close();

        assertThat(failure(waiting).code()).isEqualTo(ErrorCode.OPERATION_CANCELLED);
        runtime.releaseLaunches();
    }

    @Test
    void nextControlPlane_adoptsWhatRuns() {
        load("small");

        reopen();

        await().untilAsserted(() -> assertThat(manager().view(OWN).state()).isEqualTo(SlotState.READY));
        assertThat(manager().view(OWN).incarnation())
                .isEqualTo(runtime.launches.getFirst().incarnation());
        assertThat(runtime.launches).hasSize(1);
        assertThat(runtime.stops).isEmpty();
    }

    @Test
    void nextControlPlane_loadsWhatShouldRunAndDoesNot() {
        load("small");
        manager().close();
        runtime.kill(runtime.alive().getFirst());

        open();

        await().untilAsserted(() -> assertThat(manager().view(OWN).state()).isEqualTo(SlotState.READY));
        assertThat(runtime.launches).hasSize(2);
    }

    @Test
    void nextControlPlane_leavesAnUnloadedSlotAlone() {
        load("small");
        ended(manager().unload(OWN, false));

        reopen();

        assertThat(manager().view(OWN).state()).isEqualTo(SlotState.OFFLINE);
        assertThat(runtime.launches).hasSize(1);
    }

    @Test
    void nextControlPlane_stopsWhatHasNoDefinition() throws IOException {
        load("small");
        manager().close();
        Files.delete(folder.resolve("slots/own.toml"));

        open();

        await().untilAsserted(() -> assertThat(runtime.alive()).isEmpty());
    }

    @Test
    void fullDisk_startsNothing() {
        disk.fill();

        Operation load = load("small");

        assertThat(load.status()).isEqualTo(Operation.Status.FAILED);
        assertThat(load.message()).contains("No space left");
        assertThat(runtime.launches).isEmpty();

        disk.free();
        assertThat(load("small").status()).isEqualTo(Operation.Status.SUCCEEDED);
    }

    @Test
    void workloadThatSurvivesItsStop_isShownAndCanBeStoppedLater() {
        load("small");
        runtime.surviveStops(true);

        assertThat(ended(manager().unload(OWN, false)).status()).isEqualTo(Operation.Status.FAILED);
        assertThat(manager().view(OWN).cause()).isEqualTo(CauseCode.STOP_TIMEOUT);

        runtime.surviveStops(false);
        assertThat(ended(manager().unload(OWN, false)).status()).isEqualTo(Operation.Status.SUCCEEDED);
        assertThat(runtime.alive()).isEmpty();
    }

    private SlotManager manager() {
        return java.util.Objects.requireNonNull(opened);
    }

    private void reopen() {
        manager().close();
        open();
    }

    private void open() {
        var files = new DurableFiles(disk);
        InstantSource clock = InstantSource.system();
        opened = new SlotManager(
                new SlotDefinitions(folder.resolve("slots"), files, POLICY),
                new TwoModels(),
                new EngineCatalog(List.of(engine)),
                runtime,
                folder.resolve("states"),
                files,
                new EventBus(clock),
                new NoHistory(),
                SlotMemory.UNKNOWN,
                POLICY,
                clock);
        manager().start();
    }

    private Operation load(String model) {
        return ended(manager().load(OWN, Optional.of(model), false));
    }

    private Operation ended(Operation operation) {
        return manager().ended(operation.id()).toCompletableFuture().join();
    }

    private Lease enter() {
        return manager()
                .routes()
                .slot(OWN)
                .orElseThrow()
                .admission()
                .enter(new Claim("anyone", Priority.INTERACTIVE))
                .join();
    }

    private static Hal0Exception failure(CompletableFuture<?> future) {
        CompletionException thrown = catchThrowableOfType(CompletionException.class, future::join);
        return Failures.of(thrown);
    }

    static final class TwoModels implements ModelCatalog {
        @Override
        public List<RegisteredModel> list() {
            return List.of(model("small"), model("large"));
        }

        @Override
        public Optional<RegisteredModel> find(String id) {
            return list().stream().filter(model -> model.id().equals(id)).findFirst();
        }

        @Override
        public RegisteredModel require(String id) {
            return find(id).orElseThrow(() -> new Hal0Exception(ErrorCode.MODEL_NOT_FOUND, "No model " + id));
        }

        private static RegisteredModel model(String id) {
            return new RegisteredModel(
                    id,
                    id,
                    Optional.empty(),
                    0,
                    "",
                    "",
                    4096,
                    true,
                    Set.of(ModelCapability.CHAT),
                    List.of("fake"),
                    Instant.EPOCH,
                    false);
        }
    }

    static final class NoHistory implements OperationLog {
        @Override
        public void transition(
                SlotName slot,
                SlotState from,
                SlotEdge edge,
                SlotState to,
                CauseCode cause,
                String message,
                Optional<Incarnation> incarnation) {}

        @Override
        public void reserved(
                SlotName slot,
                CauseCode cause,
                Lane lane,
                String pool,
                java.util.OptionalLong bytes,
                java.util.OptionalLong budgetBytes) {}

        @Override
        public void revoked(SlotName slot, Incarnation incarnation, RevokeCause cause, int cut) {}

        @Override
        public void operation(Operation operation) {}
    }
}
