package dev.hal0.cli;

import dev.hal0.kernel.Json;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Speech to text. */
@CommandLine.Command(
        name = "transcribe",
        description = "Write down what is said in a recording: WAV, MP3 or FLAC. The text goes to standard output.")
final class TranscribeCommand extends Command {
    /** As long as the control plane lets one take. */
    private static final Duration PATIENCE = Duration.ofMinutes(35);

    @Parameters(paramLabel = "FILE")
    @SuppressWarnings("NullAway.Init") // picocli sets it before the command runs
    Path file;

    @Option(
            names = {"-m", "--model"},
            paramLabel = "NAME",
            description = "Slot or model id (default: the default slot for transcription).")
    Optional<String> model = Optional.empty();

    @Option(
            names = {"-l", "--language"},
            paramLabel = "CODE",
            description = "Spoken language, such as en or de (default: detected).")
    Optional<String> language = Optional.empty();

    @Option(names = "--translate", description = "Write it down in English.")
    boolean translate;

    @Option(names = "--format", paramLabel = "FORMAT", description = "text (default), srt, vtt, json or verbose_json.")
    Optional<String> format = Optional.empty();

    @Override
    public Integer call() {
        if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
            throw new CliFailure(
                    ExitCode.USAGE, "cli.no_file", "There is no file '" + file + "' that can be read.", "");
        }
        var fields = new LinkedHashMap<String, String>();
        model.ifPresent(name -> fields.put("model", name));
        language.ifPresent(code -> fields.put("language", code));
        fields.put("response_format", format.orElse(isJson() ? "verbose_json" : "text"));
        var stopped = new AtomicBoolean();
        Api api = api();
        try (var progress = new Progress(console(), isJson());
                var _ = surroundings().interrupts().onInterrupt(() -> {
                    stopped.set(true);
                    api.abort();
                })) {
            progress.say("transcribing " + file.getFileName());
            String answer = api.postForm(
                    translate ? "/v1/audio/translations" : "/v1/audio/transcriptions", form(fields), PATIENCE);
            progress.close();
            print(answer);
            return ExitCode.OK;
        } catch (CliFailure failure) {
            throw stopped.get() ? Conversation.stopped() : failure;
        }
    }

    private void print(String answer) {
        boolean document = format.isEmpty() || format.get().endsWith("json");
        if (isJson() && document) {
            console().json(Json.LENIENT.readTree(answer));
        } else if (isJson()) {
            console().json(Json.LENIENT.createObjectNode().put("text", answer));
        } else {
            console().text(Console.harmless(answer.strip()) + System.lineSeparator());
        }
    }

    private HttpCall.Content form(Map<String, String> fields) {
        String boundary = "hal0-" + UUID.randomUUID();
        var text = new StringBuilder();
        fields.forEach((name, value) ->
                part(text, boundary, "name=\"" + name + "\"").append(value).append("\r\n"));
        String name = String.valueOf(file.getFileName()).replace("\"", "%22").replaceAll("\\p{Cntrl}", "_");
        part(text, boundary, "name=\"file\"; filename=\"" + name + "\"");
        return new HttpCall.Content(
                "multipart/form-data; boundary=" + boundary,
                text.toString().getBytes(StandardCharsets.UTF_8),
                file,
                ("\r\n--" + boundary + "--\r\n").getBytes(StandardCharsets.US_ASCII));
    }

    private static StringBuilder part(StringBuilder text, String boundary, String parameters) {
        return text.append("--")
                .append(boundary)
                .append("\r\nContent-Disposition: form-data; ")
                .append(parameters)
                .append("\r\n\r\n");
    }
}
