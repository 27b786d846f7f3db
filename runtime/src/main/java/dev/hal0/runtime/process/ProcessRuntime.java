package dev.hal0.runtime.process;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.runtime.install.EnginePrograms;
import dev.hal0.runtime.install.Program;
import dev.hal0.slots.ClosedGate;
import dev.hal0.slots.Exit;
import dev.hal0.slots.Incarnation;
import dev.hal0.slots.LaunchPlan;
import dev.hal0.slots.SlotLog;
import dev.hal0.slots.SlotRuntime;
import dev.hal0.slots.Workload;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Workloads as detached processes: each in a session of its own, its output in the pipe of a {@link LogWriter}, itself known
 * by the nonce in its environment. Nothing of it depends on the process that started it.
 */
public final class ProcessRuntime implements SlotRuntime {
    private static final Logger log = LoggerFactory.getLogger(ProcessRuntime.class);

    private static final long LOG_ROTATE_BYTES = 16L << 20;
    private static final int LOG_KEEP = 3;
    private static final int EVIDENCE_LINES = 20;
    private static final Duration EXEC = Duration.ofSeconds(1);
    private static final Duration LAST_WORDS = Duration.ofSeconds(2);
    private static final Duration AFTER_KILL = Duration.ofSeconds(5);
    private static final long POLL_MILLIS = 20;
    private static final long WATCH_MILLIS = 500;

    /** Everything else stays out: LLAMA_ARG_* would change an engine behind the plan's back. */
    private static final List<String> INHERITED =
            List.of("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_RUNTIME_DIR");

    private record Child(Process engine, Process logWriter) {}

    private static final int CONNECT_MILLIS = 1_000;

    private final Path statesRoot;
    private final DurableFiles files;
    private final EnginePrograms programs;
    private final List<String> logWriter;
    private final Map<String, String> ownEnvironment;
    private final String bootId = ProcessIdentity.currentBootId();
    private final Map<Incarnation, Child> children = new ConcurrentHashMap<>();

    /**
     * @param statesRoot one folder per slot; logs are kept there
     * @param logWriter command of the log writer: java, its flags, class path and main class
     * @param ownEnvironment of the control plane
     */
    public ProcessRuntime(
            Path statesRoot,
            DurableFiles files,
            EnginePrograms programs,
            List<String> logWriter,
            Map<String, String> ownEnvironment) {
        this.statesRoot = statesRoot;
        this.files = files;
        this.programs = programs;
        this.logWriter = List.copyOf(logWriter);
        this.ownEnvironment = Map.copyOf(ownEnvironment);
    }

    @Override
    public String kind() {
        return "process";
    }

    @Override
    public boolean isPrepared(LaunchPlan plan) {
        return programs.find(plan.engine()).isPresent();
    }

    @Override
    public void prepare(LaunchPlan plan, Consumer<String> progress) {
        programs.install(plan.engine(), progress);
    }

    @Override
    public List<String> commandLine(LaunchPlan plan) {
        var command = new ArrayList<>(
                programs.find(plan.engine()).map(Program::command).orElse(List.of(plan.program())));
        command.addAll(plan.arguments());
        return command;
    }

    @Override
    public Workload launch(LaunchPlan plan, String nonce, String key) {
        Program program = programs.find(plan.engine())
                .orElseThrow(() -> new Hal0Exception(
                        ErrorCode.ENGINE_NOT_INSTALLED, "The engine " + plan.engine() + " is not installed."));
        requireFreePort(plan);
        files.write(plan.keyFile(), (key + "\n").getBytes(StandardCharsets.UTF_8), DurableFiles.PRIVATE);
        List<Process> started = spawn(plan, program, nonce);
        Process engine = started.getFirst();
        var child = new Child(engine, started.getLast());
        awaitExec(engine);
        Optional<ProcessIdentity> identity = ProcessIdentity.of(bootId, engine.pid());
        if (identity.isEmpty()) {
            Exit exit = exitOf(plan.slot(), child);
            throw new Hal0Exception(
                            ErrorCode.SLOT_SPAWN_FAILED,
                            "The engine of slot " + plan.slot() + " ended as soon as it was started: "
                                    + exit.describe())
                    .withDetail("last_lines", exit.lastLines());
        }
        Incarnation incarnation = identity.get().incarnation();
        children.put(incarnation, child);
        return new Workload(plan.slot(), nonce, incarnation);
    }

