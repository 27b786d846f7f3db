package dev.hal0.runtime.engine;

import dev.hal0.kernel.DeviceClass;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.models.RegisteredModel;
import dev.hal0.slots.CancelRule;
import dev.hal0.slots.ContainerFacts;
import dev.hal0.slots.Device;
import dev.hal0.slots.Endpoint;
import dev.hal0.slots.Engine;
import dev.hal0.slots.FormRules;
import dev.hal0.slots.Health;
import dev.hal0.slots.LaunchPlan;
import dev.hal0.slots.SlotDefinition;
import dev.hal0.slots.SlotType;
import dev.hal0.slots.profile.Profile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * whisper.cpp's {@code whisper-server}: transcription, and translation into English. Observed with version 1.9.5:
 *
 * <ul>
 *   <li>It works on one request at a time, behind a lock; others would wait inside it, where nobody could see them.
 *   <li>When the connection of a request is closed it stops decoding at once ("client disconnected, aborted processing"). At
 *       SIGTERM it first finishes what it works on, however long that takes.
 *   <li>It knows no key and lets pages of any origin in, and {@code POST /load} would make it open any file and exit if that
 *       is no model. So every launch puts all of its paths below one that a page cannot guess.
 *   <li>It reads WAV, MP3 and FLAC itself. With {@code --convert} it has ffmpeg read everything, and does not start without
 *       it. That is left to the person: ffmpeg also follows what an uploaded playlist names.
 *   <li>It says nothing of its model, its progress or its load: no counters, so it is never taken for hung.
 * </ul>
 */
public final class WhisperCppEngine implements Engine {
    public static final String FAMILY = "whisper.cpp";

    private static final String TRANSCRIPTIONS = "/v1/audio/transcriptions";
    private static final String TRANSLATIONS = "/v1/audio/translations";

    /** Below the secret path; both routes are one here. */
    private static final String INFERENCE = "/inference";

    /** For another format it answers with JSON, silently. */
    private static final Map<String, Set<String>> KNOWN_VALUES =
            Map.of("response_format", Set.of("json", "text", "srt", "vtt", "verbose_json"));

    /** It would write files of what it hears beside the engine. */
    private static final Set<String> DROPPED = Set.of("debug_mode");

    private static final EngineArguments.Flags FLAGS = new EngineArguments.Flags(
            Map.of(
                    "-m", "--model",
                    "-l", "--language",
                    "-ng", "--no-gpu",
                    "-t", "--threads"),
            Set.of("--host", "--port", "--model", "--request-path", "--inference-path", "--public"),
            Map.of(),
            Set.of());

    private static final long WORKING_BYTES = 200L << 20;

    private final String secretPath;

    /** @param secretPath a path segment that nobody can guess, the same at every start of this installation */
    public WhisperCppEngine(String secretPath) {
        this.secretPath = "/" + secretPath;
    }

    @Override
    public String family() {
        return FAMILY;
    }

