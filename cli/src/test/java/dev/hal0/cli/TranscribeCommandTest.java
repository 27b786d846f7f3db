package dev.hal0.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TranscribeCommandTest extends CliFixture {
    private static final String TRANSCRIPTIONS = "POST /v1/audio/transcriptions";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    private String recording() throws Exception {
        Path file = folder.resolve("my \"talk\".wav");
        Files.writeString(file, "RIFF sound");
        return file.toString();
    }

    @Test
    void recording_isSentAsAFormAndItsTextPrinted() throws Exception {
        server.on(TRANSCRIPTIONS, 200, " hello\u001b[2J there\n");

        Result result = run("transcribe", recording(), "--language", "de", "-m", "stt");

        assertThat(result.exit()).isZero();
        assertThat(result.out()).isEqualTo("hello[2J there\n");
        assertThat(result.err()).contains("transcribing my \"talk\".wav");
        assertThat(server.forms().getFirst())
                .contains("name=\"model\"\r\n\r\nstt\r\n")
                .contains("name=\"language\"\r\n\r\nde\r\n")
                .contains("name=\"response_format\"\r\n\r\ntext\r\n")
                .contains("name=\"file\"; filename=\"my %22talk%22.wav\"\r\n\r\nRIFF sound\r\n--hal0-")
                .endsWith("--\r\n");
    }

    @Test
    void translation_goesToItsOwnRoute() throws Exception {
        server.on("POST /v1/audio/translations", 200, "1\n00:00 --> 00:01\nhi\n");

        assertThat(run("transcribe", recording(), "--translate", "--format", "srt")
                        .out())
                .startsWith("1\n00:00");
    }

    @Test
    void json_isTheWholeAnswer() throws Exception {
        server.on(TRANSCRIPTIONS, 200, "{\"text\":\"hi\",\"duration\":2.0}");

        Result result = run("transcribe", recording(), "--json");

        assertThat(result.json().path("duration").asDouble()).isEqualTo(2.0);
        assertThat(result.err()).isEmpty();
        assertThat(server.forms().getFirst()).contains("verbose_json");
    }

    @Test
    void refusal_isToldWithItsRemedy() throws Exception {
        server.on(
                TRANSCRIPTIONS,
                415,
                "{\"error\":{\"code\":\"audio.unsupported_format\",\"message\":\"no sound\",\"details\":{\"remedy\":\"Send"
                        + " WAV.\"}}}");

        Result result = run("transcribe", recording());

        assertThat(result.exit()).isNotZero();
        assertThat(result.err()).contains("Error: no sound", "Send WAV.");
    }

    @Test
    void missingFile_isSaidBeforeAnythingIsSent() {
        Result result = run("transcribe", folder.resolve("none.wav").toString());

        assertThat(result.exit()).isEqualTo(ExitCode.USAGE);
        assertThat(server.requests()).isEmpty();
    }

    @Test
    void interrupt_closesTheConnection() throws Exception {
        server.onSilence(TRANSCRIPTIONS);
        String file = recording();
        var running = CompletableFuture.supplyAsync(() -> run("transcribe", file));
        assertThat(server.silent().await(20, TimeUnit.SECONDS)).isTrue();

        interrupts.interrupt();

        assertThat(server.clientLeft().await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(running.get(20, TimeUnit.SECONDS).err()).contains("Stopped");
    }
}
