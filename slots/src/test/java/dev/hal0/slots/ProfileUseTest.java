package dev.hal0.slots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.kernel.TomlFile;
import dev.hal0.slots.profile.Profile;
import dev.hal0.slots.profile.ProfileEntry;
import dev.hal0.slots.profile.Profiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProfileUseTest {
    private static final SlotName CHAT = new SlotName("chat");

    @TempDir
    private Path root;

    private Profiles profiles;
    private SlotDefinitions definitions;

    @BeforeEach
    void open() throws IOException {
        var files = new DurableFiles(new SwitchableDisk());
        Files.createDirectories(root.resolve("slots"));
        profiles = new Profiles(new TomlFile(root.resolve("profiles.toml"), files), any -> {});
        definitions = new SlotDefinitions(root.resolve("slots"), files, SlotPolicy.DEFAULT, profiles);
    }

    @Test
    void seeds_areInNoFileUntilOneIsEdited() {
        assertThat(profiles.list()).extracting(ProfileEntry::name).contains("vulkan", "cuda", "cpu-llm", "flm");
        assertThat(root.resolve("profiles.toml")).doesNotExist();

        edit("vulkan", "flags", "--flash-attn off");

        assertThat(root.resolve("profiles.toml")).hasContent("[vulkan]\nflags = \"--flash-attn off\"\n");
        assertThat(profiles.require("vulkan").edited()).isTrue();
    }

    /** P18: a person's file hid every seed that came with an update. Theirs changes one key; the rest is this version's. */
    @Test
    void personsFile_changesItsKeysAndHidesNothing() throws IOException {
        Files.writeString(root.resolve("profiles.toml"), "# slow card\n[cuda]\nflags = \"--no-mmap\"\n");

        assertThat(profiles.require("cuda").profile().flags()).isEqualTo("--no-mmap");
        assertThat(profiles.require("cuda").profile().devices()).containsExactly("nvidia.com/gpu=all");
        assertThat(profiles.find("rerank")).isPresent();
    }

    @Test
    void reset_bringsTheSeedBackAndLeavesOtherEdits() {
        String shipped = profiles.require("vulkan").profile().flags();
        edit("vulkan", "flags", "--flash-attn off");
        edit("rocm", "intent", "mine");

        definitions.resetProfile("vulkan", Optional.empty());

        assertThat(profiles.require("vulkan").profile().flags()).isEqualTo(shipped);
        assertThat(profiles.require("rocm").profile().intent()).isEqualTo("mine");
    }

    @Test
    void brokenTable_keepsTheLastGoodOneAndSaysWhere() throws IOException {
        edit("vulkan", "flags", "--flash-attn off");
        assertThat(profiles.require("vulkan").problem()).isEmpty();

        Files.writeString(root.resolve("profiles.toml"), "[vulkan]\nflgas = \"x\"\n");

        ProfileEntry vulkan = profiles.require("vulkan");
        assertThat(vulkan.profile().flags()).isEqualTo("--flash-attn off");
        assertThat(vulkan.problem())
                .hasValueSatisfying(why -> assertThat(why.message())
                        .contains("profiles.toml:2")
                        .contains("vulkan.flgas (did you mean 'flags'?)"));
    }

    @Test
    void seedOrUsedProfile_cannotBeDeleted() throws IOException {
        edit("mine", "device_class", "cpu");
        write("chat", "port = 8081\nprofile = \"mine\"\n");

        refused(() -> definitions.deleteProfile("vulkan", Optional.empty()), ErrorCode.PROFILE_SEED);
        refused(() -> definitions.deleteProfile("mine", Optional.empty()), ErrorCode.PROFILE_IN_USE);

        write("chat", "[slot]\nport = 8081\nprofile = \"mine\"\n");
        refused(() -> definitions.deleteProfile("mine", Optional.empty()), ErrorCode.PROFILE_IN_USE);

        write("chat", "port = 8081\n");
        definitions.deleteProfile("mine", Optional.empty());
        assertThat(profiles.find("mine")).isEmpty();
    }

    @Test
    void editThatASlotCouldNotRunWith_isRefused() throws IOException {
        edit("mine", "device_class", "cpu");
        write("chat", "port = 8081\nprofile = \"mine\"\n");

        refused(() -> edit("mine", "device_class", "gpu"), ErrorCode.PROFILE_IN_USE);
        refused(() -> edit("mine", "device_class", "gqu"), ErrorCode.CONFIG_INVALID);

        assertThat(root.resolve("profiles.toml")).hasContent("[mine]\ndevice_class = \"cpu\"\n");
    }

    @Test
    void etagOfAnOlderRead_refusesTheChange() {
        String before = profiles.etag("vulkan");
        edit("vulkan", "intent", "mine");

        refused(
                () -> definitions.changeProfile(
                        "vulkan", Optional.of(before), false, file -> file.with(List.of("vulkan", "intent"), "late")),
                ErrorCode.PRECONDITION_FAILED);
    }

    /** The CPU's default was once a speech engine: P14. */
    @ParameterizedTest
    @CsvSource({
        "cpu, llm, cpu-llm, llama.cpp",
        "gpu-vulkan, llm, vulkan, llama.cpp",
        "gpu-rocm, llm, rocm, llama.cpp",
        "gpu-cuda, llm, cuda, llama.cpp",
        "npu, llm, flm, flm",
        "cpu, embedding, embed, llama.cpp",
        "cpu, reranking, rerank, llama.cpp",
        "cpu, tts, tts, kokoro",
        "gpu-rocm, image, comfyui, comfyui",
        "cpu, transcription, none, llama.cpp",
    })
    void slotWithoutAProfile_getsTheOneOfItsDeviceAndType(String device, String type, String profile, String engine)
            throws IOException {
        write("chat", "port = 8081\ndevice = \"" + device + "\"\ntype = \"" + type + "\"\n");

        Profile effective = definitions.profile(definitions.require(CHAT));

        assertThat(effective.name()).isEqualTo(profile);
        assertThat(effective.engine()).isEqualTo(engine);
    }

    @Test
    void vanishedProfile_fallsBackAndSaysSo() throws IOException {
        write("chat", "port = 8081\nprofile = \"gone\"\n");

        SlotDefinition chat = definitions.require(CHAT);

        assertThat(definitions.profile(chat).name()).isEqualTo("cpu-llm");
        assertThat(ProfileRules.warning(chat, profiles))
                .hasValueSatisfying(why -> assertThat(why).contains("gone", "cpu-llm"));
        definitions.bindModel(CHAT, "small");
        assertThat(definitions.require(CHAT).modelId()).contains("small");
    }

    @Test
    void unknownOrUnfitProfile_isRefusedWhenItIsWritten() throws IOException {
        write("chat", "port = 8081\n");

        refused(() -> set("profile", "valkun"), ErrorCode.PROFILE_NOT_FOUND);
        definitions.update(CHAT, Optional.empty(), file -> file.with(List.of("profile"), "cpu-llm"));
        refused(
                () -> definitions.update(
                        CHAT,
                        Optional.empty(),
                        file -> file.with(List.of("profile"), "vulkan").with(List.of("device"), "gpu-rocm")),
                ErrorCode.SLOT_CONFIG_ERROR);
    }

    @Test
    void oneOfDeviceAndProfileChanged_takesTheOtherAlong() throws IOException {
        write("chat", "port = 8081\n");

        set("profile", "vulkan");
        assertThat(definitions.require(CHAT).device()).isEqualTo(Device.GPU_VULKAN);

        set("device", "cpu");
        assertThat(definitions.require(CHAT).options().profile()).isEmpty();
    }

    /** P34: two seeds shared a port. */
    @Test
    void seeds_haveAPortOfTheirOwnExceptTheNpus() {
        definitions.seed(SlotSeeds.everywhere());
        definitions.seed(SlotSeeds.npu());

        assertThat(definitions.problems()).isEmpty();
        assertThat(definitions.list()).hasSize(9);
        var ports = new HashSet<Integer>();
        definitions.list().stream()
                .filter(slot -> slot.options().servedBy().isEmpty())
                .forEach(slot -> assertThat(ports.add(slot.port()))
                        .as(slot.name().value())
                        .isTrue());
        // P21: a fresh box downloads nothing.
        assertThat(definitions.list().stream().filter(slot -> slot.modelId().isPresent()))
                .extracting(slot -> slot.name().value())
                .containsExactly("embed");
    }

    @Test
    void seedWhosePlaceIsTaken_goesBesideIt() throws IOException {
        write("mine", "type = \"transcription\"\nport = 8085\ndefault = true\n");

        definitions.seed(SlotSeeds.everywhere());

        SlotDefinition stt = definitions.require(new SlotName("stt"));
        assertThat(stt.port()).isNotEqualTo(8085);
        assertThat(stt.isDefault()).isFalse();
        assertThat(definitions.problems()).isEmpty();
    }

    @Test
    void secondChatSlotOnTheNpu_isRefusedUnlessOneIsDisabled() throws IOException {
        definitions.seed(SlotSeeds.npu());
        write("chat", "port = 8081\n");

        refused(() -> set("device", "npu"), ErrorCode.SLOT_NPU_EXCLUSIVE);

        definitions.update(new SlotName("npu"), Optional.empty(), file -> file.with(List.of("enabled"), false));
        set("device", "npu");
        assertThat(definitions.require(CHAT).device()).isEqualTo(Device.NPU);
    }

    /** P12: two layouts, and writes that went where the reader did not look. */
    @Test
    void olderLayout_isReadAndWrittenBackFlatWithItsComments() throws IOException {
        write(
                "chat",
                "# top\nport = 1\n\n[slot] # mine\nport = 8081 # not 8082\nbackend = \"vulkan\"\n\n# models\n[model]\nctx_size = 2048\n");
        assertThat(definitions.require(CHAT).device()).isEqualTo(Device.GPU_VULKAN);
        assertThat(definitions.require(CHAT).contextSize()).hasValue(2048);

        definitions.bindModel(CHAT, "small");

        assertThat(Files.readString(root.resolve("slots/chat.toml")))
                .doesNotContain("[slot]")
                .doesNotContain("port = 1\n")
                .contains("# mine", "port = 8081 # not 8082", "# models", "default = \"small\"");
        assertThat(definitions.require(CHAT).modelId()).contains("small");
        assertThat(definitions.require(CHAT).port()).isEqualTo(8081);
    }

    @Test
    void faultInEitherLayout_namesKeyAndLine() throws IOException {
        write("chat", "# one\nport = 8081\nparalel = 2\n");
        assertThat(definitions.problems().get(CHAT))
                .hasMessageContaining("chat.toml:3")
                .hasMessageContaining("parallel");

        write("chat", "[slot]\nport = 8081\nparallel = 100\n");
        assertThat(definitions.problems().get(CHAT))
                .hasMessageContaining("`parallel` is 100")
                .hasMessageContaining("line 3");
    }

    /** P24: the table was made into the name of an image. */
    @Test
    void imageAsTableOrAsReference_areTwoThings() throws IOException {
        write("chat", "port = 8081\nimage = \"localhost/mine:1\"\n");
        assertThat(definitions.require(CHAT).options().image()).contains("localhost/mine:1");

        write("chat", "port = 8081\n[image]\ndefault_size = \"512x512\"\n");
        assertThat(definitions.require(CHAT).options().image()).isEmpty();
        assertThat(definitions.require(CHAT).options().images().size()).isEqualTo("512x512");
    }

    @ParameterizedTest
    @CsvSource({
        "default_speed = 5.0, default_speed",
        "default_response_format = 'ogg', default_response_format",
        "image.default_size = 'big', image.default_size",
        "gpu_index = -1, gpu_index",
        "provider = 'abacus', provider",
        "profile = '../x', profile",
        "workers = 0, workers",
    })
    void badOption_isNamedByItsPath(String line, String path) throws IOException {
        write("chat", "port = 8081\n" + line.replace("'", "\"") + "\n");

        assertThat(definitions.problems().get(CHAT)).isInstanceOfSatisfying(Hal0Exception.class, why -> {
            assertThat(why.code()).isEqualTo(ErrorCode.SLOT_CONFIG_ERROR);
            assertThat(why.param()).contains(path);
        });
    }

    private void edit(String profile, String key, String value) {
        definitions.changeProfile(profile, Optional.empty(), false, file -> file.with(List.of(profile, key), value));
    }

    private void set(String key, String value) {
        definitions.update(CHAT, Optional.empty(), file -> file.with(List.of(key), value));
    }

    private void write(String stem, String text) throws IOException {
        Files.writeString(root.resolve("slots").resolve(stem + ".toml"), text);
    }

    private static void refused(ThrowingCallable wish, ErrorCode code) {
        assertThatThrownBy(wish)
                .isInstanceOfSatisfying(
                        Hal0Exception.class, why -> assertThat(why.code()).isEqualTo(code));
    }
}
