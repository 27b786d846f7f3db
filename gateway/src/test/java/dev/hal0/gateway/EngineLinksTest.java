package dev.hal0.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hal0.slots.Incarnation;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.VertxInternal;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EngineLinksTest {
    private static final Duration PATIENCE = Duration.ofSeconds(15);
    private static final String REPLY = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private static final EngineRequest SMALL = new EngineRequest(Buffer.buffer("POST / HTTP/1.1\r\n\r\n"), List.of());

    /** Far more than the buffers between two sockets hold. */
    private static final EngineRequest LARGE =
            new EngineRequest(SMALL.head(), List.of(new BodyPiece.Bytes(Buffer.buffer(new byte[64 << 20]))));

    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(2));
    private final Context loop = vertx.getOrCreateContext();
    private final AtomicLong clock = new AtomicLong();
    private final EngineLinks links = new EngineLinks(vertx, clock::get);
    private final ServerSocket engine = listen();

    @AfterEach
    void close() throws IOException {
        engine.close();
        GatewayBox.get(links.close());
        GatewayBox.get(vertx.close());
    }

    @Test
    void linkThatIsFree_isTakenAgain() throws Exception {
        EngineLink link = opened("life-1");
        try (Socket socket = engine.accept()) {
            exchange(link, socket);

            assertThat(opened("life-1")).isSameAs(link);
            assertThat(opened("life-1")).as("it is in use now").isNotSameAs(link);
        }
    }

    @Test
    void youngestLink_isTakenFirst() throws Exception {
        EngineLink one = opened("life-1");
        EngineLink other = opened("life-1");
        try (Socket first = engine.accept();
                Socket second = engine.accept()) {
            exchange(one, first);
            exchange(other, second);

            assertThat(opened("life-1")).isSameAs(other);
            assertThat(opened("life-1")).isSameAs(one);
        }
    }

    @Test
    void newIncarnation_getsNoLinkOfTheOldOne() throws Exception {
        EngineLink old = opened("life-1");
        try (Socket socket = engine.accept()) {
            exchange(old, socket);

            assertThat(opened("life-2")).isNotSameAs(old);
        }
    }

    @Test
    void otherEventLoop_getsItsOwnLinks() throws Exception {
        EngineLink link = opened("life-1");
        try (Socket socket = engine.accept()) {
            exchange(link, socket);

            assertThat(GatewayBox.get(on(otherLoop(), () -> links.open(address("life-1")))))
                    .isNotSameAs(link);
        }
    }

    @Test
    void linkThatLayTooLong_isNotTakenAndClosed() throws Exception {
        EngineLink link = opened("life-1");
        try (Socket socket = engine.accept()) {
            exchange(link, socket);

            clock.addAndGet(EngineLinks.KEPT_NANOS);

            assertThat(opened("life-1")).isNotSameAs(link);
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    void linkThatItsEngineClosed_isNotTaken() throws Exception {
        EngineLink link = opened("life-1");
        EngineLink witness = opened("life-2");
        try (Socket closed = engine.accept();
                Socket open = engine.accept()) {
            exchange(link, closed);
            closed.close();
            // What the event loop hears of one connection now, it hears after the end of the other.
            exchange(witness, open);

            assertThat(opened("life-1")).isNotSameAs(link);
            assertThat(opened("life-2")).isSameAs(witness);
        }
    }

    @Test
    void bytesThatNobodyAskedFor_closeTheLink() throws Exception {
        EngineLink link = opened("life-1");
        try (Socket socket = engine.accept()) {
            exchange(link, socket);

            send(socket, REPLY);

            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    void bytesBehindTheReply_closeTheLink() throws Exception {
        EngineLink link = opened("life-1");
        var heard = new Heard();
        try (Socket socket = engine.accept()) {
            carry(link, SMALL, heard);
            send(socket, REPLY + REPLY);

            await().atMost(PATIENCE).until(() -> heard.events.size() == 3);
            assertThat(heard.events).containsExactly("replied 200", "received ok", "completed");
            readToEnd(socket);
        }
    }

    @Test
    void closedWhileTheEngineReadsNothing_endsAtOnce() throws Exception {
        EngineLink link = opened("life-1");
        var heard = new Heard();
        try (Socket socket = engine.accept()) {
            carry(link, LARGE, heard);
            GatewayBox.get(on(loop, () -> {
                link.close();
                return Future.succeededFuture();
            }));

            assertThat(readToEnd(socket)).isLessThan(64L << 20);
            assertThat(heard.events).isEmpty();
        }
    }

    @Test
    void replyBeforeTheRequestWasSentWhole_isHeardAndTheLastOfItsLink() throws Exception {
        EngineLink link = opened("life-1");
        var heard = new Heard();
        try (Socket socket = engine.accept()) {
            carry(link, LARGE, heard);
            send(socket, REPLY);

            await().atMost(PATIENCE).until(() -> heard.events.contains("completed"));
            assertThat(readToEnd(socket)).isLessThan(64L << 20);
        }
    }

    @Test
    void engineThatListensToNothing_isAFailure() throws Exception {
        engine.close();

        assertThat(on(loop, () -> links.open(address("life-1"))).toCompletionStage())
                .failsWithin(PATIENCE);
    }

    private static ServerSocket listen() {
        try {
            return new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    private Context otherLoop() {
        Context other = ((VertxInternal) vertx).createEventLoopContext();
        while (threadOf(other) == threadOf(loop)) {
            other = ((VertxInternal) vertx).createEventLoopContext();
        }
        return other;
    }

    private static Thread threadOf(Context context) {
        return GatewayBox.get(on(context, () -> Future.succeededFuture(Thread.currentThread())));
    }

    private EngineLinks.Address address(String life) {
        return new EngineLinks.Address("127.0.0.1", engine.getLocalPort(), new Incarnation(life));
    }

    private EngineLink opened(String life) {
        return GatewayBox.get(on(loop, () -> links.open(address(life))));
    }

    private void carry(EngineLink link, EngineRequest request, Heard heard) {
        GatewayBox.get(on(loop, () -> {
            link.carry(request, heard);
            return Future.succeededFuture();
        }));
    }

    /** After which the link lies free. */
    private void exchange(EngineLink link, Socket socket) throws IOException {
        var heard = new Heard();
        carry(link, SMALL, heard);
        socket.getInputStream().readNBytes(SMALL.head().length());
        send(socket, REPLY);
        await().atMost(PATIENCE).until(() -> heard.events.contains("completed"));
    }

    private static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
    }

    private static long readToEnd(Socket socket) {
        long read = 0;
        try {
            var in = socket.getInputStream();
            var some = new byte[64 << 10];
            for (int n = in.read(some); n >= 0; n = in.read(some)) {
                read += n;
            }
        } catch (IOException reset) {
            // An end, too.
        }
        return read;
    }

    private static <T> Future<T> on(Context context, Supplier<Future<T>> what) {
        Promise<T> result = Promise.promise();
        context.runOnContext(ignored -> what.get().onComplete(result));
        return result.future();
    }

    private static final class Heard implements EngineLink.User {
        final List<String> events = new CopyOnWriteArrayList<>();

        @Override
        public void replied(ReplyHead head) {
            events.add("replied " + head.status());
        }

        @Override
        public void received(Buffer bytes) {
            events.add("received " + bytes);
        }

        @Override
        public void completed() {
            events.add("completed");
        }

        @Override
        public void broke(Throwable cause) {
            events.add("broke");
        }
    }
}
