package dev.hal0.server;

import static dev.hal0.server.ServerFixture.error;
import static dev.hal0.server.ServerFixture.expect;
import static dev.hal0.server.ServerFixture.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.MultipartField;
import com.openai.models.audio.transcriptions.TranscriptionCreateParams;
import dev.hal0.testing.TestingWav;
import dev.hal0.testing.TestingWhisper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The real whisper-server of Debian with a model of random weights: protocol and lifecycle, not quality. {@code ./test} brings
 * the program and names it in the environment.
 */
@Tag("engine")
class RealWhisperTest {
    private static final String TRANSCRIPTIONS = "/v1/audio/transcriptions";
    private static final String BOUNDARY = "hal0-test-boundary";

    /** About six and a half minutes: over the 8 MiB that are kept in memory. */
    private static final byte[] LONG = TestingWav.ofSeconds(390);

    private static final byte[] SHORT = TestingWav.ofSeconds(2);
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path root;

    @SuppressWarnings("NullAway.Init")
    private static ServerFixture hal0;

    @BeforeAll
    static void start() throws Exception {
        String program = System.getenv("HAL0_TEST_WHISPER_SERVER");
        if (program == null || program.isBlank()) {
            String reason = "HAL0_TEST_WHISPER_SERVER names no whisper-server: tests/whisper-root could not bring one";
            assertThat(System.getenv("CI")).as(reason).isNotEqualTo("true");
            Assumptions.abort(reason);
        }
        hal0 = ServerFixture.withWhisper(root.resolve("home"), Path.of(program));
        Path model = root.resolve("ggml-tiny.bin");
        TestingWhisper.anyLanguage().writeTo(model);
        expect(201, hal0.send("POST", "/api/models", Map.of("path", model.toString(), "id", "ears")));
        // Its threads wait for each other by spinning, which on a busy machine takes minutes.
        hal0.editSlot(
                "stt",
                "type = \"transcription\"\nport = " + ServerFixture.freePort()
                        + "\ndefault = true\n[server]\nextra_args = \"--threads 1\"\n");
    }

    @AfterAll
    static void stop() {
        if (hal0 != null) {
            hal0.close();
        }
    }

    @BeforeEach
    void load() {
        hal0.load("stt", "ears");
    }

