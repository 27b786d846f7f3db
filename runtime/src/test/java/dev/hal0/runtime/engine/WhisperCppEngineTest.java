package dev.hal0.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.models.ModelCapability;
import dev.hal0.models.RegisteredModel;
import dev.hal0.slots.Device;
import dev.hal0.slots.Keeping;
import dev.hal0.slots.LaunchPlan;
import dev.hal0.slots.SlotDefinition;
import dev.hal0.slots.SlotType;
import dev.hal0.slots.profile.Profile;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;

class WhisperCppEngineTest {
    private static final Path KEY = Path.of("/state/stt/engine.key");

    private final WhisperCppEngine engine = new WhisperCppEngine("5ec4e7");

    private LaunchPlan plan(SlotType type, Device device, int parallel, String extraArguments) {
        var slot = new SlotDefinition(
                new SlotName("stt"),
                type,
                device,
                8085,
                true,
                true,
                Optional.of("base"),
                OptionalInt.empty(),
                -1,
                parallel,
                extraArguments,
                Map.of(),
                Keeping.DEFAULT,
                dev.hal0.slots.SlotOptions.DEFAULT);
        var model = new RegisteredModel(
                "base",
                "base",
                Optional.of(Path.of("/models/ggml-base.bin")),
                148_000_000,
                "whisper",
                "F16",
                0,
                false,
                Set.of(ModelCapability.TRANSCRIPTION),
                List.of(WhisperCppEngine.FAMILY),
                Instant.EPOCH,
                false);
        return engine.plan(slot, Profile.NONE, model, KEY);
    }

    @Test
    void plainSlot_hasExactlyTheseArguments() {
        LaunchPlan plan = plan(SlotType.TRANSCRIPTION, Device.CPU, 1, "");

        assertThat(plan.program()).isEqualTo("whisper-server");
        assertThat(plan.permits()).isEqualTo(1);
        assertThat(plan.arguments())
                .containsExactly(
                        "--host",
                        "127.0.0.1",
                        "--port",
                        "8085",
                        "--model",
                        "/models/ggml-base.bin",
                        "--request-path",
                        "/5ec4e7",
                        "--inference-path",
                        "/inference",
                        "--language",
                        "auto",
                        "--no-gpu");
        assertThat(plan(SlotType.TRANSCRIPTION, Device.GPU_VULKAN, 1, "").arguments())
                .doesNotContain("--no-gpu");
    }

    @Test
    void extraArguments_winUnderEitherSpelling() {
        assertThat(plan(SlotType.TRANSCRIPTION, Device.CPU, 1, "-l de -t 8").arguments())
                .containsSubsequence("--language", "de", "--threads", "8")
                .doesNotContain("auto");
    }

    /** Without a folder of its own the engine would leave what it converts wherever it was started. */
    @Test
    void conversion_getsTheSlotsFolder() {
        assertThat(plan(SlotType.TRANSCRIPTION, Device.CPU, 1, "--convert").arguments())
                .containsSubsequence("--convert", "--tmp-dir", "/state/stt");
        assertThat(plan(SlotType.TRANSCRIPTION, Device.CPU, 1, "").arguments()).doesNotContain("--tmp-dir");
    }

    @Test
    void whatHal0Owns_cannotBeSet() {
        for (String flag : List.of("--request-path /x", "-m other", "--port 1", "--inference-path /y")) {
            assertThatThrownBy(() -> plan(SlotType.TRANSCRIPTION, Device.CPU, 1, flag))
                    .isInstanceOfSatisfying(
                            Hal0Exception.class,
                            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.SLOT_MANAGED_ARGUMENT));
        }
    }

    /** P22: a slot of a type that the engine cannot serve would be ready and refuse its only endpoint. */
    @Test
    void otherTypesAndParallelRequests_areRefusedWithTheirKey() {
        assertThatThrownBy(() -> plan(SlotType.LLM, Device.CPU, 1, ""))
                .isInstanceOfSatisfying(
                        Hal0Exception.class,
                        refused -> assertThat(refused.param()).contains("type"));
        assertThatThrownBy(() -> plan(SlotType.TRANSCRIPTION, Device.CPU, 2, ""))
                .isInstanceOfSatisfying(
                        Hal0Exception.class,
                        refused -> assertThat(refused.param()).contains("parallel"));
    }

    @Test
    void bothRoutes_areOneBelowTheSecretPath() {
        assertThat(engine.path("/v1/audio/transcriptions")).contains("/5ec4e7/inference");
        assertThat(engine.path("/v1/audio/translations")).contains("/5ec4e7/inference");
        assertThat(engine.path("/v1/chat/completions")).isEmpty();
        assertThat(engine.form("/v1/audio/transcriptions").set()).isEmpty();
        assertThat(engine.form("/v1/audio/translations").set()).containsEntry("translate", "true");
    }

    @Test
    void plainText_isNotCalledHtml() {
        assertThat(engine.contentType("text/html; charset=utf-8")).isEqualTo("text/plain; charset=utf-8");
        assertThat(engine.contentType("text/vtt")).isEqualTo("text/vtt");
    }

    /** What version 1.9.5 answered to a file that is no sound, and to `temperature=abc`. */
    @Test
    void refusalsOfTheEngine_areExplained() {
        String route = "/v1/audio/transcriptions";
        assertThat(engine.explain(route, 400, "Invalid request"))
                .get()
                .extracting(Hal0Exception::code)
                .isEqualTo(ErrorCode.AUDIO_UNSUPPORTED_FORMAT);
        assertThat(engine.explain(route, 500, "500 Internal Server Error\nstof"))
                .get()
                .extracting(Hal0Exception::code)
                .isEqualTo(ErrorCode.REQUEST_INVALID);
        assertThat(engine.explain(route, 500, "{\"error\":\"failed to process audio\"}"))
                .isEmpty();
    }
}
