package dev.hal0.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What may come over the wire, byte by byte. */
class HttpCallTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private interface Behaviour {
        void of(Socket client, OutputStream out) throws Exception;
    }

    private final ServerSocket server;

    HttpCallTest() throws IOException {
        server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    private void serves(Behaviour behaviour) {
        Thread.ofPlatform().daemon().start(() -> {
            try (Socket client = server.accept()) {
                byte[] request = new byte[4096];
                int length = 0;
                while (!new String(request, 0, length, StandardCharsets.ISO_8859_1).contains("\r\n\r\n")) {
                    length += client.getInputStream().read(request, length, request.length - length);
                }
                behaviour.of(client, client.getOutputStream());
            } catch (Exception ended) {
                // the client judges
            }
        });
    }

    private HttpCall call() {
        return new HttpCall(URI.create("http://127.0.0.1:" + server.getLocalPort() + "/x?y=1"), Deadlines.DEFAULT);
    }

    private String get(String wire) throws IOException {
        serves((client, out) -> out.write(wire.getBytes(StandardCharsets.ISO_8859_1)));
        try (HttpCall call = call()) {
            int status = call.send("GET", null, "*/*", LONG, false);
            return status + ":" + new String(call.body().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more",
                "HTTP/1.0 200\r\n\r\nok",
                "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\nok",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n01;x=y\r\nk\r\n0\r\nTrailer: 1\r\n\r\n",
                "HTTP/1.1 200 OK\r\ncontent-length: 99\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"
            })
    void everyFraming_isUnderstood(String wire) throws IOException {
        assertThat(get(wire)).isEqualTo("200:ok");
    }

    @Test
    void statusWithoutBody_doesNotWaitForOne() throws IOException {
        assertThat(get("HTTP/1.1 204 No Content\r\n\r\n")).isEqualTo("204:");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SSH-2.0-OpenSSH_9.2\r\n\r\n",
                "HTTP/1.1 20x OK\r\n\r\n",
                "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nokay\r\n0\r\n\r\n"
            })
    void whatIsNotHttp_isRefused(String wire) {
        assertThatThrownBy(() -> get(wire)).isInstanceOf(HttpCall.NotHttp.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "HTTP/1.1 200 OK\r\nContent-Le",
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nok",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
            })
    void connectionThatEndsEarly_isNoShorterAnswer(String wire) {
        assertThatThrownBy(() -> get(wire)).isInstanceOf(IOException.class).hasMessageContaining("ended early");
    }

    @Test
    void endlessHeader_isCutOff() {
        assertThatThrownBy(() -> get("HTTP/1.1 200 OK\r\nX: " + "y".repeat(200_000) + "\r\n\r\n"))
                .isInstanceOf(IOException.class);
    }

    /** A deadline for each read alone would never pass. */
    @Test
    void answerThatTricklesIn_endsAtTheDeadlineOfTheWhole() throws Exception {
        var over = new CountDownLatch(1);
        serves((client, out) -> {
            out.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
            while (!over.await(5, TimeUnit.MILLISECONDS)) {
                out.write('x');
            }
        });
        try (HttpCall call = call()) {
            assertThatThrownBy(() -> {
                        call.send("GET", null, "*/*", Duration.ofMillis(100), false);
                        call.body().readAllBytes();
                    })
                    .isInstanceOf(SocketTimeoutException.class);
        } finally {
            over.countDown();
        }
    }

    @Test
    void serverThatDoesNotRead_doesNotHoldALargeRequest() throws Exception {
        var over = new CountDownLatch(1);
        serves((client, out) -> over.await(20, TimeUnit.SECONDS));
        try (HttpCall call = call()) {
            assertThatThrownBy(() -> call.send(
                            "POST", HttpCall.Content.json(new byte[64 << 20]), "*/*", Duration.ofMillis(100), false))
                    .isInstanceOf(SocketTimeoutException.class);
        } finally {
            over.countDown();
        }
    }

    @Test
    void closeBeforeSending_sendsNothing() {
        HttpCall call = call();
        call.close();

        assertThatThrownBy(() -> call.send("GET", null, "*/*", LONG, false)).isInstanceOf(HttpCall.NotConnected.class);
    }
}
