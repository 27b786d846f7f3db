package dev.hal0.helper;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import dev.hal0.kernel.SlotName;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;

/**
 * The control plane's side of the border. A connection carries one call at a time and is kept for the next; the helper ends it
 * after a minute without one, which is noticed before it is used again.
 */
public final class HelperClient implements ContainerHost, AutoCloseable {
    /** Where systemd listens for the helper. */
    public static final Path SOCKET = Path.of("/run/hal0-helper.sock");

    private static final Duration SEND = Duration.ofSeconds(5);
    private static final Duration QUICK = Duration.ofSeconds(30);
    private static final Duration LAUNCH = Duration.ofSeconds(180);
    /** Beside the grace itself: the final signal, and its own deadline. */
    private static final Duration AROUND_STOP = Duration.ofSeconds(60);

    private static final Duration PULL = Duration.ofHours(12);

    private final Path socket;
    private final Deque<FrameChannel> idle = new ConcurrentLinkedDeque<>();

    public HelperClient(Path socket) {
        this.socket = socket;
    }

    @Override
    public HostFacts facts() {
        return call(new HelperCall.Facts(), HostFacts.class, QUICK);
    }

    @Override
    public String launch(ContainerPlan plan, String key) {
        return call(new HelperCall.Launch(plan, key), String.class, LAUNCH);
    }

    @Override
    public List<String> preview(ContainerPlan plan) {
        return call(new HelperCall.Preview(plan), new TypeReference<>() {}, QUICK, word -> {});
    }

    @Override
    public ContainerStatus status(SlotName slot) {
        return call(new HelperCall.Status(slot), ContainerStatus.class, QUICK);
    }

    @Override
    public List<Difference> differences(ContainerPlan plan) {
        return call(new HelperCall.Differences(plan), new TypeReference<>() {}, QUICK, word -> {});
    }

    @Override
    public void stop(SlotName slot, String invocation, Duration grace) {
        call(new HelperCall.Stop(slot, invocation, grace.toMillis()), Boolean.class, grace.plus(AROUND_STOP));
    }

    @Override
    public void resetFailed(SlotName slot) {
        call(new HelperCall.ResetFailed(slot), Boolean.class, QUICK);
    }

    @Override
    public void unmask(SlotName slot) {
        call(new HelperCall.Unmask(slot), Boolean.class, QUICK);
    }

    @Override
    public void remove(SlotName slot) {
        call(new HelperCall.Remove(slot), Boolean.class, QUICK);
    }

    @Override
    public Optional<String> image(String reference) {
        String id = call(new HelperCall.Image(reference), String.class, QUICK);
        return id.isEmpty() ? Optional.empty() : Optional.of(id);
    }

    @Override
    public List<String> images() {
        return call(new HelperCall.Images(), new TypeReference<>() {}, QUICK, word -> {});
    }

    @Override
    public void pull(String reference, Consumer<String> progress) {
        call(new HelperCall.Pull(reference), new TypeReference<Boolean>() {}, PULL, progress);
    }

    private <T> T call(HelperCall call, Class<T> type, Duration deadline) {
        return call(
                call,
                new TypeReference<>() {
                    @Override
                    public java.lang.reflect.Type getType() {
                        return type;
                    }
                },
                deadline,
                word -> {});
    }

    private <T> T call(HelperCall call, TypeReference<T> type, Duration deadline, Consumer<String> progress) {
        byte[] request = Json.STRICT.writerFor(HelperCall.class).writeValueAsBytes(call);
        try {
            JsonNode answer;
            FrameChannel kept = kept();
            try {
                answer = exchange(kept == null ? open() : kept, request, deadline, progress);
            } catch (InterruptedIOException over) {
                throw over;
            } catch (IOException ended) {
                if (kept == null) {
                    throw ended;
                }
                // The helper ended a connection that nobody used, just as it was used: every call can be repeated.
                answer = exchange(open(), request, deadline, progress);
            }
            return Json.STRICT.convertValue(answer, type);
        } catch (SocketTimeoutException silent) {
            throw new Hal0Exception(
                    ErrorCode.RUNTIME_STUCK,
                    "The root helper did not answer within " + deadline.toSeconds() + " s.",
                    silent);
        } catch (InterruptedIOException | ClosedByInterruptException cancelled) {
            Thread.currentThread().interrupt();
            throw new Hal0Exception(ErrorCode.OPERATION_CANCELLED, "Given up while the root helper worked.", cancelled);
        } catch (IOException | JacksonException failure) {
            throw new Hal0Exception(
                    ErrorCode.RUNTIME_UNAVAILABLE,
                    "The root helper behind " + socket + " cannot be used: " + failure.getMessage() + ".",
                    failure);
        }
    }

    private JsonNode exchange(FrameChannel connection, byte[] request, Duration deadline, Consumer<String> progress)
            throws IOException {
        boolean healthy = false;
        try {
            connection.write(request, SEND);
            JsonNode answer = answer(connection, deadline, progress);
            healthy = true;
            return answer;
        } catch (Hal0Exception told) {
            healthy = true;
            throw told;
        } finally {
            if (healthy) {
                idle.addFirst(connection);
            } else {
                connection.close();
            }
        }
    }

    private static JsonNode answer(FrameChannel connection, Duration deadline, Consumer<String> progress)
            throws IOException {
        long end = System.nanoTime() + deadline.toNanos();
        while (true) {
            Duration left = Duration.ofNanos(Math.max(0, end - System.nanoTime()));
            Optional<byte[]> frame = connection.read(left, SEND);
            if (frame.isEmpty()) {
                if (System.nanoTime() >= end) {
                    throw new SocketTimeoutException("no answer");
                }
                throw new IOException("it ended the connection; `journalctl -u 'hal0-helper@*'` says why");
            }
            HelperReply reply = Json.STRICT.readValue(frame.get(), HelperReply.class);
            if (reply.failure() != null) {
                throw reply.failure().toException();
            }
            if (reply.result() != null) {
                return reply.result();
            }
            progress.accept(String.valueOf(reply.progress()));
        }
    }

    /** A connection that the helper has ended meanwhile shows as readable. */
    private @Nullable FrameChannel kept() throws IOException {
        FrameChannel kept;
        while ((kept = idle.pollFirst()) != null && kept.isClosedWithin(Duration.ZERO)) {
            kept.close();
        }
        return kept;
    }

    private FrameChannel open() throws IOException {
        SocketChannel opened = SocketChannel.open(UnixDomainSocketAddress.of(socket));
        try {
            return new FrameChannel(opened);
        } catch (IOException failure) {
            opened.close();
            throw failure;
        }
    }

    @Override
    public void close() {
        FrameChannel kept;
        while ((kept = idle.pollFirst()) != null) {
            kept.close();
        }
    }
}
