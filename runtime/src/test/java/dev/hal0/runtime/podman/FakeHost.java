package dev.hal0.runtime.podman;

import dev.hal0.helper.ContainerHost;
import dev.hal0.helper.ContainerPlan;
import dev.hal0.helper.ContainerStatus;
import dev.hal0.helper.Difference;
import dev.hal0.helper.HostFacts;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A machine with at most one container, whose life the test writes down. */
final class FakeHost implements ContainerHost {
    static final String FIRST = "1".repeat(32);
    static final String SECOND = "2".repeat(32);

    final ConcurrentLinkedQueue<String> calls = new ConcurrentLinkedQueue<>();
    final Set<String> images = new HashSet<>(Set.of("localhost/hal0-toolbox:cpu"));
    private final Deque<ContainerStatus> statuses = new ArrayDeque<>(List.of(down("inactive", "dead", "", 0, 0)));
    volatile Optional<ContainerPlan> launched = Optional.empty();
    volatile @Nullable String key;
    volatile boolean unreachable;

    static ContainerStatus running(String invocation, String launch) {
        return new ContainerStatus(
                "loaded",
                "active",
                "running",
                "success",
                invocation,
                42,
                0,
                0,
                0,
                new ContainerStatus.Container("c", true, 43, "/slot", "sha256:cafe", Map.of("hal0.launch", launch)));
    }

    static ContainerStatus starting(String invocation) {
        return new ContainerStatus("loaded", "activating", "start", "success", invocation, 41, 0, 0, 0, null);
    }

    static ContainerStatus down(String active, String sub, String invocation, int code, int status) {
        return ended(active, sub, "exit-code", invocation, code, status);
    }

    static ContainerStatus ended(String active, String sub, String result, String invocation, int code, int status) {
        return new ContainerStatus("loaded", active, sub, result, invocation, 0, code, status, 0, null);
    }

    /** Shows each once, and the last for ever. */
    synchronized void shows(ContainerStatus... next) {
        statuses.clear();
        statuses.addAll(List.of(next));
    }

    private void call(String what) {
        calls.add(what);
        if (unreachable) {
            throw new Hal0Exception(ErrorCode.RUNTIME_UNAVAILABLE, "no helper");
        }
    }

    @Override
    public HostFacts facts() {
        throw new UnsupportedOperationException();
    }

    @Override
    public String launch(ContainerPlan plan, String secret) {
        call("launch");
        launched = Optional.of(plan);
        key = secret;
        shows(running(FIRST, plan.launch()));
        return FIRST;
    }

    @Override
    public List<String> preview(ContainerPlan plan) {
        return List.of("podman", plan.image());
    }

    @Override
    public synchronized ContainerStatus status(SlotName slot) {
        call("status");
        return statuses.size() > 1 ? statuses.removeFirst() : statuses.getFirst();
    }

    @Override
    public List<Difference> differences(ContainerPlan plan) {
        return List.of(new Difference(Difference.Kind.IMAGE, "new", "old"));
    }

    @Override
    public void stop(SlotName slot, String invocation, Duration grace) {
        call("stop " + invocation);
    }

    @Override
    public void resetFailed(SlotName slot) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void unmask(SlotName slot) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void remove(SlotName slot) {
        call("remove");
    }

    @Override
    public Optional<String> image(String reference) {
        call("image");
        return images.contains(reference) ? Optional.of("sha256:cafe") : Optional.empty();
    }

    @Override
    public List<String> images() {
        return List.copyOf(images);
    }

    @Override
    public void pull(String reference, Consumer<String> progress) {
        call("pull " + reference);
        progress.accept("Copying blob");
        images.add(reference);
    }
}
