package dev.hal0.runtime.podman;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.DeviceClass;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.ClosedGate;
import dev.hal0.slots.ContainerFacts;
import dev.hal0.slots.Exit;
import dev.hal0.slots.Incarnation;
import dev.hal0.slots.LaunchPlan;
import dev.hal0.slots.SlotLog;
import dev.hal0.slots.SlotRuntime;
import dev.hal0.slots.Workload;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class FamilyRuntimeTest {
    private static final SlotName SLOT = new SlotName("chat");

    /** Remembers that it was asked; starts nothing when it is broken. */
    private static final class FakeRuntime implements SlotRuntime {
        final List<String> asked = new ArrayList<>();
        private final String kind;
        private final String incarnation;
        boolean broken;

        FakeRuntime(String kind, String incarnation) {
            this.kind = kind;
            this.incarnation = incarnation;
        }

        @Override
        public String kind() {
            return kind;
        }

        @Override
        public void prepare(LaunchPlan plan, Consumer<String> progress) {
            asked.add("prepare");
        }

        @Override
        public boolean isPrepared(LaunchPlan plan) {
            return true;
        }

        @Override
        public List<String> commandLine(LaunchPlan plan) {
            return List.of(kind);
        }

        @Override
        public Workload launch(LaunchPlan plan, String nonce, String key) {
            asked.add("launch");
            if (broken) {
                throw new Hal0Exception(ErrorCode.RUNTIME_UNAVAILABLE, "gone");
            }
            return new Workload(plan.slot(), nonce, new Incarnation(incarnation));
        }

        @Override
        public Optional<Workload> find(SlotName slot, String nonce) {
            return Optional.empty();
        }

        @Override
        public AutoCloseable watch(Workload workload, Consumer<Exit> listener) {
            asked.add("watch");
            return () -> {};
        }

        @Override
        public void stop(Workload workload, ClosedGate proof, Duration grace) {
            asked.add("stop");
        }

        @Override
        public OptionalLong memoryBytes(Workload workload) {
            return OptionalLong.empty();
        }

        @Override
        public SlotLog log(SlotName slot) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void forget(SlotName slot) {
            asked.add("forget");
        }
    }

    private final FakeRuntime containers = new FakeRuntime("podman", "a".repeat(32));
    private final FakeRuntime processes = new FakeRuntime("process", "boot:1:2");
    private final FamilyRuntime runtime = new FamilyRuntime(containers, processes);

    private static final LaunchPlan PROCESS = new LaunchPlan(
            SLOT, "x", "x", List.of(), Map.of(), List.of(), Path.of("/k"), "m", "127.0.0.1", 8081, 1, Map.of());

    private static final LaunchPlan CONTAINER =
            PROCESS.withContainer(ContainerFacts.sealed("cpu", DeviceClass.NONE, "--host"));

    @Test
    void plan_saysWhichRuntimeItNeeds() {
        Workload container = runtime.launch(CONTAINER, "n", "k");
        Workload process = runtime.launch(PROCESS, "n", "k");
        runtime.watch(container, exit -> {});
        runtime.watch(process, exit -> {});

        assertThat(containers.asked).containsExactly("launch", "watch");
        assertThat(processes.asked).containsExactly("launch", "watch");
    }

    /** A runtime that fails is shown; the other one never starts what belongs to it. */
    @Test
    void brokenContainers_areNotReplacedByProcesses() {
        containers.broken = true;

        assertThatThrownBy(() -> runtime.launch(CONTAINER, "n", "k"))
                .isInstanceOfSatisfying(
                        Hal0Exception.class, told -> assertThat(told.code()).isEqualTo(ErrorCode.RUNTIME_UNAVAILABLE));
        assertThat(processes.asked).isEmpty();
    }
}
