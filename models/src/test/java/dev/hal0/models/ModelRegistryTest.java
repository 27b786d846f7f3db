package dev.hal0.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.TomlFile;
import dev.hal0.testing.TestingGguf;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelRegistryTest {
    private static final Instant NOW = Instant.parse("2026-11-23T12:00:00.75Z");

    @TempDir
    Path folder;

    @Test
    void empty_home_lists_the_model_that_comes_with_hal0() {
        assertThat(registry().list()).singleElement().satisfies(model -> {
            assertThat(model.id()).isEqualTo("all-minilm-l6-v2");
            assertThat(model.readOnly()).isTrue();
            assertThat(model.engines()).containsExactly("starter");
            assertThat(model.labels()).containsExactly("embed");
            assertThat(model.can(ModelCapability.EMBEDDING)).isTrue();
            assertThat(model.contextLength()).isEqualTo(512);
            assertThat(registry().fileState(model).isPresent()).isTrue();
        });
        assertThat(file()).doesNotExist();
    }

    @Test
    void added_file_is_listed_with_what_its_header_says() throws Exception {
        Path model = TestingGguf.chat().writeTo(folder.resolve("Qwen3.5 9B-Q4_K_M.gguf"));

        RegisteredModel added = registry().add(model, AddOptions.DEFAULT);

        assertThat(added.id()).isEqualTo("qwen3.5-9b-q4_k_m");
        assertThat(added.name()).isEqualTo("Testing Chat");
        assertThat(added.path()).hasValue(model);
        assertThat(added.sizeBytes()).isEqualTo(Files.size(model));
        assertThat(added.architecture()).isEqualTo("llama");
        assertThat(added.quantization()).isEqualTo("Q8_0");
        assertThat(added.contextLength()).isEqualTo(2048);
        assertThat(added.chatTemplate()).isTrue();
        assertThat(added.capabilities()).containsExactly(ModelCapability.CHAT);
        assertThat(added.engines()).containsExactly("llama.cpp");
        assertThat(added.labels()).containsExactly("chat");
        assertThat(added.addedAt()).isEqualTo(Instant.parse("2026-11-23T12:00:00Z"));
        assertThat(added.readOnly()).isFalse();
        assertThat(registry().list()).extracting(RegisteredModel::id).containsExactly("all-minilm-l6-v2", added.id());
        assertThat(registry().require(added.id())).isEqualTo(added);
        assertThat(text()).startsWith("schema_version = 1\n").contains("[models.\"qwen3.5-9b-q4_k_m\"]");
    }

    @Test
    void options_choose_id_and_name() {
        var added = registry()
                .add(chat("a.gguf"), AddOptions.DEFAULT.withId("user.Foo").withName("Mine"));

        assertThat(added.id()).isEqualTo("user.Foo");
        assertThat(added.name()).isEqualTo("Mine");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a/b", "-x", "a b", "ü", ".."})
    void id_that_is_no_url_segment_is_refused(String id) {
        assertRefused(ErrorCode.REQUEST_INVALID, () -> registry().add(chat("a.gguf"), AddOptions.DEFAULT.withId(id)));
    }

    @ParameterizedTest
    @CsvSource({
        "Llama-3.2-3B.Q4_K_M.gguf, llama-3.2-3b.q4_k_m",
        "big-00001-of-00003.GGUF,  big",
        "--weird__.gguf,           weird",
        "模型.gguf,                 model",
        "noending,                 noending",
    })
    void id_is_derived_from_the_file_name(String fileName, String id) {
        assertThat(ModelId.ofFile(Path.of("/x", fileName))).isEqualTo(id);
    }

    @Test
    void a_person_s_words_in_the_file_survive_every_write() throws Exception {
        write("""
                # my models
                schema_version = 1
                future_key = [1, 2]

                [models.mine] # the good one
                path = "/nowhere/mine.gguf"
                capabilities = ["chat", "vision"]
                licence = "MIT" # unknown to hal0

                # the end
                """);
        var registry = registry();

        registry.add(chat("new.gguf"), AddOptions.DEFAULT);
        registry.remove("new");

        assertThat(text().strip()).isEqualTo("""
                # my models
                schema_version = 1
                future_key = [1, 2]

                [models.mine] # the good one
                path = "/nowhere/mine.gguf"
                capabilities = ["chat", "vision"]
                licence = "MIT" # unknown to hal0

                # the end""");
        assertThat(registry.require("mine").labels()).containsExactly("chat", "vision");
    }

    @Test
    void hand_edit_is_seen_at_once() throws Exception {
        var registry = registry();
        var added = registry.add(chat("a.gguf"), AddOptions.DEFAULT);

        write(text().replace("Testing Chat", "Edited"));

        assertThat(registry.require(added.id()).name()).isEqualTo("Edited");
    }

    @Test
    void file_that_does_not_parse_is_neither_empty_nor_written() throws Exception {
        var registry = registry();
        registry.add(chat("a.gguf"), AddOptions.DEFAULT);
        String broken = text() + "\n[models.half\n";
        write(broken);

        assertRefused(ErrorCode.MODEL_REGISTRY_UNAVAILABLE, registry::list);
        assertRefused(ErrorCode.MODEL_REGISTRY_UNAVAILABLE, () -> registry.find("a"));
        assertRefused(ErrorCode.MODEL_REGISTRY_UNAVAILABLE, () -> registry.remove("a"));
        Hal0Exception refusal = assertRefused(
                ErrorCode.MODEL_REGISTRY_UNAVAILABLE, () -> registry.add(chat("b.gguf"), AddOptions.DEFAULT));

        int line = broken.lines().toList().indexOf("[models.half") + 1;
        assertThat(refusal.message()).contains(file() + ":" + line + ":");
        assertThat(refusal.details()).containsKey("errors");
        assertThat(text()).isEqualTo(broken);
        assertThat(registry.require("all-minilm-l6-v2").readOnly()).isTrue();
    }

    @Test
    void models_that_is_no_table_is_unavailable() throws Exception {
        write("models = 3\n");

        assertRefused(ErrorCode.MODEL_REGISTRY_UNAVAILABLE, registry()::list);
        assertRefused(ErrorCode.MODEL_REGISTRY_UNAVAILABLE, () -> registry().add(chat("a.gguf"), AddOptions.DEFAULT));
        assertThat(text()).isEqualTo("models = 3\n");
    }

    @Test
    void file_of_a_newer_hal0_is_neither_read_nor_written() throws Exception {
        write("schema_version = 2\n");

        assertRefused(ErrorCode.MODEL_REGISTRY_UNAVAILABLE, registry()::list);
        assertRefused(ErrorCode.MODEL_REGISTRY_UNAVAILABLE, () -> registry().add(chat("a.gguf"), AddOptions.DEFAULT));
        assertThat(text()).isEqualTo("schema_version = 2\n");
    }

    @Test
    void entry_with_a_fault_does_not_take_the_others_with_it() throws Exception {
        write("""
                [models.good]
                path = "/x/good.gguf"
                capabilities = ["chat"]
                [models.pathless]
                capabilities = ["chat"]
                [models.relative]
                path = "x.gguf"
                capabilities = ["chat"]
                [models.nul]
                path = "/x\\u0000y"
                capabilities = ["chat"]
                [models.useless]
                path = "/x/u.gguf"
                capabilities = ["dance"]
                [models.numbered]
                path = 7
                [models.timeless]
                path = "/x/t.gguf"
                capabilities = ["chat"]
                added_at = "yesterday"
                [models.negative]
                path = "/x/t.gguf"
                capabilities = ["chat"]
                size_bytes = -1
                [models.qwen3.5-9b]
                path = "/x/q.gguf"
                capabilities = ["chat"]
                [models."a/b"]
                path = "/x/t.gguf"
                capabilities = ["chat"]
                [models.all-minilm-l6-v2]
                path = "/x/t.gguf"
                capabilities = ["chat"]
                """);
        var registry = registry();

        assertThat(registry.list()).extracting(RegisteredModel::id).containsExactly("all-minilm-l6-v2", "good");
        assertThat(registry.faults())
                .containsOnlyKeys(
                        "pathless",
                        "relative",
                        "nul",
                        "useless",
                        "numbered",
                        "timeless",
                        "negative",
                        "qwen3",
                        "a/b",
                        "all-minilm-l6-v2")
                .allSatisfy((id, fault) -> assertThat(fault).matches("(?s).*registry\\.toml:\\d+:\\d+: .*"));
        assertThat(registry.faults().get("qwen3")).contains("must stand in quotes");
        assertThat(registry.require("all-minilm-l6-v2").engines()).containsExactly("starter");
        assertThat(assertRefused(ErrorCode.MODEL_REGISTRY_UNAVAILABLE, () -> registry.require("relative"))
                        .message())
                .contains("not an absolute path");
    }

    @Test
    void same_id_or_same_file_is_registered_once() throws Exception {
        var registry = registry();
        Path first = chat("a.gguf");
        registry.add(first, AddOptions.DEFAULT);
        Path link = Files.createSymbolicLink(folder.resolve("link.gguf"), first);
        Path hard = Files.createLink(folder.resolve("hard.gguf"), first);

        assertThat(assertRefused(ErrorCode.MODEL_ALREADY_EXISTS, () -> registry.add(first, AddOptions.DEFAULT))
                        .message())
                .contains("'a' is already registered");
        for (Path same : List.of(link, hard)) {
            assertThat(assertRefused(ErrorCode.MODEL_ALREADY_EXISTS, () -> registry.add(same, AddOptions.DEFAULT))
                            .details())
                    .containsEntry("id", "a");
        }
        assertThat(registry.list()).hasSize(2);
    }

    @Test
    void overwriting_replaces_the_facts_and_keeps_the_person_s_words() throws Exception {
        var registry = registry();
        registry.add(chat("a.gguf"), AddOptions.DEFAULT);
        write(text().replace("labels = [\"chat\"]", "labels = [\"chat\", \"tool-calling\"]\nnote = \"keep\"")
                + "sha256 = \"00\"\n");
        Path other = TestingGguf.embedding().writeTo(folder.resolve("b.gguf"));

        var replaced = registry.add(other, AddOptions.DEFAULT.withId("a").overwriting());

        assertThat(replaced.path()).hasValue(other);
        assertThat(replaced.capabilities()).containsExactly(ModelCapability.EMBEDDING);
        assertThat(replaced.labels()).containsExactly("embed", "tool-calling");
        assertThat(replaced.sha256()).isEmpty();
        assertThat(text()).contains("note = \"keep\"");
    }

    @Test
    void link_is_followed_for_the_checks_and_kept_in_the_path() throws Exception {
        Path real = TestingGguf.chat().writeTo(folder.resolve("blobs/0123abcd"));
        Path link = Files.createSymbolicLink(folder.resolve("model.gguf"), real);

        var added = registry().add(link, AddOptions.DEFAULT);

        assertThat(added.path()).hasValue(link);
        assertThat(added.sizeBytes()).isEqualTo(Files.size(real));
        assertThat(registry().fileState(added)).isEqualTo(FileState.PRESENT);
        Files.delete(real);
        assertThat(registry().fileState(added).kind()).isEqualTo(FileState.Kind.MISSING);
    }

    @Test
    void removing_forgets_the_entry_and_leaves_the_file() throws Exception {
        var registry = registry();
        Path model = chat("a.gguf");
        registry.add(model, AddOptions.DEFAULT);
        write(text() + "note = \"keep\"\n");

        RemovedModel removed = registry.remove("a");

        assertThat(registry.find("a")).isEmpty();
        assertThat(model).exists();
        assertRefused(ErrorCode.MODEL_NOT_FOUND, () -> registry.remove("a"));
        assertThat(registry.restore(removed)).isEqualTo(removed.model());
        assertThat(text()).contains("note = \"keep\"");
        assertRefused(ErrorCode.MODEL_ALREADY_EXISTS, () -> registry.restore(removed));
    }

    @Test
    void model_that_comes_with_hal0_cannot_be_touched() {
        var registry = registry();

        assertRefused(ErrorCode.MODEL_READ_ONLY, () -> registry.remove("all-minilm-l6-v2"));
        assertRefused(
                ErrorCode.MODEL_READ_ONLY,
                () -> registry.add(
                        chat("a.gguf"),
                        AddOptions.DEFAULT.withId("all-minilm-l6-v2").overwriting()));
    }

    @Test
    void unknown_id_is_answered_with_what_exists_and_what_was_meant() {
        var registry = registry();
        registry.add(chat("qwen3.5-9b.gguf"), AddOptions.DEFAULT);

        Hal0Exception refusal = assertRefused(ErrorCode.MODEL_NOT_FOUND, () -> registry.require("qwen3.5-8b"));

        assertThat(refusal.message())
                .contains("did you mean 'qwen3.5-9b'?")
                .contains("registered: all-minilm-l6-v2, qwen3.5-9b");
    }

    @Test
    void file_that_cannot_be_served_is_refused_with_its_reason() {
        var registry = registry();

        assertThat(refusalOf(TestingGguf.chat().withKey("general.architecture", "clip"), registry))
                .contains("projector");
        assertThat(refusalOf(TestingGguf.chat().withKey("general.type", "adapter"), registry))
                .contains("'adapter'");
        assertThat(refusalOf(TestingGguf.chat().withoutKey("tokenizer.ggml.model"), registry))
                .contains("no tokenizer");
        assertThat(refusalOf(TestingGguf.chat().withFormat(1, ByteOrder.LITTLE_ENDIAN), registry))
                .contains("version 1");
        assertThat(refusalOf(TestingGguf.chat().withFormat(3, ByteOrder.BIG_ENDIAN), registry))
                .contains("big-endian");
        assertThat(file()).doesNotExist();
    }

    @Test
    void state_of_a_file_is_what_is_seen_now() throws Exception {
        var registry = registry();
        Path model = chat("a.gguf");
        var added = registry.add(model, AddOptions.DEFAULT);

        assertThat(registry.fileState(added)).isEqualTo(FileState.PRESENT);
        Files.write(model, new byte[] {1, 2, 3});
        assertThat(registry.fileState(added).kind()).isEqualTo(FileState.Kind.CHANGED);
        Files.delete(model);
        assertThat(registry.fileState(added).kind()).isEqualTo(FileState.Kind.MISSING);
        assertThat(registry.list()).contains(added);
        Files.createDirectory(model);
        assertThat(registry.fileState(added).kind()).isEqualTo(FileState.Kind.CHANGED);
    }

    @Test
    void file_on_a_volume_that_is_not_mounted_is_unavailable_and_not_missing() throws Exception {
        Path unmounted = Files.createDirectories(folder.resolve("mnt/ai-models"));
        write("""
                [models.far]
                path = "%1$s/far.gguf"
                capabilities = ["chat"]
                volume = "%1$s"
                """.formatted(unmounted));

        FileState state = registry().fileState(registry().require("far"));

        assertThat(state.kind()).isEqualTo(FileState.Kind.UNAVAILABLE);
        assertThat(state.detail()).contains("nothing is mounted at " + unmounted);
    }

    @Test
    void volume_of_a_file_is_remembered() throws Exception {
        Path shared = Path.of("/dev/shm");
        assumeThat(Files.isWritable(shared)).as("a second file system").isTrue();
        Path model = Files.createTempFile(shared, "hal0-test", ".gguf");
        try {
            TestingGguf.chat().writeTo(model);
            var added = registry().add(model, AddOptions.DEFAULT);

            assertThat(added.volume()).hasValue(shared);
            Files.delete(model);
            assertThat(registry().fileState(added).kind()).isEqualTo(FileState.Kind.MISSING);
        } finally {
            Files.deleteIfExists(model);
        }
    }

    @Test
    void file_behind_a_closed_door_is_unavailable() throws Exception {
        Path model = TestingGguf.chat().writeTo(folder.resolve("closed/a.gguf"));
        var added = registry().add(model, AddOptions.DEFAULT);
        var open = Files.getPosixFilePermissions(folder.resolve("closed"));
        Files.setPosixFilePermissions(folder.resolve("closed"), PosixFilePermissions.fromString("---------"));
        try {
            assumeThat(Files.isReadable(folder.resolve("closed")))
                    .as("root opens every door")
                    .isFalse();
            assertThat(registry().fileState(added).kind()).isEqualTo(FileState.Kind.UNAVAILABLE);
        } finally {
            Files.setPosixFilePermissions(folder.resolve("closed"), open);
        }
        Files.setPosixFilePermissions(model, PosixFilePermissions.fromString("---------"));
        assertThat(registry().fileState(added).kind()).isEqualTo(FileState.Kind.UNAVAILABLE);
    }

    @Test
    void registry_that_may_not_be_read_is_unavailable_and_not_empty() throws Exception {
        registry().add(chat("a.gguf"), AddOptions.DEFAULT);
        Files.setPosixFilePermissions(file(), PosixFilePermissions.fromString("---------"));
        assumeThat(Files.isReadable(file())).as("root reads everything").isFalse();

        assertRefused(ErrorCode.MODEL_REGISTRY_UNAVAILABLE, registry()::list);
    }

    @Test
    void model_in_parts_is_one_entry() throws Exception {
        Path first = part(1, 3);
        part(2, 3);
        part(3, 3);
        var registry = registry();

        var added = registry.add(first, AddOptions.DEFAULT);

        assertThat(added.id()).isEqualTo("big");
        assertThat(added.sizeBytes()).isEqualTo(3 * Files.size(first));
        assertThat(registry.fileState(added)).isEqualTo(FileState.PRESENT);
        Files.delete(folder.resolve("big-00002-of-00003.gguf"));
        assertThat(registry.fileState(added)).satisfies(state -> {
            assertThat(state.kind()).isEqualTo(FileState.Kind.MISSING);
            assertThat(state.detail()).contains("big-00002-of-00003.gguf");
        });
    }

    @Test
    void model_in_parts_is_refused_when_not_whole() throws Exception {
        Path first = part(1, 3);
        Path second = part(2, 3);
        var registry = registry();

        assertThat(assertRefused(ErrorCode.MODEL_FILE_INVALID, () -> registry.add(first, AddOptions.DEFAULT))
                        .message())
                .contains("big-00003-of-00003.gguf: there is no such file");
        assertThat(assertRefused(ErrorCode.MODEL_FILE_INVALID, () -> registry.add(second, AddOptions.DEFAULT))
                        .message())
                .contains("part 2 of 3; name the first part");
        Path renamed = Files.move(first, folder.resolve("renamed.gguf"));
        assertThat(assertRefused(ErrorCode.MODEL_FILE_INVALID, () -> registry.add(renamed, AddOptions.DEFAULT))
                        .message())
                .contains("-00001-of-00003.gguf");
    }

    @Test
    void writers_at_the_same_time_lose_nothing() throws Exception {
        List<Path> models =
                IntStream.range(0, 12).mapToObj(i -> chat("m" + i + ".gguf")).toList();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var adding = models.stream()
                    .map(model -> threads.submit(() -> registry().add(model, AddOptions.DEFAULT)))
                    .toList();
            for (var one : adding) {
                assertThat(one.get().readOnly()).isFalse();
            }
        }

        assertThat(registry().list()).hasSize(13);
    }

    private String refusalOf(TestingGguf model, ModelRegistry registry) {
        Path path = model.writeTo(folder.resolve("refused.gguf"));
        return assertRefused(ErrorCode.MODEL_FILE_INVALID, () -> registry.add(path, AddOptions.DEFAULT))
                .message();
    }

    private static Hal0Exception assertRefused(
            ErrorCode code, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        var thrown = new java.util.ArrayList<Hal0Exception>();
        assertThatExceptionOfType(Hal0Exception.class).isThrownBy(call).satisfies(refusal -> {
            assertThat(refusal.code()).isEqualTo(code);
            thrown.add(refusal);
        });
        return thrown.getFirst();
    }

    private Path part(int number, int count) {
        return TestingGguf.chat()
                .withSeed(number)
                .withKey("split.no", number - 1)
                .withKey("split.count", count)
                .writeTo(folder.resolve(String.format("big-%05d-of-%05d.gguf", number, count)));
    }

    private Path chat(String fileName) {
        return TestingGguf.chat().writeTo(folder.resolve(fileName));
    }

    private ModelRegistry registry() {
        return new ModelRegistry(new TomlFile(file(), new DurableFiles()), new GgufReader(), InstantSource.fixed(NOW));
    }

    private Path file() {
        return folder.resolve("registry/registry.toml");
    }

    private String text() throws Exception {
        return Files.readString(file());
    }

    private void write(String text) throws Exception {
        Files.createDirectories(file().getParent());
        Files.writeString(file(), text);
    }
}