    /**
     * Only an early and clear word: the engine itself has the last one about its port. That it cannot be bound is not enough:
     * connections of an engine that was killed remain for a minute, and one that shares its port (SO_REUSEPORT, as
     * whisper-server does) may bind it all the same.
     */
    private static void requireFreePort(LaunchPlan plan) {
        try (var probe = new ServerSocket(plan.port(), 1, InetAddress.getByName(plan.host()))) {
            probe.setReuseAddress(true);
        } catch (IOException taken) {
            if (isListening(plan)) {
                throw new Hal0Exception(
                                ErrorCode.SLOT_PORT_CONFLICT,
                                "Port " + plan.port() + " of slot " + plan.slot()
                                        + " is in use by "
                                        + PortHolder.of(plan.port())
                                                .map(PortHolder::describe)
                                                .orElse("another program on this machine")
                                        + " (" + taken.getMessage() + ").")
                        .withDetail("port", plan.port());
            }
        }
    }

    private static boolean isListening(LaunchPlan plan) {
        try (var probe = new Socket()) {
            probe.connect(new InetSocketAddress(plan.host(), plan.port()), CONNECT_MILLIS);
            return true;
        } catch (IOException refused) {
            return false;
        }
    }

    private List<Process> spawn(LaunchPlan plan, Program program, String nonce) {
        try {
            Files.createDirectories(logFile(plan.slot()).getParent());
            var command = new ArrayList<>(List.of("setsid", "--"));
            command.addAll(program.command());
            command.addAll(plan.arguments());
            var engine = new ProcessBuilder(command);
            Map<String, String> environment = engine.environment();
            inherit(environment);
            environment.putAll(program.environment());
            environment.putAll(plan.environment());
            environment.put(ProcessScan.NONCE_VARIABLE, nonce);
            engine.redirectErrorStream(true).redirectInput(new File("/dev/null"));
            engine.directory(program.workingDirectory().orElse(statesRoot).toFile());

            var writerCommand = new ArrayList<>(List.of("setsid", "--"));
            writerCommand.addAll(logWriter);
            writerCommand.addAll(List.of(
                    logFile(plan.slot()).toString(), Long.toString(LOG_ROTATE_BYTES), Integer.toString(LOG_KEEP)));
            var writer = new ProcessBuilder(writerCommand);
            inherit(writer.environment());
            writer.redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.DISCARD);
            return ProcessBuilder.startPipeline(List.of(engine, writer));
        } catch (IOException failure) {
            throw new Hal0Exception(
                    ErrorCode.SLOT_SPAWN_FAILED,
                    "The engine of slot " + plan.slot() + " could not be started: " + failure.getMessage(),
                    failure);
        }
    }

    /** Until {@code setsid} has become the program, a program that cannot be executed looks like one that runs. */
    private static void awaitExec(Process engine) {
        long end = System.nanoTime() + EXEC.toNanos();
        try {
            while (isSetsid(engine.pid()) && System.nanoTime() < end && !engine.waitFor(1, TimeUnit.MILLISECONDS)) {
                continue;
            }
        } catch (InterruptedException closing) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean isSetsid(long pid) {
        try {
            Path program = Files.readSymbolicLink(Path.of("/proc", Long.toString(pid), "exe"));
            return program.getFileName().toString().equals("setsid");
        } catch (IOException gone) {
            return false;
        }
    }

    private void inherit(Map<String, String> environment) {
        environment.clear();
        for (String name : INHERITED) {
            String value = ownEnvironment.get(name);
            if (value != null) {
                environment.put(name, value);
            }
        }
    }

    @Override
    public Optional<Workload> find(SlotName slot, String nonce) {
        return ProcessScan.byNonce(nonce)
                .flatMap(pid -> ProcessIdentity.of(bootId, pid))
                .map(identity -> new Workload(slot, nonce, identity.incarnation()));
    }

    @Override
    public AutoCloseable watch(Workload workload, Consumer<Exit> listener) {
        Child child = children.get(workload.incarnation());
        var closed = new CountDownLatch(1);
        Thread.ofVirtual().name("watch-" + workload.slot()).start(() -> {
            try {
                if (awaitEnd(workload, child, closed)) {
                    children.remove(workload.incarnation());
                    endLeftovers(workload);
                    listener.accept(exitOf(workload.slot(), child));
                }
            } catch (InterruptedException closing) {
                Thread.currentThread().interrupt();
            }
        });
        return closed::countDown;
    }

    /** @return false when nobody wants to know any more */
    private boolean awaitEnd(Workload workload, @Nullable Child child, CountDownLatch closed)
            throws InterruptedException {
        if (child != null) {
            var ended = new CountDownLatch(1);
            var unused = child.engine().onExit().thenRun(ended::countDown);
            while (!ended.await(WATCH_MILLIS, TimeUnit.MILLISECONDS)) {
                if (closed.getCount() == 0) {
                    return false;
                }
            }
            return closed.getCount() > 0;
        }
        ProcessIdentity identity = ProcessIdentity.parse(workload.incarnation());
        while (identity.isAlive(bootId)) {
            if (closed.await(WATCH_MILLIS, TimeUnit.MILLISECONDS)) {
                return false;
            }
        }
        return closed.getCount() > 0;
    }

    /** The log writer ends after the engine: then its last lines are in the file. */
    private Exit exitOf(SlotName slot, @Nullable Child child) {
        OptionalInt status = OptionalInt.empty();
        if (child != null) {
            try {
                var unused = child.logWriter().onExit().get(LAST_WORDS.toMillis(), TimeUnit.MILLISECONDS);
                if (child.engine().waitFor(LAST_WORDS.toMillis(), TimeUnit.MILLISECONDS)) {
                    status = OptionalInt.of(child.engine().exitValue());
                }
            } catch (TimeoutException | java.util.concurrent.ExecutionException writerLives) {
                // Something else holds the pipe; the lines that are there will do.
            } catch (InterruptedException closing) {
                Thread.currentThread().interrupt();
            }
        }
        return new Exit(status, log(slot).tail(EVIDENCE_LINES));
    }

    @Override
    public void stop(Workload workload, ClosedGate proof, Duration grace) {
        if (!proof.incarnation().equals(workload.incarnation())) {
            throw new IllegalArgumentException(
                    "the proof is for " + proof.incarnation() + ", not for " + workload.incarnation());
        }
        ProcessIdentity identity = ProcessIdentity.parse(workload.incarnation());
        signal(identity, false);
        if (awaitGone(identity, grace)) {
            endLeftovers(workload);
            return;
        }
        signal(identity, true);
        boolean gone = awaitGone(identity, AFTER_KILL);
        endLeftovers(workload);
        if (!gone) {
            throw new Hal0Exception(
                            ErrorCode.SLOT_TERMINATE_TIMEOUT,
                            "Process " + identity.pid() + " of slot " + workload.slot()
                                    + " did not end, not even by SIGKILL: it probably waits inside a driver.")
                    .withDetail("pid", identity.pid());
        }
    }

    /** What an engine started and left behind would keep its port, or the GPU's memory. */
    private static void endLeftovers(Workload workload) {
        for (ProcessHandle left : ProcessScan.allByNonce(workload.nonce())) {
            log.warn("slot {}: process {} outlived its engine and is killed", workload.slot(), left.pid());
            left.destroyForcibly();
            try {
                left.onExit().get(AFTER_KILL.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException | java.util.concurrent.ExecutionException stuck) {
                log.warn("slot {}: process {} does not end by SIGKILL", workload.slot(), left.pid());
            } catch (InterruptedException closing) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private void signal(ProcessIdentity identity, boolean forcibly) {
        if (identity.isAlive(bootId)) {
            ProcessHandle.of(identity.pid()).ifPresent(handle -> {
                var unused = forcibly ? handle.destroyForcibly() : handle.destroy();
            });
        }
    }

    private boolean awaitGone(ProcessIdentity identity, Duration deadline) {
        long end = System.nanoTime() + deadline.toNanos();
        var never = new CountDownLatch(1);
        try {
            while (identity.isAlive(bootId)) {
                if (System.nanoTime() > end || never.await(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                    return false;
                }
            }
            return true;
        } catch (InterruptedException closing) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public OptionalLong memoryBytes(Workload workload) {
        ProcessIdentity identity = ProcessIdentity.parse(workload.incarnation());
        try {
            return Files.readString(Path.of("/proc", Long.toString(identity.pid()), "status"))
                    .lines()
                    .filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                    .findFirst();
        } catch (IOException gone) {
            return OptionalLong.empty();
        }
    }

    @Override
    public SlotLog log(SlotName slot) {
        return new FileSlotLog(logFile(slot), LOG_KEEP);
    }

    @Override
    public void forget(SlotName slot) {
        Path folder = statesRoot.resolve(slot.value());
        files.delete(folder.resolve("engine.key"));
        files.delete(logFile(slot));
        for (int number = 1; number <= LOG_KEEP; number++) {
            files.delete(logFile(slot).resolveSibling("engine.log." + number));
        }
    }

    private Path logFile(SlotName slot) {
        return statesRoot.resolve(slot.value()).resolve("engine.log");
    }
}
