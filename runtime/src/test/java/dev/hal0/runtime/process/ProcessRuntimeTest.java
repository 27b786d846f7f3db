package dev.hal0.runtime.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.slots.ClosedGate;
import dev.hal0.slots.Exit;
import dev.hal0.slots.Gate;
import dev.hal0.slots.Incarnation;
import dev.hal0.slots.Workload;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessRuntimeTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final String WAIT = "exec sleep 300";

    @TempDir
    Path home;

    private final String nonce = UUID.randomUUID().toString();
    private final List<Long> started = new ArrayList<>();

    @AfterEach
    void killWhatIsLeft() {
        started.forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
    }

    @Test
    void launchedEngine_isFoundByItsNonceAlone() {
        Workload launched = launch(WAIT);

        assertThat(Scripted.absent().runtime(home, Map.of()).find(Scripted.SLOT, nonce))
                .contains(launched);
    }

    @Test
    void anotherNonce_findsNothing() {
        launch(WAIT);

        assertThat(Scripted.absent().runtime(home, Map.of()).find(Scripted.SLOT, nonce.substring(1)))
                .isEmpty();
        assertThat(Scripted.absent().runtime(home, Map.of()).find(Scripted.SLOT, nonce + "0"))
                .isEmpty();
    }

    @Test
    void launch_writesTheKeyForTheOwnerOnly() throws IOException {
        launch(WAIT);

        Path key = home.resolve("states/chat/engine.key");
        assertThat(key).hasContent("key");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(key)))
                .isEqualTo("rw-------");
    }

    @Test
    void engineThatEnds_isReportedWithStatusAndLastLines() throws Exception {
        ProcessRuntime runtime = Scripted.shell(
                        "for i in $(seq 30); do echo line $i; done; echo oops >&2; read x < gate; exit 7")
                .runtime(home, System.getenv());
        makeFifo(home.resolve("states/gate"));
        Workload workload = launch(runtime, Map.of());
        var exit = new CompletableFuture<Exit>();
        runtime.watch(workload, exit::complete);

        Files.writeString(home.resolve("states/gate"), "go\n");

        Exit ended = exit.get(20, TimeUnit.SECONDS);
        assertThat(ended.status()).isEqualTo(OptionalInt.of(7));
        assertThat(ended.lastLines()).hasSize(20).startsWith("line 12").endsWith("line 30", "oops");
        assertThat(runtime.find(Scripted.SLOT, nonce)).isEmpty();
    }

    @Test
    void closedWatch_hearsNothing() throws Exception {
        ProcessRuntime runtime = Scripted.shell(WAIT).runtime(home, System.getenv());
        Workload workload = launch(runtime, Map.of());
        var closed = new CompletableFuture<Exit>();
        var open = new CompletableFuture<Exit>();
        runtime.watch(workload, closed::complete).close();
        runtime.watch(workload, open::complete);

        runtime.stop(workload, proof(workload.incarnation()), Duration.ofSeconds(5));

        assertThat(open.get(20, TimeUnit.SECONDS).status()).isEqualTo(OptionalInt.of(143));
        assertThat(closed).isNotDone();
    }

    @Test
    void environment_isOnlyWhatIsAllowed() throws IOException {
        ProcessRuntime runtime = Scripted.command(List.of("/bin/sleep", "300"), Map.of("FROM_PROGRAM", "p"))
                .runtime(
                        home,
                        Map.of(
                                "PATH",
                                System.getenv("PATH"),
                                "HOME",
                                "/h",
                                "LLAMA_ARG_HOST",
                                "0.0.0.0",
                                "SECRET",
                                "s"));

        Workload workload = launch(runtime, Map.of("FROM_PLAN", "q"));

        assertThat(environment(pid(workload)))
                .containsExactlyInAnyOrder(
                        "PATH=" + System.getenv("PATH"),
                        "HOME=/h",
                        "FROM_PROGRAM=p",
                        "FROM_PLAN=q",
                        "HAL0_LAUNCH_NONCE=" + nonce);
    }

    @Test
    void nonce_isInNoOtherProcess() {
        Workload workload = launch(WAIT);

        List<Long> carriers = ProcessHandle.allProcesses()
                .map(ProcessHandle::pid)
                .filter(pid -> environmentOrNothing(pid).contains("HAL0_LAUNCH_NONCE=" + nonce))
                .toList();

        assertThat(carriers).containsExactly(pid(workload));
    }

    @Test
    void engineAndLogWriter_haveSessionsOfTheirOwn() throws IOException {
        Workload workload = launch(WAIT);

        assertThat(session(pid(workload))).isEqualTo(pid(workload));
        assertThat(session(ProcessHandle.current().pid())).isNotEqualTo(pid(workload));
    }

    @Test
    void planCannotReplaceTheNonce() throws IOException {
        Workload workload = launch(
                Scripted.shell(WAIT).runtime(home, System.getenv()), Map.of("HAL0_LAUNCH_NONCE", "somebody else's"));

        assertThat(environment(pid(workload))).contains("HAL0_LAUNCH_NONCE=" + nonce);
    }

    @Test
    void engineThatObeys_isStoppedWithinTheGrace() {
        ProcessRuntime runtime = Scripted.shell(WAIT).runtime(home, System.getenv());
        Workload workload = launch(runtime, Map.of());

        runtime.stop(workload, proof(workload.incarnation()), Duration.ofSeconds(30));

        assertThat(runtime.find(Scripted.SLOT, nonce)).isEmpty();
    }

    @Test
    void engineThatIgnoresTerm_isKilledAfterTheGrace() throws Exception {
        ProcessRuntime runtime = Scripted.shell("trap '' TERM; echo deaf; while :; do sleep 0.05; done")
                .runtime(home, System.getenv());
        Workload workload = launch(runtime, Map.of());
        awaitLine(runtime, "deaf");
        var exit = new CompletableFuture<Exit>();
        runtime.watch(workload, exit::complete);
        long before = System.nanoTime();

        runtime.stop(workload, proof(workload.incarnation()), Duration.ofMillis(300));

        assertThat(Duration.ofNanos(System.nanoTime() - before)).isGreaterThanOrEqualTo(Duration.ofMillis(300));
        assertThat(exit.get(20, TimeUnit.SECONDS).status()).isEqualTo(OptionalInt.of(137));
    }

    @Test
    void proofOfAnotherIncarnation_stopsNothing() {
        ProcessRuntime runtime = Scripted.shell(WAIT).runtime(home, System.getenv());
        Workload workload = launch(runtime, Map.of());

        assertThatThrownBy(() -> runtime.stop(workload, proof(new Incarnation("another:1:1")), Duration.ofSeconds(1)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(runtime.find(Scripted.SLOT, nonce)).contains(workload);
    }

    @Test
    void reusedPid_isNotSignalled() {
        ProcessRuntime runtime = Scripted.shell(WAIT).runtime(home, System.getenv());
        Workload workload = launch(runtime, Map.of());
        ProcessIdentity real = ProcessIdentity.parse(workload.incarnation());
        Incarnation earlier = new ProcessIdentity(real.bootId(), real.pid(), real.startTicks() - 1).incarnation();
        Incarnation beforeReboot = new ProcessIdentity("another boot", real.pid(), real.startTicks()).incarnation();

        for (Incarnation stale : List.of(earlier, beforeReboot)) {
            runtime.stop(new Workload(Scripted.SLOT, "of an earlier life", stale), proof(stale), Duration.ofSeconds(1));
        }

        assertThat(runtime.find(Scripted.SLOT, nonce)).contains(workload);
    }

    @Test
    void stoppingTwice_isNoFailure() {
        ProcessRuntime runtime = Scripted.shell(WAIT).runtime(home, System.getenv());
        Workload workload = launch(runtime, Map.of());
        ClosedGate proof = proof(workload.incarnation());

        runtime.stop(workload, proof, Duration.ofSeconds(5));
        runtime.stop(workload, proof, Duration.ofSeconds(5));

        assertThat(runtime.find(Scripted.SLOT, nonce)).isEmpty();
    }

    @Test
    void takenPort_isAConflictAndNothingIsStarted() throws IOException {
        ProcessRuntime runtime = Scripted.shell(WAIT).runtime(home, System.getenv());
        try (var stranger = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            assertThatThrownBy(
                            () -> runtime.launch(Scripted.plan(home, stranger.getLocalPort(), Map.of()), nonce, "key"))
                    .isInstanceOfSatisfying(Hal0Exception.class, refused -> {
                        assertThat(refused.code()).isEqualTo(ErrorCode.SLOT_PORT_CONFLICT);
                        assertThat(refused.details()).containsEntry("port", stranger.getLocalPort());
                    });
        }
        assertThat(runtime.find(Scripted.SLOT, nonce)).isEmpty();
    }

    @Test
    void engineThatIsNotInstalled_isNamed() {
        assertThatThrownBy(() -> launch(Scripted.absent().runtime(home, System.getenv()), Map.of()))
                .isInstanceOfSatisfying(
                        Hal0Exception.class,
                        refused -> assertThat(refused.code()).isEqualTo(ErrorCode.ENGINE_NOT_INSTALLED));
    }

    @Test
    void missingProgram_isASpawnFailureWithTheReason() {
        ProcessRuntime runtime =
                Scripted.command(List.of("/no/such/llama-server"), Map.of()).runtime(home, System.getenv());

        assertThatThrownBy(() -> launch(runtime, Map.of())).isInstanceOfSatisfying(Hal0Exception.class, refused -> {
            assertThat(refused.code()).isEqualTo(ErrorCode.SLOT_SPAWN_FAILED);
            assertThat(refused.message()).contains("/no/such/llama-server", "No such file");
        });
    }

    @Test
    void programWithoutExecutePermission_isASpawnFailure() throws IOException {
        Path program = Files.writeString(home.resolve("llama-server"), "#!/bin/sh\n" + WAIT + "\n");
        ProcessRuntime runtime =
                Scripted.command(List.of(program.toString()), Map.of()).runtime(home, System.getenv());

        assertThatThrownBy(() -> launch(runtime, Map.of())).isInstanceOfSatisfying(Hal0Exception.class, refused -> {
            assertThat(refused.code()).isEqualTo(ErrorCode.SLOT_SPAWN_FAILED);
            assertThat(refused.message()).contains("Permission denied");
        });
    }

    @Test
    void engineOfAKilledControlPlane_isAdoptedAndLosesNoLine() throws Exception {
        Process earlier = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        AdoptionHelper.class.getName(),
                        home.toString(),
                        nonce,
                        "i=0; while [ ! -e stop ]; do i=$((i+1)); echo line $i; sleep 0.005; done; echo last $i")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        var incarnation = new Incarnation(earlier.inputReader().readLine());
        started.add(ProcessIdentity.parse(incarnation).pid());

        earlier.destroyForcibly().waitFor();

        ProcessRuntime runtime = Scripted.absent().runtime(home, System.getenv());
        var adopted = new Workload(Scripted.SLOT, nonce, incarnation);
        assertThat(runtime.find(Scripted.SLOT, nonce)).contains(adopted);
        var exit = new CompletableFuture<Exit>();
        runtime.watch(adopted, exit::complete);
        int before = runtime.log(Scripted.SLOT).tail(100_000).size();
        await().atMost(PATIENCE)
                .until(() -> runtime.log(Scripted.SLOT).tail(100_000).size() > before + 100);
        Files.createFile(home.resolve("states/stop"));

        assertThat(exit.get(20, TimeUnit.SECONDS).status()).isEmpty();
        await().atMost(PATIENCE)
                .until(() -> runtime.log(Scripted.SLOT).tail(1).getFirst().startsWith("last "));
        List<String> lines = runtime.log(Scripted.SLOT).tail(100_000);
        int count = Integer.parseInt(lines.getLast().substring("last ".length()));
        assertThat(lines.subList(0, lines.size() - 1))
                .isEqualTo(IntStream.rangeClosed(1, count)
                        .mapToObj(i -> "line " + i)
                        .toList());
    }

    @Test
    void adoptedEngine_isStoppedLikeAnyOther() {
        Workload launched = launch("trap '' TERM; while :; do sleep 0.05; done");
        ProcessRuntime next = Scripted.absent().runtime(home, System.getenv());
        Workload adopted = next.find(Scripted.SLOT, nonce).orElseThrow();

        next.stop(adopted, proof(launched.incarnation()), Duration.ofMillis(100));

        assertThat(next.find(Scripted.SLOT, nonce)).isEmpty();
    }

    /** Guards against a helper process that keeps the port or the GPU's memory after its engine was stopped. */
    @Test
    void childOfTheEngine_isNotTakenForItAndEndsWithIt() throws IOException {
        ProcessRuntime runtime =
                Scripted.shell("sleep 300 & echo child $!; exec sleep 300").runtime(home, System.getenv());
        Workload workload = launch(runtime, Map.of());
        long child = childOf(runtime);
        assertThat(environment(child)).contains("HAL0_LAUNCH_NONCE=" + nonce);

        runtime.stop(workload, proof(workload.incarnation()), Duration.ofSeconds(5));

        assertThat(runtime.find(Scripted.SLOT, nonce)).isEmpty();
        assertThat(ProcessHandle.of(child).filter(ProcessHandle::isAlive)).isEmpty();
    }

    @Test
    void engineThatDies_leavesNoChildBehind() throws Exception {
        ProcessRuntime runtime =
                Scripted.shell("sleep 300 & echo child $!; exec sleep 300").runtime(home, System.getenv());
        Workload workload = launch(runtime, Map.of());
        long child = childOf(runtime);
        var exit = new CompletableFuture<Exit>();
        runtime.watch(workload, exit::complete);

        ProcessHandle.of(pid(workload)).orElseThrow().destroyForcibly();

        assertThat(exit.get(20, TimeUnit.SECONDS).status()).isEqualTo(OptionalInt.of(137));
        assertThat(ProcessHandle.of(child).filter(ProcessHandle::isAlive)).isEmpty();
    }

    private long childOf(ProcessRuntime runtime) {
        await().atMost(PATIENCE).until(() -> !runtime.log(Scripted.SLOT).tail(1).isEmpty());
        long child =
                Long.parseLong(runtime.log(Scripted.SLOT).tail(1).getFirst().substring("child ".length()));
        started.add(child);
        return child;
    }

    @Test
    void zombie_isDead() throws Exception {
        Process parent = new ProcessBuilder("/bin/sh", "-c", "sleep 0.2 & echo $!; exec sleep 300").start();
        started.add(parent.pid());
        long zombie = Long.parseLong(parent.inputReader().readLine());

        await().atMost(PATIENCE)
                .until(() -> ProcessIdentity.parseStat(Files.readString(Path.of("/proc/" + zombie + "/stat")))
                                .state()
                        == 'Z');

        assertThat(ProcessIdentity.of(ProcessIdentity.currentBootId(), zombie)).isEmpty();
        long ticks = ProcessIdentity.parseStat(Files.readString(Path.of("/proc/" + zombie + "/stat")))
                .startTicks();
        String boot = ProcessIdentity.currentBootId();
        assertThat(new ProcessIdentity(boot, zombie, ticks).isAlive(boot)).isFalse();
    }

    @Test
    void memory_isThatOfTheProcess() {
        ProcessRuntime runtime = Scripted.shell(WAIT).runtime(home, System.getenv());
        Workload workload = launch(runtime, Map.of());

        // Right after its exec a program has not mapped its libraries yet.
        await().atMost(PATIENCE)
                .untilAsserted(() ->
                        assertThat(runtime.memoryBytes(workload).orElse(0)).isBetween(100L << 10, 64L << 20));
    }

    @Test
    void commandLine_isTheProgramAndThePlan() {
        assertThat(Scripted.shell(WAIT).runtime(home, Map.of()).commandLine(Scripted.plan(home, 1, Map.of())))
                .containsExactly("/bin/sh", "-c", WAIT);
    }

    @Test
    void forgottenSlot_leavesNoKeyAndNoLog() {
        ProcessRuntime runtime = Scripted.shell("echo said; " + WAIT).runtime(home, System.getenv());
        Workload workload = launch(runtime, Map.of());
        awaitLine(runtime, "said");
        runtime.stop(workload, proof(workload.incarnation()), Duration.ofSeconds(5));

        runtime.forget(Scripted.SLOT);

        assertThat(home.resolve("states/chat")).isEmptyDirectory();
    }

    private Workload launch(String script) {
        return launch(Scripted.shell(script).runtime(home, System.getenv()), Map.of());
    }

    private Workload launch(ProcessRuntime runtime, Map<String, String> environment) {
        Workload workload = runtime.launch(Scripted.plan(home, Scripted.freePort(), environment), nonce, "key");
        started.add(pid(workload));
        return workload;
    }

    private static void awaitLine(ProcessRuntime runtime, String line) {
        await().atMost(PATIENCE).until(() -> runtime.log(Scripted.SLOT).tail(10).contains(line));
    }

    private static ClosedGate proof(Incarnation incarnation) {
        var gate = new Gate();
        gate.prepare(incarnation);
        return gate.tryClose(incarnation).orElseThrow();
    }

    private static long pid(Workload workload) {
        return ProcessIdentity.parse(workload.incarnation()).pid();
    }

    private static long session(long pid) throws IOException {
        String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
        return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[3]);
    }

    private static List<String> environment(long pid) throws IOException {
        return List.of(new String(Files.readAllBytes(Path.of("/proc/" + pid + "/environ")), StandardCharsets.UTF_8)
                .split("\0"));
    }

    private static List<String> environmentOrNothing(long pid) {
        try {
            return environment(pid);
        } catch (IOException gone) {
            return List.of();
        }
    }

    private static void makeFifo(Path path) throws IOException, InterruptedException {
        Files.createDirectories(path.getParent());
        assertThat(new ProcessBuilder("mkfifo", path.toString()).start().waitFor())
                .isZero();
    }
}