    /** @param fields names and values; one fallback-free pass makes the random model quick */
    private static HttpRequest form(String path, byte[] sound, String... fields) {
        var body = new ByteArrayOutputStream();
        String[] all = Arrays.copyOf(fields, fields.length + 2);
        all[fields.length] = "temperature_inc";
        all[fields.length + 1] = "0";
        body.writeBytes(text(
                "--" + BOUNDARY + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n"));
        body.writeBytes(sound);
        for (int i = 0; i < all.length; i += 2) {
            body.writeBytes(text("\r\n--" + BOUNDARY + "\r\nContent-Disposition: form-data; name=\"" + all[i]
                    + "\"\r\n\r\n" + all[i + 1]));
        }
        body.writeBytes(text("\r\n--" + BOUNDARY + "--\r\n"));
        return hal0.request(path)
                .header("Content-Type", "multipart/form-data; boundary=" + BOUNDARY)
                .POST(HttpRequest.BodyPublishers.ofByteArray(body.toByteArray()))
                .build();
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** A request that takes the engine long: with every fallback the random model is slow. */
    private static CompletableFuture<HttpResponse<String>> longTranscription() {
        return hal0.client.sendAsync(
                form(TRANSCRIPTIONS, LONG, "model", "stt", "best_of", "8", "temperature", "1"),
                HttpResponse.BodyHandlers.ofString());
    }

    /** Until the engine has the recording and decodes it. */
    private static void awaitWork() {
        await().atMost(PATIENCE)
                .until(() -> hal0.slot("stt").path("inside").asInt() == 1
                        && log().lastIndexOf("390.0 sec") > log().lastIndexOf("2.0 sec"));
    }

    private static String log() {
        return hal0.get("/api/slots/stt/logs").body();
    }

    @Test
    void slotOfAWhisperModel_isReadyBelowItsSecretPathOnly() throws Exception {
        var slot = hal0.slot("stt");

        assertThat(slot.path("type").asString()).isEqualTo("transcription");
        assertThat(slot.path("engine").asString()).isEqualTo("whisper.cpp");
        String address = "http://127.0.0.1:" + slot.path("port").asInt();
        for (String path : new String[] {"/health", "/load", "/inference"}) {
            HttpResponse<String> got = hal0.client.send(
                    HttpRequest.newBuilder(URI.create(address + path))
                            .timeout(Duration.ofSeconds(5))
                            .POST(HttpRequest.BodyPublishers.noBody())
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(got.statusCode()).as(path).isEqualTo(404);
        }
    }

    @Test
    void officialClient_transcribes() {
        OpenAIClient openai = OpenAIOkHttpClient.builder()
                .baseUrl(hal0.url("/v1"))
                .apiKey("any")
                .maxRetries(0)
                .timeout(Duration.ofSeconds(60))
                .build();
        try {
            var reply = openai.audio()
                    .transcriptions()
                    .create(TranscriptionCreateParams.builder()
                            .model("ears")
                            .language("en")
                            .putAdditionalBodyProperty("temperature_inc", JsonValue.from("0"))
                            .file(MultipartField.<InputStream>builder()
                                    .value(new ByteArrayInputStream(SHORT))
                                    .filename("two seconds.wav")
                                    .build())
                            .build());
            assertThat(reply.asTranscription().text()).isNotBlank();
        } finally {
            openai.close();
        }
    }

    @Test
    void everyFormat_hasTheTypeThatClientsExpect() {
        for (var expected : Map.of(
                        "json", "application/json",
                        "verbose_json", "application/json",
                        "text", "text/plain; charset=utf-8",
                        "srt", "application/x-subrip",
                        "vtt", "text/vtt")
                .entrySet()) {
            HttpResponse<String> got =
                    hal0.call(form(TRANSCRIPTIONS, SHORT, "model", "ears", "response_format", expected.getKey()));
            assertThat(got.statusCode()).as(expected.getKey()).isEqualTo(200);
            assertThat(got.headers().firstValue("Content-Type")).contains(expected.getValue());
            assertThat(got.headers().firstValue("X-Hal0-Model")).contains("ears");
            assertThat(got.body()).isNotBlank();
        }
    }

    @Test
    void formatThatTheEngineDoesNotKnow_isNamed() {
        HttpResponse<String> got =
                hal0.call(form(TRANSCRIPTIONS, SHORT, "model", "ears", "response_format", "diarized_json"));

        assertThat(got.statusCode()).isEqualTo(400);
        assertThat(error(got).path("param").asString()).isEqualTo("response_format");
    }

    @Test
    void translation_isOne() {
        HttpResponse<String> got = hal0.call(form(
                "/v1/audio/translations", SHORT, "model", "stt", "language", "de", "response_format", "verbose_json"));

        assertThat(got.statusCode()).isEqualTo(200);
        assertThat(json(got).path("task").asString()).isEqualTo("translate");
        assertThat(json(got).path("duration").asDouble()).isEqualTo(2.0);
    }

    @Test
    void fileThatIsNoSound_is415() {
        HttpResponse<String> got = hal0.call(form(TRANSCRIPTIONS, text("this is no sound"), "model", "ears"));

        assertThat(got.statusCode()).isEqualTo(415);
        assertThat(error(got).path("code").asString()).isEqualTo("audio.unsupported_format");
        assertThat(error(got).path("param").asString()).isEqualTo("file");
    }

    @Test
    void recordingThatIsTooLargeForMemory_isTranscribedWhole() throws Exception {
        HttpResponse<String> got =
                // It hears all of it and decodes two seconds: the rest would only take long.
                hal0.call(form(
                        TRANSCRIPTIONS, LONG, "model", "ears", "response_format", "verbose_json", "duration", "2000"));

        assertThat(got.statusCode()).as(got.body()).isEqualTo(200);
        assertThat(json(got).path("duration").asDouble()).isEqualTo(390.0);
        try (var left = Files.list(root.resolve("home/var/lib/hal0/spool"))) {
            assertThat(left).isEmpty();
        }
    }

    /** whisper-server would take both and let one wait where nobody sees it. */
    @Test
    void secondTranscription_waitsHere_andGetsItsTurnWhenTheFirstClientLeaves() throws Exception {
        CompletableFuture<HttpResponse<String>> first = longTranscription();
        awaitWork();
        CompletableFuture<HttpResponse<String>> second = hal0.client.sendAsync(
                form(TRANSCRIPTIONS, SHORT, "model", "ears"), HttpResponse.BodyHandlers.ofString());
        await().atMost(PATIENCE).until(() -> hal0.slot("stt").path("waiting").asInt() == 1);

        first.cancel(true);

        assertThat(second.get(30, java.util.concurrent.TimeUnit.SECONDS).statusCode())
                .isEqualTo(200);
        await().atMost(PATIENCE).until(() -> log().contains("client disconnected, aborted processing"));
    }

    @Test
    void engineKilledDuringATranscription_isSaidAndLoadedAgain() throws Exception {
        CompletableFuture<HttpResponse<String>> cut = longTranscription();
        awaitWork();
        long pid =
                Long.parseLong(hal0.slot("stt").path("incarnation").asString().split(":")[1]);
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();

        HttpResponse<String> got = cut.get(30, java.util.concurrent.TimeUnit.SECONDS);
        assertThat(got.statusCode()).isEqualTo(502);
        assertThat(error(got).path("code").asString()).isEqualTo("dispatch.upstream_unavailable");
        await().atMost(PATIENCE)
                .until(() -> hal0.slot("stt").path("incarnation").isNull());
        expect(200, hal0.call(form(TRANSCRIPTIONS, SHORT, "model", "ears")));
    }

    /** At SIGTERM alone the engine would finish its transcription first. */
    @Test
    void forcedUnload_endsATranscriptionAtOnce() throws Exception {
        CompletableFuture<HttpResponse<String>> cut = longTranscription();
        awaitWork();

        expect(200, hal0.send("POST", "/api/slots/stt/unload?wait=30", Map.of("force", true)));

        HttpResponse<String> got = cut.get(30, java.util.concurrent.TimeUnit.SECONDS);
        assertThat(error(got).path("code").asString()).isEqualTo("slot.revoked");
        assertThat(hal0.slot("stt").path("state").asString()).isEqualTo("offline");
    }

    /** Regression: whisper-server takes a file that ends before its first tensor for an empty model and is ready. */
    @Test
    void modelThatWasCut_isRefusedWhenItIsRegistered() throws IOException {
        byte[] whole = Files.readAllBytes(root.resolve("ggml-tiny.bin"));
        Path cut = root.resolve("ggml-cut.bin");
        for (int length : new int[] {300_000, whole.length / 2, whole.length - 1}) {
            Files.write(cut, Arrays.copyOf(whole, length));
            HttpResponse<String> got = hal0.send("POST", "/api/models", Map.of("path", cut.toString(), "id", "cut"));
            assertThat(got.statusCode()).isEqualTo(422);
            assertThat(error(got).path("details").path("reason").asString()).isEqualTo("truncated");
        }
    }
}
