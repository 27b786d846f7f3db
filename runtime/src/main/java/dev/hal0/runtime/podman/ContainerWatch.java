package dev.hal0.runtime.podman;

import dev.hal0.helper.ContainerHost;
import dev.hal0.helper.ContainerStatus;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.CauseCode;
import dev.hal0.slots.Exit;
import dev.hal0.slots.SlotLog;
import dev.hal0.slots.Workload;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees lives end. The unit's main process is looked at twice a second, which costs a read; systemd is asked only when that
 * process is gone. Not being able to ask is not an end: it is asked again.
 */
final class ContainerWatch {
    private static final Logger log = LoggerFactory.getLogger(ContainerWatch.class);
    private static final long LOOK_MILLIS = 500;
    private static final long AGAIN_MILLIS = 2_000;
    private static final int EVIDENCE_LINES = 20;
    private static final int SIGNALLED = 128;

    /** systemd's {@code ExecMainCode} of a process that ended by itself. */
    private static final int EXITED = 1;

    private final ContainerHost host;
    private final LiveProcesses processes;
    private final Function<SlotName, SlotLog> logs;

    ContainerWatch(ContainerHost host, LiveProcesses processes, Function<SlotName, SlotLog> logs) {
        this.host = host;
        this.processes = processes;
        this.logs = logs;
    }

    /**
     * @param seen gets the container while it runs, at least once
     * @param listener is called once, at its end
     */
    AutoCloseable begin(Workload workload, Consumer<ContainerStatus.Container> seen, Consumer<Exit> listener) {
        var closed = new CountDownLatch(1);
        Thread.ofVirtual().name("watch-" + workload.slot()).start(() -> {
            try {
                ContainerStatus last = awaitEnd(workload, seen, closed);
                if (last != null) {
                    listener.accept(exit(workload, last));
                }
            } catch (InterruptedException closing) {
                Thread.currentThread().interrupt();
            }
        });
        return closed::countDown;
    }

    /** @return what was last seen of it; null when nobody wants to know any more */
    private @org.jspecify.annotations.Nullable ContainerStatus awaitEnd(
            Workload workload, Consumer<ContainerStatus.Container> seen, CountDownLatch closed)
            throws InterruptedException {
        while (closed.getCount() > 0) {
            try {
                ContainerStatus status = host.status(workload.slot());
                boolean sameLife =
                        status.invocation().equals(workload.incarnation().value());
                if (!sameLife || !status.isLive()) {
                    takeBackRestart(workload, status);
                    return status;
                }
                if (status.container() != null) {
                    seen.accept(status.container());
                }
                awaitMainProcess(status.mainPid(), closed);
            } catch (Hal0Exception cannotAsk) {
                log.warn("slot {}: {}", workload.slot(), cannotAsk.message());
                if (closed.await(AGAIN_MILLIS, TimeUnit.MILLISECONDS)) {
                    return null;
                }
            }
        }
        return null;
    }

    private void awaitMainProcess(long pid, CountDownLatch closed) throws InterruptedException {
        Optional<String> born = processes.identity(pid);
        do {
            if (closed.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                return;
            }
        } while (born.isPresent() && processes.identity(pid).equals(born));
    }

    /**
     * Ends what systemd is about to start, or has started by itself meanwhile: nobody is inside that life, because no gate was
     * ever opened for it, and the scheduler has to be the one to say when there is memory for it.
     */
    private void takeBackRestart(Workload workload, ContainerStatus status) {
        if (status.isRestarting() || status.isStarting() || status.isLive()) {
            host.stop(workload.slot(), status.invocation(), Duration.ofSeconds(1));
        }
    }

    private Exit exit(Workload workload, ContainerStatus last) {
        var lines = logs.apply(workload.slot()).tail(EVIDENCE_LINES);
        boolean known = last.invocation().equals(workload.incarnation().value());
        if (!known) {
            return new Exit(OptionalInt.empty(), lines);
        }
        int status = last.exitCode() == EXITED ? last.exitStatus() : SIGNALLED + last.exitStatus();
        return new Exit(OptionalInt.of(status), lines, cause(last));
    }

    /** The unit's main process is podman's supervisor: it ends with the engine's status, and is not killed by itself. */
    private static CauseCode cause(ContainerStatus last) {
        if (last.result().equals("oom-kill")) {
            return CauseCode.OUT_OF_MEMORY;
        }
        return last.exitCode() > EXITED ? CauseCode.SUPERVISOR_KILLED : CauseCode.ENGINE_EXITED;
    }
}
