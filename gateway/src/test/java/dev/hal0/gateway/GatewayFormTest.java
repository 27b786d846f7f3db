package dev.hal0.gateway;

import static dev.hal0.gateway.GatewayBox.CHAT;
import static dev.hal0.gateway.GatewayBox.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hal0.slots.SlotType;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Forms, and bodies of either kind that are too large for memory. */
class GatewayFormTest {
    private static final String TRANSCRIPTIONS = "/v1/audio/transcriptions";
    private static final int MEMORY_BYTES = 64 << 10;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path folder;

    private final List<FileChannel> files = new CopyOnWriteArrayList<>();
    private Spool.Opener opener = () -> FileChannel.open(
            Files.createTempFile(folder, "spool", ""),
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.DELETE_ON_CLOSE);

    @SuppressWarnings("NullAway.Init")
    private GatewayBox box;

    @BeforeEach
    void open() {
        var limits = GatewayBox.POLICY;
        var policy = new GatewayPolicy(
                16 << 20,
                limits.loadBudget(),
                limits.holdHeaders(),
                limits.progressEvery(),
                limits.streamIdle(),
                limits.streamTotal(),
                limits.nonStreamTotal(),
                false);
        box = new GatewayBox(policy, new Spool(MEMORY_BYTES, () -> {
            FileChannel file = opener.open();
            files.add(file);
            return file;
        }));
        box.slots
                .add("stt", SlotType.TRANSCRIPTION)
                .model("tiny-whisper")
                .permits(1)
                .on(box.engine)
                .byDefault()
                .ready();
        box.engine.behave(FakeEngineServer.json("{\"text\":\"hello\"}"));
    }

    @AfterEach
    void close() {
        box.close();
        assertThat(files).as("spool files kept").noneMatch(FileChannel::isOpen);
    }

    private RawClient.Reply transcribe(String form) throws IOException {
        return box.post(TRANSCRIPTIONS, form, "Content-Type: " + FormText.TYPE);
    }

    private static MultipartForm read(FakeEngineServer.Call call) {
        MultipartReader reader = MultipartReader.of(call.headers.get("content-type"));
        reader.read(io.vertx.core.buffer.Buffer.buffer(call.body));
        return reader.finish();
    }

    @Test
    void form_reachesTheEngineWithTheResolvedModel() throws Exception {
        RawClient.Reply got = transcribe(new FormText()
                .file("file", "RIFF")
                .field("model", "stt")
                .field("language", "de")
                .end());

        assertThat(got.status()).isEqualTo(200);
        assertThat(got.body()).isEqualTo("{\"text\":\"hello\"}");
        assertThat(got.headers()).containsEntry("x-hal0-slot", "stt").containsEntry("x-hal0-model", "tiny-whisper");
        MultipartForm form = read(box.engine.onlyCall());
        assertThat(form.field("model")).contains("tiny-whisper");
        assertThat(form.field("language")).contains("de");
        assertThat(box.engine.onlyCall().bodyText())
                .contains("filename=\"a b.wav\"")
                .contains("RIFF");
        assertThat(files).isEmpty();
    }

    @Test
    void formWithoutAModel_goesToTheDefaultSlot() throws Exception {
        assertThat(transcribe(new FormText().file("file", "RIFF").end()).status())
                .isEqualTo(200);
        assertThat(read(box.engine.onlyCall()).field("model")).contains("tiny-whisper");
    }

    @Test
    void formForAModelOfAnotherKind_is409() throws Exception {
        RawClient.Reply got = transcribe(
                new FormText().file("file", "RIFF").field("model", "chat").end());

        assertThat(got.status()).isEqualTo(409);
        assertThat(got.error().path("code").asString()).isEqualTo("dispatch.capability_mismatch");
    }

    @Test
    void brokenForms_are400NamingTheField() throws Exception {
        RawClient.Reply noFile = transcribe(new FormText().field("model", "stt").end());
        assertThat(noFile.status()).isEqualTo(400);
        assertThat(noFile.error().path("param").asString()).isEqualTo("file");

        RawClient.Reply twice = transcribe(new FormText()
                .field("model", "stt")
                .field("model", "x")
                .file("file", "")
                .end());
        assertThat(twice.status()).isEqualTo(400);
        assertThat(twice.error().path("code").asString()).isEqualTo("request.invalid_form");
        assertThat(twice.error().path("param").asString()).isEqualTo("model");

        RawClient.Reply json = box.post(TRANSCRIPTIONS, "{\"model\":\"stt\"}", "Content-Type: application/json");
        assertThat(json.status()).isEqualTo(400);
        assertThat(json.error().path("param").asString()).isEqualTo("Content-Type");

        assertThat(box.engine.calls).isEmpty();
    }

    @Test
    void largeForm_goesThroughAFileAndArrivesWhole() throws Exception {
        String sound = "0123456789abcdef".repeat(500_000);
        String form = new FormText().file("file", sound).field("model", "stt").end();

        assertThat(transcribe(form).status()).isEqualTo(200);

        assertThat(read(box.engine.onlyCall()).field("model")).contains("tiny-whisper");
        assertThat(box.engine.onlyCall().bodyText()).contains("\r\n\r\n" + sound + "\r\n--");
        assertThat(files).hasSize(1);
    }

