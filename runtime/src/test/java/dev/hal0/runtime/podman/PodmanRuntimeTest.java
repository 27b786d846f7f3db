package dev.hal0.runtime.podman;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hal0.helper.ContainerPlan;
import dev.hal0.kernel.DeviceClass;
import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.CauseCode;
import dev.hal0.slots.ContainerFacts;
import dev.hal0.slots.Exit;
import dev.hal0.slots.Gate;
import dev.hal0.slots.Incarnation;
import dev.hal0.slots.LaunchDrift;
import dev.hal0.slots.LaunchPlan;
import dev.hal0.slots.SlotLog;
import dev.hal0.slots.Workload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PodmanRuntimeTest {
    private static final SlotName SLOT = new SlotName("chat");
    private static final String NONCE = "n".repeat(32);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final FakeHost host = new FakeHost();
    private final AtomicBoolean mainProcessLives = new AtomicBoolean(true);

    @TempDir
    Path home;

    private PodmanRuntime runtime() {
        return new PodmanRuntime(
                host,
                new ToolboxImages(Map.of()),
                new DurableFiles(),
                slot -> new FixedLog(),
                new CgroupMemory(home),
                pid -> mainProcessLives.get() ? Optional.of("born-" + pid) : Optional.empty());
    }

    private record FixedLog() implements SlotLog {
        @Override
        public List<String> tail(int lines) {
            return List.of("last words");
        }

        @Override
        public AutoCloseable follow(int backfill, Consumer<String> listener) {
            throw new UnsupportedOperationException();
        }
    }

    private LaunchPlan plan(String image) {
        return new LaunchPlan(
                        SLOT,
                        "llama.cpp",
                        "llama-server",
                        List.of("--host", "127.0.0.1", "--port", "8081"),
                        Map.of("A", "b"),
                        List.of(Path.of("/models/tiny.gguf")),
                        home.resolve("slots/chat/engine.key"),
                        "tiny",
                        "127.0.0.1",
                        8081,
                        1,
                        Map.of())
                .withContainer(ContainerFacts.sealed(image, DeviceClass.NONE, "--host"));
    }

    private static Workload workload(String invocation) {
        return new Workload(SLOT, NONCE, new Incarnation(invocation));
    }

    @Test
    void launchedWorkload_isFoundByItsLaunchAlone() {
        Workload launched = runtime().launch(plan("cpu"), NONCE, "key");

        assertThat(launched).isEqualTo(workload(FakeHost.FIRST));
        assertThat(runtime().find(SLOT, NONCE)).contains(launched);
        assertThat(runtime().find(SLOT, "another")).isEmpty();
    }

    /** Inside its own network an engine on loopback would be unreachable; the plan that is shown and hashed stays as it is. */
    @Test
    void engine_listensOnAllAddressesInsideOnly() {
        runtime().launch(plan("cpu"), NONCE, "key");

        ContainerPlan launched = host.launched.orElseThrow();
        assertThat(launched.arguments()).containsExactly("--host", "0.0.0.0", "--port", "8081");
        assertThat(launched.planHash()).isEqualTo(plan("cpu").hash());
    }

    @Test
    void key_goesBesideThePlanAndIntoOurOwnFile() throws IOException {
        runtime().launch(plan("cpu"), NONCE, "secret");

        assertThat(host.key).isEqualTo("secret");
        assertThat(host.launched).asString().doesNotContain("secret");
        assertThat(Files.readString(home.resolve("slots/chat/engine.key"))).isEqualTo("secret\n");
    }

    @Test
    void startUnderWay_isWaitedForAndAdopted() {
        host.shows(
                FakeHost.starting(FakeHost.FIRST),
                FakeHost.starting(FakeHost.FIRST),
                FakeHost.running(FakeHost.FIRST, NONCE));

        assertThat(runtime().find(SLOT, NONCE)).contains(workload(FakeHost.FIRST));
    }

    /** P6: what only the machine can see is part of the drift report. */
    @Test
    void imageThatIsNoLongerTheSame_isADifference() {
        assertThat(runtime().differences(plan("cpu")))
                .containsExactly(new LaunchDrift.Difference("container image", "old", "new", null));
    }

    /** systemd restarted it while no control plane lived: another life of the same launch. */
    @Test
    void laterLifeOfTheSameLaunch_isAdopted() {
        host.shows(FakeHost.running(FakeHost.SECOND, NONCE));

        assertThat(runtime().find(SLOT, NONCE)).contains(workload(FakeHost.SECOND));
    }

    @Test
    void helperThatCannotBeAsked_isNotAnAbsentWorkload() {
        host.unreachable = true;

        assertThatThrownBy(() -> runtime().find(SLOT, NONCE)).isInstanceOf(Hal0Exception.class);
    }

    @Test
    void stop_takesAProofForThisLife() {
        var gate = new Gate();
        gate.prepare(new Incarnation(FakeHost.FIRST));
        var proof = gate.tryClose(new Incarnation(FakeHost.FIRST)).orElseThrow();

        assertThatThrownBy(() -> runtime().stop(workload(FakeHost.SECOND), proof, Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class);
        runtime().stop(workload(FakeHost.FIRST), proof, Duration.ZERO);

        assertThat(host.calls).containsExactly("stop " + FakeHost.FIRST);
    }

    /** P4: two owners of restarts start a slot behind the scheduler's back, in memory that it has promised to another. */
    @Test
    void lifeThatEnds_isReportedAfterSystemdsRestartIsTakenBack() throws Exception {
        host.shows(
                FakeHost.running(FakeHost.FIRST, NONCE),
                FakeHost.down("activating", "auto-restart", FakeHost.FIRST, 1, 139));

        Exit exit = ended();

        assertThat(exit).isEqualTo(new Exit(OptionalInt.of(139), List.of("last words"), CauseCode.ENGINE_EXITED));
        assertThat(host.calls).contains("stop " + FakeHost.FIRST);
    }

    @Test
    void lifeThatSystemdBeganMeanwhile_isEndedToo() throws Exception {
        host.shows(FakeHost.running(FakeHost.FIRST, NONCE), FakeHost.running(FakeHost.SECOND, NONCE));

        assertThat(ended().status()).isEmpty();
        assertThat(host.calls).contains("stop " + FakeHost.SECOND);
    }

    @Test
    void killedSupervisor_hasItsOwnCause() throws Exception {
        host.shows(
                FakeHost.running(FakeHost.FIRST, NONCE),
                FakeHost.ended("activating", "auto-restart", "signal", FakeHost.FIRST, 2, 9));

        assertThat(ended())
                .isEqualTo(new Exit(OptionalInt.of(137), List.of("last words"), CauseCode.SUPERVISOR_KILLED));
    }

    @Test
    void memoryThatRanOut_hasItsOwnCause() throws Exception {
        host.shows(
                FakeHost.running(FakeHost.FIRST, NONCE),
                FakeHost.ended("failed", "failed", "oom-kill", FakeHost.FIRST, 1, 137));

        assertThat(ended().cause()).isEqualTo(CauseCode.OUT_OF_MEMORY);
    }

    private Exit ended() throws Exception {
        var exit = new CompletableFuture<Exit>();
        mainProcessLives.set(false);
        runtime().watch(workload(FakeHost.FIRST), exit::complete);
        return exit.get(20, TimeUnit.SECONDS);
    }

    /** A helper that is away is not the end of a workload. */
    @Test
    void watchThatCannotAsk_saysNothing() {
        host.unreachable = true;
        var exit = new CompletableFuture<Exit>();
        runtime().watch(workload(FakeHost.FIRST), exit::complete);

        await().atMost(PATIENCE).until(() -> host.calls.contains("status"));
        assertThat(exit).isNotDone();
        host.unreachable = false;
        await().atMost(PATIENCE).until(exit::isDone);
    }

    @Test
    void memory_isReadWithoutAskingAnybody() throws IOException {
        Files.createDirectories(home.resolve("slot"));
        Files.writeString(home.resolve("slot/memory.stat"), "anon 100\nfile 5000\nfile_mapped 20\nshmem 3\n");
        host.shows(FakeHost.running(FakeHost.FIRST, NONCE));
        PodmanRuntime runtime = runtime();
        assertThat(runtime.memoryBytes(workload(FakeHost.FIRST)))
                .as("not seen yet")
                .isEmpty();
        assertThat(host.calls).isEmpty();

        runtime.watch(workload(FakeHost.FIRST), exit -> {});

        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(runtime.memoryBytes(workload(FakeHost.FIRST)))
                        .hasValue(123));
    }

    @Test
    void versionOneOfCgroups_isReadToo() throws IOException {
        Files.createDirectories(home.resolve("memory/slot"));
        Files.writeString(
                home.resolve("memory/slot/memory.stat"), "rss 1\ntotal_rss 70\ntotal_mapped_file 7\ntotal_cache 900\n");

        assertThat(new CgroupMemory(home).usedBytes("/slot")).hasValue(77);
        assertThat(new CgroupMemory(home).usedBytes("/other")).isEmpty();
    }

    @Test
    void imageOfThisMachine_isNotLookedForElsewhere() {
        assertThat(runtime().isPrepared(plan("cpu"))).isTrue();
        assertThat(runtime().isPrepared(plan("vulkan"))).isFalse();
        assertThatThrownBy(() -> runtime().prepare(plan("vulkan"), word -> {}))
                .isInstanceOfSatisfying(
                        Hal0Exception.class, told -> assertThat(told.code()).isEqualTo(ErrorCode.SLOT_IMAGE_MISSING));
        assertThat(host.calls).noneMatch(call -> call.startsWith("pull"));
    }

    @Test
    void publishedImage_isFetchedWithProgress() {
        var words = new ArrayList<String>();

        runtime().prepare(plan("ghcr.io/hal0/engine:1"), words::add);

        assertThat(words).containsExactly("fetching ghcr.io/hal0/engine:1", "Copying blob");
        assertThat(runtime().isPrepared(plan("ghcr.io/hal0/engine:1"))).isTrue();
    }

    @Test
    void imageOfAClass_canBeChosen() {
        var images = new ToolboxImages(Map.of("HAL0_TOOLBOX_IMAGE_CPU", "ghcr.io/hal0/cpu:2"));

        assertThat(images.reference("cpu")).isEqualTo("ghcr.io/hal0/cpu:2");
        assertThat(images.reference("rocm")).isEqualTo("localhost/hal0-toolbox:rocm");
    }
}
