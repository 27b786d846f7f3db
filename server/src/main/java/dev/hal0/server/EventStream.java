package dev.hal0.server;

import dev.hal0.kernel.ErrorEnvelope;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * One server-sent-event response. Thread-safe: anyone may send; the bytes leave on the connection's event loop. A client that
 * does not read is disconnected when {@link #MOST_PENDING} bytes wait for it: it comes back with its last event id and misses
 * nothing, while a growing queue would take the memory of everyone.
 */
final class EventStream {
    private static final long MOST_PENDING = 4 << 20;
    private static final long KEEP_ALIVE_MILLIS = 15_000;

    private final HttpServerResponse response;
    private final Context context;
    private final Vertx vertx;
    private final AtomicBoolean ended = new AtomicBoolean();
    private final AtomicLong pending = new AtomicLong();
    private final List<AutoCloseable> resources = new ArrayList<>();
    private final long keepAlive;

    /** Called on the event loop; writes the response's head at once. */
    EventStream(Vertx vertx, Context context, HttpServerResponse response) {
        this.vertx = vertx;
        this.context = context;
        this.response = response;
        response.setChunked(true)
                .putHeader("Content-Type", "text/event-stream; charset=utf-8")
                .putHeader("Cache-Control", "no-cache")
                .putHeader("X-Accel-Buffering", "no");
        response.closeHandler(ignored -> released());
        response.exceptionHandler(ignored -> released());
        var unused = response.write("retry: 1000\n\n");
        this.keepAlive = vertx.setPeriodic(KEEP_ALIVE_MILLIS, ignored -> write(": keep-alive\n\n"));
    }

    /** Something to close when the stream ends, whoever ends it. */
    void onEnd(AutoCloseable resource) {
        synchronized (resources) {
            if (!ended.get()) {
                resources.add(resource);
                return;
            }
        }
        close(resource);
    }

    void send(@Nullable String id, @Nullable String event, Object data) {
        var text = new StringBuilder();
        if (id != null) {
            text.append("id: ").append(id).append('\n');
        }
        if (event != null) {
            text.append("event: ").append(event).append('\n');
        }
        // JSON has no raw newline, so one data line is enough.
        text.append("data: ").append(Json.STRICT.writeValueAsString(data)).append("\n\n");
        write(text.toString());
    }

    void fail(Hal0Exception why, String requestId) {
        send(null, "error", ErrorEnvelope.of(why, requestId));
        end();
    }

    void end() {
        context.runOnContext(ignored -> {
            if (!response.ended() && !response.closed()) {
                var unused = response.end();
            }
            released();
        });
    }

    private void write(String text) {
        if (ended.get()) {
            return;
        }
        if (pending.addAndGet(text.length()) > MOST_PENDING) {
            context.runOnContext(ignored -> response.reset());
            return;
        }
        context.runOnContext(ignored -> {
            if (ended.get() || response.closed()) {
                return;
            }
            var unused = response.write(text).onComplete(done -> pending.addAndGet(-text.length()));
        });
    }

    private void released() {
        if (!ended.compareAndSet(false, true)) {
            return;
        }
        vertx.cancelTimer(keepAlive);
        List<AutoCloseable> toClose;
        synchronized (resources) {
            toClose = List.copyOf(resources);
        }
        Thread.startVirtualThread(() -> toClose.forEach(EventStream::close));
    }

    private static void close(AutoCloseable resource) {
        try {
            resource.close();
        } catch (Exception ignored) {
            // The client is gone and so is whoever could be told.
        }
    }
}