    @Override
    public LaunchPlan plan(SlotDefinition definition, Profile profile, RegisteredModel model, Path keyFile) {
        if (definition.type() != SlotType.TRANSCRIPTION) {
            throw new Hal0Exception(
                            ErrorCode.SLOT_CONFIG_ERROR,
                            "whisper.cpp serves transcription only, not type "
                                    + definition.type().label() + ".")
                    .withParam("type");
        }
        if (definition.parallel() != 1) {
            throw new Hal0Exception(
                            ErrorCode.SLOT_CONFIG_ERROR,
                            "whisper.cpp works on one request at a time: `parallel` can only be 1.")
                    .withParam("parallel");
        }
        Path file = model.path()
                .orElseThrow(() -> new Hal0Exception(
                                ErrorCode.SLOT_CONFIG_ERROR,
                                "Model " + model.id() + " has no file that whisper.cpp could read.")
                        .withParam("model.default"));
        var arguments = new EngineArguments(FLAGS)
                .set("--host", "127.0.0.1")
                .setFrom("port", "--port", Integer.toString(definition.port()))
                .setFrom("model.default", "--model", file.toString())
                .set("--request-path", secretPath)
                .set("--inference-path", INFERENCE)
                // Its own default takes everything for English; OpenAI's interface detects the language.
                .set("--language", "auto");
        if (definition.device() == Device.CPU) {
            arguments.setFrom("device", "--no-gpu");
        }
        arguments.addExtra("server.extra_args", definition.extraArguments());
        if (arguments.has("--convert") && !arguments.has("--tmp-dir")) {
            arguments.set("--tmp-dir", String.valueOf(keyFile.toAbsolutePath().getParent()));
        }
        return new LaunchPlan(
                        definition.name(),
                        FAMILY,
                        "whisper-server",
                        arguments.list(),
                        definition.environment(),
                        List.of(file),
                        keyFile,
                        model.id(),
                        "127.0.0.1",
                        definition.port(),
                        1,
                        Map.of(),
                        arguments.sources())
                .withContainer(ContainerFacts.sealed(
                        "whisper", definition.device() == Device.CPU ? DeviceClass.NONE : DeviceClass.DRI, "--host"));
    }

    /** The project's own table, from tiny (75 MiB file, 273 MB) to large (2.9 GiB file, 3.9 GB), lies below this line. */
    @Override
    public OptionalLong needBytes(LaunchPlan plan, RegisteredModel model) {
        return model.sizeBytes() > 0
                ? OptionalLong.of(model.sizeBytes() + model.sizeBytes() * 3 / 10 + WORKING_BYTES)
                : OptionalLong.empty();
    }

    @Override
    public Health health(Endpoint endpoint) {
        return HttpHealth.ask(endpoint, secretPath + "/health");
    }

    /** It reports nothing that could be compared; that it answers below the secret path shows that it is ours. */
    @Override
    public List<String> verify(LaunchPlan plan, Endpoint endpoint) {
        return List.of();
    }

    @Override
    public OptionalInt busy(Endpoint endpoint) {
        return OptionalInt.empty();
    }

    @Override
    public Optional<String> path(String gatewayPath) {
        return gatewayPath.equals(TRANSCRIPTIONS) || gatewayPath.equals(TRANSLATIONS)
                ? Optional.of(secretPath + INFERENCE)
                : Optional.empty();
    }

    @Override
    public FormRules form(String gatewayPath) {
        return new FormRules(
                gatewayPath.equals(TRANSLATIONS) ? Map.of("translate", "true") : Map.of(), DROPPED, KNOWN_VALUES);
    }

    /** It calls plain text HTML, and a browser would run what somebody spoke. */
    @Override
    public String contentType(String sent) {
        return sent.startsWith("text/html") ? "text/plain; charset=utf-8" : sent;
    }

    /** A file it cannot read is "Invalid request" to it; a field that is no number ends in an exception's name. */
    @Override
    public Optional<Hal0Exception> explain(String gatewayPath, int status, String body) {
        if (status == 400 && (body.startsWith("Invalid request") || body.contains("failed to read"))
                || body.contains("FFmpeg conversion failed")) {
            return Optional.of(
                    new Hal0Exception(ErrorCode.AUDIO_UNSUPPORTED_FORMAT, "The engine cannot read the audio in `file`.")
                            .withParam("file"));
        }
        if (status == 500 && (body.contains("stof") || body.contains("stoi"))) {
            return Optional.of(new Hal0Exception(
                    ErrorCode.REQUEST_INVALID,
                    "A field of the form that must be a number, such as `temperature`, is none."));
        }
        return Optional.empty();
    }

    @Override
    public CancelRule cancelRule() {
        return CancelRule.ON_DISCONNECT;
    }

    @Override
    public Map<String, Object> describe(Endpoint endpoint) {
        return Map.of();
    }
}
