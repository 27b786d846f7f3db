package dev.hal0.helper.daemon;

import dev.hal0.helper.ContainerHost;
import dev.hal0.helper.ContainerPlan;
import dev.hal0.helper.ContainerStatus;
import dev.hal0.helper.Difference;
import dev.hal0.helper.HostFacts;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;

/** Remembers what it was asked. */
final class FakeContainerHost implements ContainerHost {
    static final String INVOCATION = "0123456789abcdef0123456789abcdef";

    final ConcurrentLinkedQueue<String> calls = new ConcurrentLinkedQueue<>();
    final CountDownLatch pullEnded = new CountDownLatch(1);
    volatile CountDownLatch pulling = new CountDownLatch(1);
    volatile Optional<Hal0Exception> failure = Optional.empty();
    volatile ContainerStatus status =
            new ContainerStatus("loaded", "active", "running", "success", INVOCATION, 7, 0, 0, 0, null);

    private void call(String what) {
        calls.add(what);
        failure.ifPresent(why -> {
            throw why;
        });
    }

    @Override
    public HostFacts facts() {
        call("facts");
        return new HostFacts("podman version 4", "systemd 252", List.of("/m"), 8081, 8200);
    }

    @Override
    public String launch(ContainerPlan plan, String key) {
        call("launch " + plan.slot() + " " + key);
        return INVOCATION;
    }

    @Override
    public List<String> preview(ContainerPlan plan) {
        call("preview");
        return List.of("podman", "run");
    }

    @Override
    public ContainerStatus status(SlotName slot) {
        call("status " + slot);
        return status;
    }

    @Override
    public List<Difference> differences(ContainerPlan plan) {
        call("differences");
        return List.of();
    }

    @Override
    public void stop(SlotName slot, String invocation, Duration grace) {
        call("stop " + slot + " " + invocation + " " + grace);
    }

    @Override
    public void resetFailed(SlotName slot) {
        call("reset " + slot);
    }

    @Override
    public void unmask(SlotName slot) {
        call("unmask " + slot);
    }

    @Override
    public void remove(SlotName slot) {
        call("remove " + slot);
    }

    @Override
    public Optional<String> image(String reference) {
        call("image " + reference);
        return Optional.of("id");
    }

    @Override
    public List<String> images() {
        call("images");
        return List.of();
    }

    @Override
    public void pull(String reference, Consumer<String> progress) {
        call("pull " + reference);
        progress.accept("Copying blob");
        pulling.countDown();
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException ended) {
            pullEnded.countDown();
            throw new Hal0Exception(ErrorCode.OPERATION_CANCELLED, "ended", ended);
        }
    }
}
