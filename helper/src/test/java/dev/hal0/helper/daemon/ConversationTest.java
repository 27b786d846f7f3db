package dev.hal0.helper.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.helper.FrameChannel;
import dev.hal0.helper.HelperClient;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real sockets, and callers that break every rule. */
class ConversationTest {
    @TempDir
    Path folder;

    private final FakeContainerHost host = new FakeContainerHost();
    private final ConcurrentLinkedQueue<String> audit = new ConcurrentLinkedQueue<>();
    private final LinkedBlockingQueue<CompletableFuture<Void>> conversations = new LinkedBlockingQueue<>();
    private ServerSocketChannel server;
    private Path socket;

    @BeforeEach
    void listen() throws IOException {
        socket = folder.resolve("s");
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        Thread.ofVirtual().start(() -> {
            try {
                while (true) {
                    SocketChannel connection = server.accept();
                    var ended = new CompletableFuture<Void>();
                    conversations.add(ended);
                    Thread.ofVirtual().start(() -> converse(connection, ended));
                }
            } catch (IOException closed) {
                // The test is over.
            }
        });
    }

    private void converse(SocketChannel connection, CompletableFuture<Void> ended) {
        try (var channel = new FrameChannel(connection)) {
            new Conversation(channel, host, audit::add).run();
            ended.complete(null);
        } catch (IOException failure) {
            ended.completeExceptionally(failure);
        }
    }

    @AfterEach
    void close() throws IOException {
        server.close();
    }

    private static String raw(SocketChannel connection, String json) throws IOException {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        connection.write(ByteBuffer.allocate(4 + body.length)
                .putInt(body.length)
                .put(body)
                .flip());
        var header = ByteBuffer.allocate(4);
        while (header.hasRemaining() && connection.read(header) >= 0) {
            continue;
        }
        var reply = ByteBuffer.allocate(header.flip().getInt());
        while (reply.hasRemaining() && connection.read(reply) >= 0) {
            continue;
        }
        return new String(reply.array(), StandardCharsets.UTF_8);
    }

    private void assertEnded(Class<? extends IOException> how) throws InterruptedException {
        CompletableFuture<Void> conversation = conversations.poll(20, TimeUnit.SECONDS);
        assertThat(conversation)
                .isNotNull()
                .failsWithin(Duration.ofSeconds(20))
                .withThrowableThat()
                .withCauseInstanceOf(how);
    }

    @Test
    void calls_reachTheHostAndComeBack() {
        try (var client = new HelperClient(socket)) {
            assertThat(client.facts().podman()).isEqualTo("podman version 4");
            assertThat(client.launch(new Plans(folder).good(), "key")).isEqualTo(FakeContainerHost.INVOCATION);
            assertThat(client.status(Plans.SLOT)).isEqualTo(host.status);
            client.stop(Plans.SLOT, "i", Duration.ofSeconds(3));
            assertThat(client.image(Plans.IMAGE)).isEqualTo(Optional.of("id"));
            assertThat(client.preview(new Plans(folder).good())).containsExactly("podman", "run");
        }
        assertThat(host.calls).contains("stop chat i PT3S", "launch chat key");
        assertThat(audit).noneMatch(line -> line.contains("key"));
        assertThat(conversations).as("one connection carried all of them").hasSize(1);
    }

