package dev.hal0.helper.daemon;

import dev.hal0.helper.ContainerHost;
import dev.hal0.helper.FrameChannel;
import dev.hal0.helper.HelperCall;
import dev.hal0.helper.HelperReply;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * One connection: call, answer, call, answer. A caller that goes away interrupts the call that can be (an image being fetched);
 * any other call is finished, because half a launch is worse than one that nobody waits for.
 */
final class Conversation {
    private static final Duration IDLE = Duration.ofSeconds(60);
    private static final Duration FRAME = Duration.ofSeconds(5);
    private static final Duration LOOK = Duration.ofMillis(200);

    private final FrameChannel channel;
    private final ContainerHost host;
    private final Consumer<String> audit;

    /** @param audit one line per call, without secrets */
    Conversation(FrameChannel channel, ContainerHost host, Consumer<String> audit) {
        this.channel = channel;
        this.host = host;
        this.audit = audit;
    }

    /** Returns when the caller has gone, sends nothing for a minute, or breaks the rules of the frame. */
    void run() throws IOException {
        try (ExecutorService worker = Executors.newVirtualThreadPerTaskExecutor()) {
            Optional<byte[]> frame;
            while ((frame = channel.read(IDLE, FRAME)).isPresent()) {
                if (!answer(frame.get(), worker)) {
                    return;
                }
            }
        }
    }

    /** @return false when the caller has gone */
    private boolean answer(byte[] frame, ExecutorService worker) throws IOException {
        HelperCall call;
        try {
            call = Json.STRICT.readValue(frame, HelperCall.class);
        } catch (JacksonException malformed) {
            return refuse(malformed.getOriginalMessage());
        }
        if (call == null) {
            return refuse("null");
        }
        var words = new LinkedBlockingQueue<String>(1_000);
        Future<JsonNode> work = worker.submit(() -> perform(call, words::offer));
        try {
            return await(call, work, words);
        } catch (InterruptedException ending) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            if (call instanceof HelperCall.Pull) {
                work.cancel(true);
            }
        }
    }

    private boolean refuse(String why) throws IOException {
        audit.accept("refused: no call of the helper's");
        write(HelperReply.failure(
                new Hal0Exception(ErrorCode.RUNTIME_PLAN_REFUSED, "This is no call of the root helper: " + why)));
        return true;
    }

    private boolean await(HelperCall call, Future<JsonNode> work, LinkedBlockingQueue<String> words)
            throws IOException, InterruptedException {
        while (!work.isDone()) {
            passOn(words);
            if (call instanceof HelperCall.Pull && channel.isClosedWithin(Duration.ZERO)) {
                return false;
            }
            try {
                var unused = work.get(LOOK.toMillis(), TimeUnit.MILLISECONDS);
            } catch (java.util.concurrent.TimeoutException notYet) {
                continue;
            } catch (ExecutionException failed) {
                break;
            }
        }
        passOn(words);
        try {
            write(HelperReply.result(work.get()));
        } catch (ExecutionException failed) {
            Hal0Exception why = failed.getCause() instanceof Hal0Exception known
                    ? known
                    : new Hal0Exception(
                            ErrorCode.SYSTEM_INTERNAL, "The root helper failed: " + failed.getCause(), failed);
            audit.accept("failed " + name(call) + ": " + why);
            write(HelperReply.failure(why));
        }
        return true;
    }

    private void passOn(LinkedBlockingQueue<String> words) throws IOException {
        @Nullable String word;
        while ((word = words.poll()) != null) {
            write(HelperReply.progress(word));
        }
    }

    private void write(HelperReply reply) throws IOException {
        channel.write(Json.STRICT.writeValueAsBytes(reply), FRAME);
    }

    private static String name(HelperCall call) {
        return call.getClass().getSimpleName();
    }

    private JsonNode perform(HelperCall call, Consumer<String> progress) {
        return switch (call) {
            case HelperCall.Facts() -> tree(host.facts());
            case HelperCall.Launch(var plan, var key) -> {
                audit.accept("launch " + plan.slot() + " from " + plan.image());
                yield tree(host.launch(plan, key));
            }
            case HelperCall.Preview(var plan) -> tree(host.preview(plan));
            case HelperCall.Status(var slot) -> tree(host.status(slot));
            case HelperCall.Differences(var plan) -> tree(host.differences(plan));
            case HelperCall.Stop(var slot, var invocation, var graceMillis) -> {
                audit.accept("stop " + slot + " " + invocation);
                host.stop(slot, invocation, Duration.ofMillis(Math.clamp(graceMillis, 0, 600_000)));
                yield tree(true);
            }
            case HelperCall.ResetFailed(var slot) -> {
                host.resetFailed(slot);
                yield tree(true);
            }
            case HelperCall.Unmask(var slot) -> {
                audit.accept("unmask " + slot);
                host.unmask(slot);
                yield tree(true);
            }
            case HelperCall.Remove(var slot) -> {
                audit.accept("remove " + slot);
                host.remove(slot);
                yield tree(true);
            }
            case HelperCall.Image(var reference) -> tree(host.image(reference).orElse(""));
            case HelperCall.Images() -> tree(host.images());
            case HelperCall.Pull(var reference) -> {
                audit.accept("pull " + reference);
                host.pull(reference, progress);
                yield tree(true);
            }
        };
    }

    private static JsonNode tree(Object value) {
        return Json.STRICT.valueToTree(value);
    }
}
