package dev.hal0.slots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.FileOperations;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.models.ModelCapability;
import dev.hal0.models.ModelCatalog;
import dev.hal0.models.RegisteredModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CapabilitiesTest {
    private static final SlotName STT = new SlotName("stt");
    private static final Capabilities.Change WHISPER_ON = new Capabilities.Change(null, null, "whisper", true);

    @TempDir
    private Path root;

    private SlotDefinitions definitions;
    private Capabilities capabilities;

    @BeforeEach
    void seededBox() {
        open(new SwitchableDisk());
        definitions.seed(SlotSeeds.everywhere());
    }

    @Test
    void freshBox_choseNothingAndShowsWhatTheSlotsSay() {
        assertThat(root.resolve("capabilities.toml")).doesNotExist();

        Capabilities.Entry embed = capabilities.get(Capability.EMBED);
        assertThat(embed.chosen()).isFalse();
        assertThat(embed.selection().model()).contains(SlotSeeds.EMBEDDING_MODEL);
        // P21: bound and enabled are one truth.
        assertThat(capabilities.get(Capability.STT).selection().enabled()).isFalse();
    }

    @Test
    void choice_isInBothFilesAndKeepsTheirComments() throws IOException {
        Path slot = root.resolve("slots/stt.toml");
        Files.writeString(slot, "# the microphone in the hall\n" + Files.readString(slot));

        Capabilities.Applied applied = capabilities.apply(Capability.STT, WHISPER_ON);

        assertThat(applied.entry().selection().model()).contains("whisper");
        assertThat(applied.entry().differs()).isNull();
        assertThat(applied.pendingReload()).isFalse();
        assertThat(definitions.require(STT).modelId()).contains("whisper");
        assertThat(Files.readString(slot)).contains("# the microphone in the hall");
        assertThat(root.resolve("capabilities.toml")).content().contains("[selections.voice.stt]", "whisper");
    }

    /** P14: switching off was not persisted. */
    @Test
    void off_isPersistedInTheSlotsFile() {
        capabilities.apply(Capability.STT, WHISPER_ON);

        capabilities.apply(Capability.STT, new Capabilities.Change(null, null, null, false));

        open(new SwitchableDisk());
        assertThat(definitions.require(STT).enabled()).isFalse();
        assertThat(capabilities.get(Capability.STT).selection().enabled()).isFalse();
    }

    @Test
    void onWithoutAModel_isRefusedAndChangesNothing() {
        refused(new Capabilities.Change(null, null, null, true), ErrorCode.CAPABILITY_INVALID);
        refused(new Capabilities.Change(null, null, "chatty", true), ErrorCode.MODEL_CAPABILITY_MISMATCH);
        refused(new Capabilities.Change(Device.NPU, null, "whisper", true), ErrorCode.CAPABILITY_INVALID);

        assertThat(root.resolve("capabilities.toml")).doesNotExist();
    }

    /** P30: a hand edit that makes the two differ is shown, not hidden. */
    @Test
    void handEditOfTheSlot_isShownAsADifference() {
        capabilities.apply(Capability.STT, WHISPER_ON);

        definitions.update(STT, Optional.empty(), file -> file.with(List.of("enabled"), false));

        assertThat(capabilities.get(Capability.STT).differs()).isEqualTo("slot stt is disabled");
    }

    @Test
    void npu_setsItsOwnersSwitchAndItsOwnSlot() {
        definitions.seed(SlotSeeds.npu());

        Capabilities.Applied on =
                capabilities.apply(Capability.STT, new Capabilities.Change(Device.NPU, null, "whisper", true));

        assertThat(on.pendingReload()).isTrue();
        assertThat(npu().asr()).isTrue();
        assertThat(definitions.require(new SlotName("stt-npu")).modelId()).contains("whisper");
        assertThat(definitions.require(STT).enabled()).isFalse();

        capabilities.apply(Capability.STT, new Capabilities.Change(Device.CPU, null, null, true));

        assertThat(npu().asr()).isFalse();
        assertThat(definitions.require(STT).enabled()).isTrue();
    }

    @Test
    void missingSlotFile_isWrittenWithTheChoice() throws IOException {
        Files.delete(root.resolve("slots/stt.toml"));

        capabilities.apply(Capability.STT, WHISPER_ON);

        assertThat(definitions.require(STT).type()).isEqualTo(SlotType.TRANSCRIPTION);
    }

    @Test
    void invalidFile_keepsTheLastGoodOneAndSaysWhere() throws IOException {
        capabilities.apply(Capability.STT, WHISPER_ON);
        Files.writeString(
                root.resolve("capabilities.toml"), "schema_version = 2\n[selections.voice.stt]\nmodle = \"x\"\n");

        assertThat(capabilities.get(Capability.STT).selection().model()).contains("whisper");
        assertThat(capabilities.problem())
                .hasValueSatisfying(why -> assertThat(why.message())
                        .contains("capabilities.toml:3")
                        .contains("did you mean 'model'?"));
    }

    /** The program dies before its n-th write, for every n: after the next start both files say the same. */
    @Test
    void deathBeforeAnyWrite_neverLeavesTheFilesApart() throws IOException {
        var counting = new DyingDisk(Integer.MAX_VALUE);
        open(counting);
        capabilities.apply(Capability.STT, WHISPER_ON);
        int steps = counting.steps;
        for (int alive = 0; alive <= steps; alive++) {
            Files.deleteIfExists(root.resolve("capabilities.toml"));
            Files.deleteIfExists(root.resolve("intent.json"));
            Files.deleteIfExists(root.resolve("slots/stt.toml"));
            open(new SwitchableDisk());
            definitions.seed(SlotSeeds.everywhere());
            open(new DyingDisk(alive));
            try {
                capabilities.apply(Capability.STT, WHISPER_ON);
            } catch (Death died) {
                // the next start finds whatever is there
            }

            open(new SwitchableDisk());
            capabilities.recover();

            boolean chosen = capabilities.get(Capability.STT).chosen();
            assertThat(definitions.require(STT).modelId().isPresent())
                    .as("after %s of %s steps", alive, steps)
                    .isEqualTo(chosen);
            assertThat(capabilities.get(Capability.STT).differs()).isNull();
        }
    }

    private SlotOptions.Npu npu() {
        return definitions.require(new SlotName("npu")).options().npu();
    }

    private void open(FileOperations disk) {
        var files = new DurableFiles(disk);
        definitions = new SlotDefinitions(root.resolve("slots"), files, SlotPolicy.DEFAULT);
        capabilities = new Capabilities(
                root.resolve("capabilities.toml"), root.resolve("intent.json"), files, definitions, new Models());
    }

    private void refused(Capabilities.Change change, ErrorCode code) {
        assertThatThrownBy(() -> capabilities.apply(Capability.STT, change))
                .isInstanceOfSatisfying(
                        Hal0Exception.class, why -> assertThat(why.code()).isEqualTo(code));
    }

    private static final class Models implements ModelCatalog {
        @Override
        public List<RegisteredModel> list() {
            return List.of(model("whisper", ModelCapability.TRANSCRIPTION), model("chatty", ModelCapability.CHAT));
        }

        @Override
        public Optional<RegisteredModel> find(String id) {
            return list().stream().filter(model -> model.id().equals(id)).findFirst();
        }

        @Override
        public RegisteredModel require(String id) {
            return find(id).orElseThrow(() -> new Hal0Exception(ErrorCode.MODEL_NOT_FOUND, "No model " + id));
        }

        private static RegisteredModel model(String id, ModelCapability capability) {
            return new RegisteredModel(
                    id,
                    id,
                    Optional.empty(),
                    0,
                    "",
                    "",
                    0,
                    false,
                    Set.of(capability),
                    List.of("fake"),
                    Instant.EPOCH,
                    false,
                    Set.of(),
                    Optional.empty(),
                    Optional.empty());
        }
    }

    /** No clean-up runs in a program that is dead. */
    private static final class Death extends Error {
        private static final long serialVersionUID = 1L;
    }

    private static final class DyingDisk implements FileOperations {
        private final SwitchableDisk disk = new SwitchableDisk();
        private final int alive;
        int steps;

        DyingDisk(int alive) {
            this.alive = alive;
        }

        private void step() {
            if (steps++ >= alive) {
                throw new Death();
            }
        }

        @Override
        public void write(Path path, byte[] content, Set<PosixFilePermission> mode) throws IOException {
            step();
            disk.write(path, content, mode);
        }

        @Override
        public void force(Path path) {
            step();
        }

        @Override
        public void rename(Path source, Path target) throws IOException {
            step();
            disk.rename(source, target);
        }

        @Override
        public void delete(Path path) throws IOException {
            step();
            disk.delete(path);
        }

        @Override
        public String read(Path path) throws IOException {
            return disk.read(path);
        }
    }
}
