package dev.hal0.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.models.ModelCapability;
import dev.hal0.models.RegisteredModel;
import dev.hal0.slots.Device;
import dev.hal0.slots.LaunchPlan;
import dev.hal0.slots.SlotDefinition;
import dev.hal0.slots.SlotType;
import dev.hal0.slots.profile.Profile;
import dev.hal0.slots.profile.ProfileClass;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class LlamaCppEngineTest {
    private static final Path MODEL = Path.of("/models/a model.gguf");
    private static final Path KEY = Path.of("/state/engine.key");

    private final LlamaCppEngine engine = new LlamaCppEngine();

    /** What is shown of a flag's origin is the argument itself, not a second list beside it. */
    @Test
    void everyWord_hasASource_andTheFlagsJoinedAreTheArguments() {
        var plan = plan(slot().extra("--temp 0.5 --lora a --lora b").build(), 4096);
        var joined = new java.util.ArrayList<String>();
        plan.flags().forEach(flag -> {
            joined.add(flag.flag());
            joined.addAll(flag.values());
        });
        assertThat(joined).isEqualTo(plan.arguments());
        assertThat(plan.flags())
                .contains(
                        new dev.hal0.slots.LaunchArgument("--temp", List.of("0.5"), "server.extra_args"),
                        new dev.hal0.slots.LaunchArgument("--lora", List.of("b"), "server.extra_args"),
                        new dev.hal0.slots.LaunchArgument("--ctx-size", List.of("4096"), "model"),
                        new dev.hal0.slots.LaunchArgument("--host", List.of("127.0.0.1"), "hal0"));
    }

    @Test
    void plainChatSlot_hasExactlyTheseArguments() {
        LaunchPlan plan = plan(slot().build(), 4096);

        assertThat(plan.arguments())
                .containsExactly(
                        "--host",
                        "127.0.0.1",
                        "--port",
                        "8081",
                        "--model",
                        "/models/a model.gguf",
                        "--alias",
                        "m",
                        "--api-key-file",
                        "/state/engine.key",
                        "--fit",
                        "off",
                        "--no-ui",
                        "--slots",
                        "--metrics",
                        "--offline",
                        "--log-colors",
                        "off",
                        "--ctx-size",
                        "4096",
                        "--parallel",
                        "1",
                        "--n-gpu-layers",
                        "0",
                        "--device",
                        "none",
                        "--jinja",
                        "--cache-ram",
                        "1024");
        assertThat(plan.permits()).isEqualTo(1);
        assertThat(plan.readablePaths()).containsExactly(MODEL);
        assertThat(plan.expected())
                .isEqualTo(Map.of(
                        "model_alias", "m", "model_path", "/models/a model.gguf", "total_slots", "1", "n_ctx", "4096"));
    }

    @ParameterizedTest
    @CsvSource({
        // model's window, configured, parallel, --ctx-size, expected per request
        "4096, , 1, 4096, 4096",
        "4096, , 4, 16384, 4096",
        "131072, , 1, 32768, 32768",
        "131072, , 2, 65536, 32768",
        "32768, , 1, 32768, 32768",
        "0, , 1, 8192, 8192",
        "0, , 3, 24576, 8192",
        "4096, 65536, 1, 65536, 65536",
        "0, 1000, 3, 3000, 1000",
        "131072, 16777216, 64, 1073741824, 16777216",
    })
    void context_isPerRequestTimesRequests(int native_, Integer configured, int parallel, String total, String each) {
        SlotBuilder slot = slot().parallel(parallel);
        LaunchPlan plan = plan((configured == null ? slot : slot.context(configured)).build(), native_);

        assertThat(value(plan, "--ctx-size")).isEqualTo(total);
        assertThat(value(plan, "--parallel")).isEqualTo(Integer.toString(parallel));
        assertThat(plan.expected()).containsEntry("n_ctx", each);
        assertThat(plan.permits()).isEqualTo(parallel);
    }

    @Test
    void gpu_getsAllLayersUnlessTold() {
        assertThat(plan(slot().device(Device.GPU_VULKAN).build(), 4096).arguments())
                .containsSequence("--n-gpu-layers", "all")
                .doesNotContain("--device");
        assertThat(plan(slot().device(Device.GPU_ROCM).gpuLayers(12).build(), 4096)
                        .arguments())
                .containsSequence("--n-gpu-layers", "12");
    }

    @Test
    void purpose_setsItsMode() {
        assertThat(plan(slot().type(SlotType.EMBEDDING).build(), 512).arguments())
                .contains("--embeddings")
                .doesNotContain("--jinja", "--reranking");
        assertThat(plan(slot().type(SlotType.RERANKING).build(), 512).arguments())
                .contains("--reranking")
                .doesNotContain("--jinja", "--embeddings");
    }

    @ParameterizedTest
    @EnumSource(
            value = SlotType.class,
            names = {"TRANSCRIPTION", "TTS", "IMAGE"})
    void purposeItCannotServe_isRefused(SlotType type) {
        assertThatThrownBy(() -> plan(slot().type(type).build(), 4096))
                .isInstanceOfSatisfying(
                        Hal0Exception.class,
                        refused -> assertThat(refused.param()).contains("type"));
    }

    @Test
    void modelWithoutFile_isRefused() {
        var built = new RegisteredModel(
                "m",
                "m",
                Optional.empty(),
                0,
                "",
                "",
                0,
                false,
                Set.of(ModelCapability.CHAT),
                List.of("starter"),
                Instant.EPOCH,
                true);

        assertThatThrownBy(() -> engine.plan(slot().build(), Profile.NONE, built, KEY))
                .isInstanceOfSatisfying(
                        Hal0Exception.class,
                        refused -> assertThat(refused.param()).contains("model.default"));
    }

    @ParameterizedTest
    @CsvSource({
        "-c 1024, --ctx-size, 1024",
        "--ctx-size 1024, --ctx-size, 1024",
        "--ctx-size=1024, --ctx-size, 1024",
        "-c 1 -c 2, --ctx-size, 2",
        "-np 4, --parallel, 4",
        "-ngl 7, --n-gpu-layers, 7",
        "--gpu-layers 7, --n-gpu-layers, 7",
        "-dev Vulkan0, --device, Vulkan0",
        "--log-colors on, --log-colors, on",
        "-fa on, --flash-attn, on",
        "--temp -1.5, --temp, -1.5",
        "--chat-template 'a b', --chat-template, a b",
    })
    void extraArgument_replacesUnderItsLongSpelling(String extra, String flag, String expected) {
        LaunchPlan plan = plan(slot().extra(extra).build(), 4096);

        assertThat(value(plan, flag)).isEqualTo(expected);
        List<String> flags = plan.arguments().stream()
                .filter(word -> word.startsWith("-") && !Character.isDigit(word.charAt(1)))
                .toList();
        assertThat(flags).doesNotHaveDuplicates().doesNotContain("-c", "-np", "-ngl", "-dev", "-fa", "--gpu-layers");
    }

    @Test
    void extraParallelAndContext_decidePermitsAndExpectation() {
        LaunchPlan plan = plan(slot().extra("-np 4 -c 8192").build(), 4096);

        assertThat(plan.permits()).isEqualTo(4);
        assertThat(plan.expected()).containsEntry("total_slots", "4").containsEntry("n_ctx", "2048");
    }

    /** Guards against one of two adapters being dropped without a word. */
    @Test
    void flagThatAddsEachTime_staysAsOftenAsItIsGiven() {
        assertThat(plan(
                                slot().extra("--lora a.gguf --lora b.gguf -c 512 -c 1024")
                                        .build(),
                                4096)
                        .arguments())
                .containsSubsequence("--lora", "a.gguf", "--lora", "b.gguf")
                .containsSubsequence("--ctx-size", "1024")
                .doesNotContain("512");
    }

    @Test
    void oppositeSwitch_replaces() {
        assertThat(plan(slot().extra("--no-jinja").build(), 4096).arguments())
                .contains("--no-jinja")
                .doesNotContain("--jinja");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--host 0.0.0.0",
                "--host=0.0.0.0",
                "--port 1",
                "--model /x",
                "-m /x",
                "--model-url u",
                "-mu u",
                "--hf-repo r",
                "-hf r",
                "-hfr r",
                "--hf-file f",
                "-hff f",
                "--docker-repo r",
                "-dr r",
                "--alias a",
                "-a a",
                "--api-key k",
                "--api-key=k",
                "--api-key-file /x",
                "--ssl-key-file /x",
                "--ssl-cert-file /x",
                "--path /",
                "--api-prefix /x",
                "--models-dir /x",
                "--models-preset /x",
                "--slots",
                "--no-slots",
                "--fit on",
                "-fit on",
                "--log-file /x",
                "--log-disable",
                "--temp 1 '--host' 0.0.0.0",
                "\"--port\" 1",
                "\\--port 1",
            })
    void flagThatHal0Owns_isRefused(String extra) {
        assertThatThrownBy(() -> plan(slot().extra(extra).build(), 4096))
                .isInstanceOfSatisfying(Hal0Exception.class, refused -> {
                    assertThat(refused.code()).isEqualTo(ErrorCode.SLOT_MANAGED_ARGUMENT);
                    assertThat(refused.param()).contains("server.extra_args");
                });
    }

    @ParameterizedTest
    @ValueSource(strings = {"--temp '1", "--temp \"1", "stray", "'' --temp 1"})
    void brokenExtraArguments_areRefused(String extra) {
        assertThatThrownBy(() -> plan(slot().extra(extra).build(), 4096))
                .isInstanceOfSatisfying(Hal0Exception.class, refused -> {
                    assertThat(refused.code()).isEqualTo(ErrorCode.SLOT_CONFIG_ERROR);
                    assertThat(refused.param()).contains("server.extra_args");
                });
    }

    @Test
    void profileFlags_lieBeneathTheSlotsFieldsAndItsExtraArguments() {
        Profile profile = new Profile(
                "mine",
                "llama.cpp",
                Optional.empty(),
                "--batch-size 256 --flash-attn on --cache-ram 64 --n-gpu-layers 3",
                false,
                ProfileClass.ANY,
                Optional.empty(),
                List.of(),
                "",
                "",
                Optional.empty());

        LaunchPlan plan = engine.plan(slot().extra("-fa off").build(), profile, model(4096), KEY);

        assertThat(plan.flags())
                .anyMatch(flag -> flag.flag().equals("--batch-size")
                        && flag.values().equals(List.of("256"))
                        && flag.source().equals("profile:mine"))
                .anyMatch(flag ->
                        flag.flag().equals("--cache-ram") && flag.values().equals(List.of("64")))
                .anyMatch(flag ->
                        flag.flag().equals("--n-gpu-layers") && flag.values().equals(List.of("0")))
                .anyMatch(flag -> flag.flag().equals("--flash-attn")
                        && flag.values().equals(List.of("off"))
                        && flag.source().equals("server.extra_args"));
        assertThat(plan.flags())
                .filteredOn(flag -> flag.flag().equals("--flash-attn"))
                .hasSize(1);
    }

    @Test
    void profileOfAnotherFamily_addsNothing() {
        assertThat(engine.plan(slot().build(), SPEECH, model(4096), KEY).arguments())
                .isEqualTo(engine.plan(slot().build(), Profile.NONE, model(4096), KEY)
                        .arguments());
    }

    @ParameterizedTest
    @ValueSource(strings = {"--port 1", "-m x", "--alias x", "--api-key x", "-c 4096", "-np 2", "-ngl 3", "loose"})
    void profileFlagThatIsNotTheProfiles_isRefused(String flags) {
        assertThatThrownBy(() -> engine.checkFlags("flags", flags))
                .isInstanceOfSatisfying(
                        Hal0Exception.class, why -> assertThat(why.param()).contains("flags"));
    }

    @Test
    void onlyServedRoutes_haveAPath() {
        assertThat(engine.path("/v1/chat/completions")).contains("/v1/chat/completions");
        assertThat(engine.path("/props")).contains("/props");
        assertThat(engine.path("/v1/models/unload")).isEmpty();
        assertThat(engine.path("/slots")).isEmpty();
    }

    private static final Profile SPEECH = new Profile(
            "speech",
            "kokoro",
            Optional.empty(),
            "--voice x",
            false,
            ProfileClass.ANY,
            Optional.empty(),
            List.of(),
            "",
            "",
            Optional.empty());

    private LaunchPlan plan(SlotDefinition slot, int contextLength) {
        return engine.plan(slot, Profile.NONE, model(contextLength), KEY);
    }

    private static RegisteredModel model(int contextLength) {
        return new RegisteredModel(
                "m",
                "m",
                Optional.of(MODEL),
                1,
                "llama",
                "Q4_0",
                contextLength,
                true,
                Set.of(ModelCapability.CHAT),
                List.of("llama.cpp"),
                Instant.EPOCH,
                false);
    }

    private static String value(LaunchPlan plan, String flag) {
        assertThat(plan.arguments()).containsOnlyOnce(flag);
        return plan.arguments().get(plan.arguments().indexOf(flag) + 1);
    }

    private static SlotBuilder slot() {
        return new SlotBuilder(SlotType.LLM, Device.CPU, OptionalInt.empty(), -1, 1, "");
    }

    private record SlotBuilder(
            SlotType type, Device device, OptionalInt context, int gpuLayers, int parallel, String extra) {
        SlotBuilder type(SlotType value) {
            return new SlotBuilder(value, device, context, gpuLayers, parallel, extra);
        }

        SlotBuilder device(Device value) {
            return new SlotBuilder(type, value, context, gpuLayers, parallel, extra);
        }

        SlotBuilder context(int value) {
            return new SlotBuilder(type, device, OptionalInt.of(value), gpuLayers, parallel, extra);
        }

        SlotBuilder gpuLayers(int value) {
            return new SlotBuilder(type, device, context, value, parallel, extra);
        }

        SlotBuilder parallel(int value) {
            return new SlotBuilder(type, device, context, gpuLayers, value, extra);
        }

        SlotBuilder extra(String value) {
            return new SlotBuilder(type, device, context, gpuLayers, parallel, value);
        }

        SlotDefinition build() {
            return new SlotDefinition(
                    new SlotName("chat"),
                    type,
                    device,
                    8081,
                    true,
                    true,
                    Optional.of("m"),
                    context,
                    gpuLayers,
                    parallel,
                    extra,
                    Map.of(),
                    dev.hal0.slots.Keeping.DEFAULT,
                    dev.hal0.slots.SlotOptions.DEFAULT);
        }
    }
}