    @Test
    void failures_arriveWithCodeFieldAndEvidence() {
        host.failure = Optional.of(new Hal0Exception(ErrorCode.RUNTIME_PLAN_REFUSED, "no")
                .withParam("port")
                .withDetail("port", 22));

        try (var client = new HelperClient(socket)) {
            assertThatThrownBy(client::facts).isInstanceOfSatisfying(Hal0Exception.class, told -> {
                assertThat(told.code()).isEqualTo(ErrorCode.RUNTIME_PLAN_REFUSED);
                assertThat(told.param()).contains("port");
                assertThat(told.details()).containsEntry("port", 22);
            });
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "[]",
                "null",
                "\"launch\"",
                "{\"verb\":\"shell\",\"command\":\"id\"}",
                "{\"verb\":\"status\"}",
                "{\"verb\":\"status\",\"slot\":\"../../etc\"}",
                "{\"verb\":\"status\",\"slot\":\"chat\",\"flags\":\"--privileged\"}",
                "{\"verb\":\"status\",\"slot\":\"chat\",\"slot\":\"embed\"}",
                "{\"verb\":\"launch\",\"plan\":{\"slot\":\"chat\"},\"key\":\"k\"}",
                "{\"verb\":\"stop\",\"slot\":\"chat\\n\",\"invocation\":\"i\",\"grace_millis\":1}",
                "{\"verb\":\"facts\"} {\"verb\":\"facts\"}",
                "{\"verb\":\"facts\""
            })
    void whatIsNoCall_isRefusedAndReachesNothing(String json) throws IOException {
        try (var connection = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            assertThat(raw(connection, json)).contains("runtime.plan_refused");
            assertThat(raw(connection, "{\"verb\":\"facts\"}")).contains("podman version 4");
        }
        assertThat(host.calls).containsExactly("facts");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, Integer.MAX_VALUE, Integer.MIN_VALUE, FrameChannel.LARGEST + 1})
    void frameOfNoSaneLength_endsTheConnection(int length) throws Exception {
        try (var connection = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            connection.write(ByteBuffer.allocate(4).putInt(length).flip());

            assertEnded(IOException.class);
        }
    }

    @Test
    void halfAFrame_endsTheConnection() throws Exception {
        try (var connection = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            connection.write(ByteBuffer.allocate(6)
                    .putInt(100)
                    .put((byte) '{')
                    .put((byte) '"')
                    .flip());
        }
        assertEnded(java.io.EOFException.class);
    }

    /** A caller that stops in the middle holds its helper for the time of a frame, not for ever. */
    @Test
    void callerThatStopsInAFrame_isGivenUp() throws Exception {
        try (var connection = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            connection.write(ByteBuffer.allocate(6)
                    .putInt(100)
                    .put((byte) '{')
                    .put((byte) '"')
                    .flip());

            assertEnded(java.net.SocketTimeoutException.class);
        }
    }

    @Test
    void callerThatGoesAway_endsThePullItAskedFor() throws Exception {
        host.pulling = new CountDownLatch(1);
        try (var client = new HelperClient(socket)) {
            var words = new ConcurrentLinkedQueue<String>();
            Thread caller = Thread.ofVirtual().start(() -> {
                try {
                    client.pull(Plans.IMAGE, words::add);
                } catch (Hal0Exception cancelled) {
                    words.add(cancelled.code().code());
                }
            });
            host.pulling.await(20, TimeUnit.SECONDS);
            caller.interrupt();
            caller.join(Duration.ofSeconds(20));

            assertThat(words).endsWith("operation.cancelled");
            assertThat(host.pullEnded.await(20, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void absentHelper_isNamed() {
        try (var client = new HelperClient(folder.resolve("none"))) {
            assertThatThrownBy(client::facts)
                    .isInstanceOfSatisfying(
                            Hal0Exception.class,
                            told -> assertThat(told.code()).isEqualTo(ErrorCode.RUNTIME_UNAVAILABLE));
        }
    }

    @Test
    void otherUsers_areNotAllowed() throws IOException {
        var users = folder.getFileSystem().getUserPrincipalLookupService();
        var own = Files.getOwner(folder);
        Policy ours = new Plans(folder).policy();

        assertThat(HelperMain.isAllowed(own, ours)).isTrue();
        for (String other : List.of("root", "nobody")) {
            var principal = users.lookupPrincipalByName(other);
            assertThat(HelperMain.isAllowed(principal, ours)).isEqualTo(principal.equals(own));
        }
    }
}
