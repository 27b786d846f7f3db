package dev.hal0.slots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SlotDefinitionsTest {
    private static final SlotName CHAT = new SlotName("chat");
    private static final SlotName OTHER = new SlotName("other");

    @TempDir
    private Path folder;

    private SlotDefinitions definitions;

    @BeforeEach
    void openFolder() {
        definitions = new SlotDefinitions(folder, new DurableFiles(new SwitchableDisk()), SlotPolicy.DEFAULT);
    }

    @Test
    void emptyFolder_hasNoSlots() {
        assertThat(definitions.list()).isEmpty();
        refused(() -> definitions.require(CHAT), ErrorCode.SLOT_NOT_FOUND, null);
    }

    @Test
    void shortestFile_getsEveryDefault() throws IOException {
        write("chat", "port = 8081\n");

        SlotDefinition chat = definitions.require(CHAT);

        assertThat(chat.type()).isEqualTo(SlotType.LLM);
        assertThat(chat.device()).isEqualTo(Device.CPU);
        assertThat(chat.enabled()).isTrue();
        assertThat(chat.isDefault()).isFalse();
        assertThat(chat.modelId()).isEmpty();
        assertThat(chat.parallel()).isEqualTo(1);
        assertThat(chat.gpuLayers()).isEqualTo(-1);
        assertThat(chat.environment()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "prot = 1, prot",
        "model.contextsize = 4096, model.contextsize",
        "server.args = 'x', server.args",
    })
    void unknownKey_isNamedByItsPath(String line, String path) throws IOException {
        write("chat", "port = 8081\n" + line.replace("'", "\"") + "\n");

        assertThat(definitions.list()).isEmpty();
        Hal0Exception problem = problemOfChat();
        assertThat(problem.code()).isEqualTo(ErrorCode.REQUEST_UNKNOWN_FIELDS);
        assertThat(problem.param()).contains(path);
    }

    @ParameterizedTest
    @CsvSource({
        "port = 80, port",
        "port = 65536, port",
        "type = 'video', type",
        "device = 'abacus', device",
        "parallel = 0, parallel",
        "parallel = 65, parallel",
        "model.context_size = 127, model.context_size",
        "model.n_gpu_layers = -2, model.n_gpu_layers",
        "name = 'other', name",
        "server.env.A-B = 'x', server.env.A-B",
        "server.extra_args = '\\u0007', server.extra_args",
    })
    void badValue_isNamedByItsPath(String line, String path) throws IOException {
        String port = line.startsWith("port") ? "" : "port = 8081\n";
        write("chat", port + line.replace("'", "\"") + "\n");

        assertThat(definitions.list()).isEmpty();
        Hal0Exception problem = problemOfChat();
        assertThat(problem.code()).isEqualTo(ErrorCode.SLOT_CONFIG_ERROR);
        assertThat(problem.param()).contains(path);
    }

    @Test
    void fileWithoutPort_isInvalid() throws IOException {
        write("chat", "type = \"llm\"\n");

        assertThat(problemOfChat().param()).contains("port");
    }

    @Test
    void fileThatIsNoSlotName_isNotASlot() throws IOException {
        write("Chat Two", "port = 8081\n");
        write(".hidden", "port = 8081\n");
        Files.writeString(folder.resolve("chat.toml.orig"), "port = 8081\n");

        assertThat(definitions.list()).isEmpty();
        assertThat(definitions.problems()).isEmpty();
    }

    @Test
    void fileThatBecomesInvalid_keepsTheLastGoodOneAndSaysWhy() throws IOException {
        write("chat", "port = 8081\n");
        assertThat(definitions.require(CHAT).port()).isEqualTo(8081);

        write("chat", "port = = 9\n");

        assertThat(definitions.require(CHAT).port()).isEqualTo(8081);
        assertThat(definitions.problem(CHAT)).hasValueSatisfying(why -> {
            assertThat(why.code()).isEqualTo(ErrorCode.CONFIG_INVALID);
            assertThat(why.message()).contains("chat.toml").contains("1:");
        });

        write("chat", "port = 8090\n");
        assertThat(definitions.require(CHAT).port()).isEqualTo(8090);
        assertThat(definitions.problem(CHAT)).isEmpty();
    }

    @Test
    void invalidFile_isNotOverwritten() throws IOException {
        write("chat", "port = 8081\n");
        definitions.list();
        write("chat", "half an edit");

        assertThatThrownBy(() -> definitions.bindModel(CHAT, "small")).isInstanceOf(Hal0Exception.class);

        assertThat(folder.resolve("chat.toml")).hasContent("half an edit");
    }

    @Test
    void removedFile_removesTheSlot() throws IOException {
        write("chat", "port = 8081\n");
        definitions.list();

        Files.delete(folder.resolve("chat.toml"));

        assertThat(definitions.list()).isEmpty();
    }

    @Test
    void createdSlot_readsBackAsDrafted() {
        SlotDefinition created = definitions.create(new SlotDraft(
                OTHER,
                SlotType.EMBEDDING,
                Device.GPU_VULKAN,
                OptionalInt.of(8085),
                true,
                Optional.of("small"),
                OptionalInt.of(2048),
                4,
                Optional.empty()));

        assertThat(new SlotDefinitions(folder, new DurableFiles(), SlotPolicy.DEFAULT).require(OTHER))
                .isEqualTo(created);
        assertThat(created.parallel()).isEqualTo(4);
        assertThat(created.contextSize()).hasValue(2048);
        assertThat(created.modelId()).contains("small");
    }

    @Test
    void existingFile_evenAnInvalidOne_isNotCreatedAgain() throws IOException {
        write("other", "not toml");

        refused(() -> definitions.create(draft(OTHER, 8085)), ErrorCode.SLOT_ALREADY_EXISTS, "name");

        assertThat(folder.resolve("other.toml")).hasContent("not toml");
    }

    @Test
    void takenPort_isRefusedAndNothingIsWritten() throws IOException {
        write("chat", "port = 8081\n");

        refused(() -> definitions.create(draft(OTHER, 8081)), ErrorCode.SLOT_PORT_CONFLICT, "port");

        assertThat(folder.resolve("other.toml")).doesNotExist();
    }

    @Test
    void omittedPort_isAllocatedFromThePoolBesideThoseTaken() throws IOException {
        var policy = new SlotPolicy(
                SlotPolicy.DEFAULT.loadBudget(),
                SlotPolicy.DEFAULT.drainBudget(),
                SlotPolicy.DEFAULT.stopGrace(),
                SlotPolicy.DEFAULT.hungAfter(),
                41_800,
                41_801,
                ResidencyLimits.NONE);
        var small = new SlotDefinitions(folder, new DurableFiles(), policy);
        write("chat", "port = 41800\n");
        write("embed", "port = 41801\n");

        refused(
                () -> small.create(new SlotDraft(
                        OTHER,
                        SlotType.LLM,
                        Device.CPU,
                        OptionalInt.empty(),
                        false,
                        Optional.empty(),
                        OptionalInt.empty(),
                        1,
                        Optional.empty())),
                ErrorCode.SLOT_NO_FREE_PORT,
                null);
    }

    @Test
    void secondDefaultOfAType_isRefused() throws IOException {
        write("chat", "port = 8081\ndefault = true\n");
        write("other", "port = 8082\n");

        refused(
                () -> definitions.update(OTHER, Optional.empty(), toml -> toml.with(List.of("default"), true)),
                ErrorCode.SLOT_CONFIG_ERROR,
                "default");
        assertThat(folder.resolve("other.toml")).hasContent("port = 8082\n");

        definitions.update(
                OTHER,
                Optional.empty(),
                toml -> toml.with(List.of("default"), true).with(List.of("type"), "embedding"));
        assertThat(definitions.require(OTHER).isDefault()).isTrue();
    }

    @Test
    void handEditThatTakesAnothersPort_isAProblemOfTheEditedFile() throws IOException {
        write("other", "port = 8082\n");
        write("chat", "port = 8081\n");
        assertThat(definitions.list()).hasSize(2);

        write("chat", "port = 8082\n");

        assertThat(definitions.require(CHAT).port()).isEqualTo(8081);
        assertThat(definitions.require(OTHER).port()).isEqualTo(8082);
        assertThat(definitions.problem(CHAT))
                .hasValueSatisfying(why -> assertThat(why.code()).isEqualTo(ErrorCode.SLOT_PORT_CONFLICT));
        assertThat(definitions.problem(OTHER)).isEmpty();

        write("other", "port = 8081\n");
        assertThat(definitions.require(CHAT).port()).as("the swap is complete").isEqualTo(8082);
        assertThat(definitions.problems()).isEmpty();
    }

    @Test
    void twoFilesThatAlwaysClashed_haveOneSlotAndOneProblem() throws IOException {
        write("chat", "port = 8081\n");
        write("other", "port = 8081\n");

        assertThat(definitions.list()).extracting(SlotDefinition::name).containsExactly(CHAT);
        assertThat(definitions.problems()).containsOnlyKeys(OTHER);
    }

    @Test
    void seeds_neverOverwrite() throws IOException {
        write("chat", "# mine\nport = 9000\n");

        definitions.seed(List.of(
                SlotDefinitions.seed("chat", SlotType.LLM, 8081, Optional.empty()),
                SlotDefinitions.seed("embed", SlotType.EMBEDDING, 8082, Optional.of("built-in"))));
        definitions.seed(List.of(SlotDefinitions.seed("embed", SlotType.EMBEDDING, 8099, Optional.empty())));

        assertThat(folder.resolve("chat.toml")).hasContent("# mine\nport = 9000\n");
        assertThat(definitions.require(new SlotName("embed")).port()).isEqualTo(8082);
        assertThat(definitions.require(new SlotName("embed")).isDefault()).isTrue();
    }

    @Test
    void seeds_doNotTouchAnInvalidFile() throws IOException {
        write("chat", "half an edit");

        definitions.seed(List.of(SlotDefinitions.seed("chat", SlotType.LLM, 8081, Optional.empty())));

        assertThat(folder.resolve("chat.toml")).hasContent("half an edit");
    }

    @Test
    void commentsAndOrder_surviveBindingAndUpdating() throws IOException {
        write("chat", "# the family's slot\nport = 8081 # not 8082\n\n[server]\n# because\nextra_args = \"-fa on\"\n");

        definitions.bindModel(CHAT, "small");
        definitions.update(CHAT, Optional.empty(), toml -> toml.with(List.of("parallel"), 3L));

        assertThat(Files.readString(folder.resolve("chat.toml")))
                .contains("# the family's slot", "port = 8081 # not 8082", "# because", "extra_args = \"-fa on\"");
        assertThat(definitions.require(CHAT).modelId()).contains("small");
        assertThat(definitions.require(CHAT).parallel()).isEqualTo(3);
    }

    @Test
    void updateThatWouldRename_isRefused() throws IOException {
        write("chat", "port = 8081\n");

        refused(
                () -> definitions.update(CHAT, Optional.empty(), toml -> toml.with(List.of("name"), "other")),
                ErrorCode.SLOT_CONFIG_ERROR,
                "name");
    }

    @Test
    void etagOfAnOlderRead_refusesTheUpdate() throws IOException {
        write("chat", "port = 8081\n");
        String before = definitions.etag(CHAT);

        definitions.update(CHAT, Optional.of(before), toml -> toml.with(List.of("parallel"), 2L));

        assertThat(definitions.etag(CHAT)).isNotEqualTo(before);
        refused(
                () -> definitions.update(CHAT, Optional.of(before), toml -> toml.with(List.of("parallel"), 3L)),
                ErrorCode.PRECONDITION_FAILED,
                null);
        assertThat(definitions.require(CHAT).parallel()).isEqualTo(2);
    }

    @Test
    void seededSlot_cannotBeDeleted() throws IOException {
        write("chat", "port = 8081\n");
        write("other", "port = 8082\n");

        refused(() -> definitions.delete(CHAT), ErrorCode.SLOT_SEEDED, null);
        definitions.delete(OTHER);

        assertThat(definitions.list()).extracting(SlotDefinition::name).containsExactly(CHAT);
        assertThat(folder.resolve("other.toml")).doesNotExist();
    }

    @Test
    void config_showsEveryKeyWithItsEffectiveValue() throws IOException {
        write("chat", "port = 8081\n[server.env]\nA = \"1\"\n");

        assertThat(definitions.config(CHAT))
                .containsEntry("name", "chat")
                .containsEntry("parallel", 1)
                .containsEntry("enabled", true)
                .containsKeys("type", "device", "port", "default", "model", "server");
    }

    private Hal0Exception problemOfChat() {
        return Objects.requireNonNull(definitions.problems().get(CHAT));
    }

    private static SlotDraft draft(SlotName name, int port) {
        return new SlotDraft(
                name,
                SlotType.LLM,
                Device.CPU,
                OptionalInt.of(port),
                false,
                Optional.empty(),
                OptionalInt.empty(),
                1,
                Optional.empty());
    }

    private void write(String stem, String text) throws IOException {
        Files.writeString(folder.resolve(stem + ".toml"), text);
    }

    private static void refused(
            ThrowingCallable wish, ErrorCode code, @org.jspecify.annotations.Nullable String param) {
        assertThatThrownBy(wish).isInstanceOfSatisfying(Hal0Exception.class, why -> {
            assertThat(why.code()).isEqualTo(code);
            assertThat(why.param()).isEqualTo(Optional.ofNullable(param));
        });
    }
}