    @Test
    void largeJson_goesThroughAFileUnchanged() throws Exception {
        String body = "{\"image\":\"" + "x".repeat(5_000_000) + "\",\"model\":\"chat\"}";

        assertThat(box.post(CHAT, body).status()).isEqualTo(200);

        assertThat(box.engine.onlyCall().bodyText()).isEqualTo(body);
        assertThat(files).hasSize(1);
    }

    @Test
    void largeMalformedJson_is400AndFreesItsFile() throws Exception {
        assertThat(box.post(CHAT, "{\"image\":\"" + "x".repeat(500_000)).status())
                .isEqualTo(400);
        assertThat(files).hasSize(1);
    }

    @Test
    void fullDisk_isSaidClearly() throws Exception {
        opener = () -> FileChannel.open(Path.of("/dev/full"), StandardOpenOption.READ, StandardOpenOption.WRITE);

        RawClient.Reply got =
                transcribe(new FormText().file("file", "x".repeat(2_000_000)).end());

        assertThat(got.status()).isEqualTo(507);
        assertThat(got.error().path("code").asString()).isEqualTo("system.storage");
        assertThat(got.error().path("message").asString()).contains("No space left on device");
        assertThat(box.engine.calls).isEmpty();
    }

    @Test
    void clientThatLeavesInTheMiddle_leavesNoFile() throws Exception {
        try (var client = new RawClient(box.port())) {
            client.raw("POST " + TRANSCRIPTIONS + " HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\nContent-Type: "
                    + FormText.TYPE + "\r\n\r\n"
                    + new FormText().file("file", "x".repeat(1_000_000)).open());
            await().atMost(PATIENCE).until(() -> !files.isEmpty());
        }
        assertThat(box.account().errorCode()).contains(Accounting.CLIENT_CLOSED);
        await().atMost(PATIENCE).until(() -> files.stream().noneMatch(FileChannel::isOpen));
    }

    /** Regression: what was refused at its beginning must not wait for its end. */
    @Test
    void formThatIsWrongAtItsBeginning_isRefusedWhileItIsSent() throws Exception {
        try (var client = new RawClient(box.port())) {
            client.raw("POST " + TRANSCRIPTIONS + " HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\nContent-Type: "
                    + FormText.TYPE + "\r\n\r\n"
                    + new FormText().part("nonsense", "").open());
            assertThat(client.head().status()).isEqualTo(400);
        }
    }

    @Test
    void engineThatDoesNotRead_holdsBackTheFile() throws Exception {
        // Answers before it was sent everything: the rest is never read from the disk.
        box.engine.behave(FakeEngineServer.status(400, "text/plain", "Invalid request"));

        RawClient.Reply got =
                transcribe(new FormText().file("file", "x".repeat(3_000_000)).end());

        assertThat(got.status()).isEqualTo(400);
        assertThat(got.error().path("details").path("upstream").asString()).isEqualTo("Invalid request");
    }

    @Test
    void engineThatDied_getsTheWholeBodyAgainInItsNextLife() throws Exception {
        box.slots.beforeLoad(() -> {
            box.engine.listenAgain();
            box.engine.behave(FakeEngineServer.json("{\"text\":\"again\"}"));
        });
        box.engine.die();

        RawClient.Reply got =
                transcribe(new FormText().file("file", "x".repeat(3_000_000)).end());

        assertThat(got.body()).isEqualTo("{\"text\":\"again\"}");
        assertThat(box.engine.onlyCall().body).hasSizeGreaterThan(3_000_000);
    }

    @Test
    void secondTranscription_waitsForItsTurn() throws Exception {
        box.engine.behave(FakeEngineServer.silent());
        try (var first = new RawClient(box.port());
                var second = new RawClient(box.port())) {
            String form = new FormText().file("file", "x".repeat(200_000)).end();
            first.send("POST", TRANSCRIPTIONS, form, "Content-Type: " + FormText.TYPE);
            box.engineCall();
            second.send("POST", TRANSCRIPTIONS, form, "Content-Type: " + FormText.TYPE);
            await().atMost(PATIENCE)
                    .until(() -> box.gateway.requests().stream()
                            .anyMatch(request -> request.phase().equals("queued")));
            assertThat(box.engine.calls).hasSize(1);
        }
        box.engineCall().awaitClosed();
    }

    @Test
    void spool_keepsNothingUnderAName(@TempDir Path home) throws Exception {
        Path spool = home.resolve("spool");
        Files.createDirectories(spool);
        Files.writeString(spool.resolve("left.body"), "of a process that was killed");
        Files.writeString(spool.resolve("other"), "not ours");

        try (SpoolFile file = new Spool(spool).create()) {
            file.append(new byte[] {1, 2, 3});
            try (Stream<Path> names = Files.list(spool)) {
                assertThat(names.map(Path::getFileName).map(Path::toString)).containsExactly("other");
            }
            assertThat(file.read(1, 2).getBytes()).containsExactly(2, 3);
        }
        Path fresh = home.resolve("fresh");
        new Spool(fresh).create().close();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(fresh)))
                .isEqualTo("rwx------");
    }
}
