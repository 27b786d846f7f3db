package dev.hal0.models;

import static dev.hal0.models.TestingTree.NOW;
import static dev.hal0.models.TestingTree.REVISION;
import static dev.hal0.models.TestingTree.projector;
import static dev.hal0.models.TestingTree.sha256;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.FileOperations;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.TomlFile;
import dev.hal0.models.CapabilityGuess.Confidence;
import dev.hal0.testing.TestingGguf;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelAdoptionTest {
    @TempDir
    Path temporary;

    private TestingTree tree;

    @BeforeEach
    void place() throws Exception {
        tree = new TestingTree(temporary.toRealPath());
    }

    @Test
    void rows_of_a_scan_are_registered_as_suggested_with_where_they_came_from() {
        byte[] content = TestingGguf.chat().bytes();
        Path hub = tree.hub("org/Some", REVISION, "Some-Q8_0.gguf", content);
        Path eyes =
                tree.hub("org/Some", REVISION, "mmproj-F16.gguf", projector(1).bytes());
        Path parts = tree.part("models", "big", 1, 2);
        tree.part("models", "big", 2, 2);

        AdoptReport report = new ModelAdoption(tree.registry()).adopt(scanned("hub", "models"));

        assertThat(report.skipped()).isEmpty();
        assertThat(report.added())
                .containsExactlyInAnyOrder(
                        tree.registry().require("some-q8-0"), tree.registry().require("big"));
        RegisteredModel model = tree.registry().require("some-q8-0");
        assertThat(model.path()).hasValue(hub);
        assertThat(model.sha256()).hasValue(sha256(content));
        assertThat(model.labels()).containsExactly("chat", "vision");
        assertThat(model.addedAt()).isEqualTo(NOW);
        ModelDetails details = model.details();
        assertThat(details.hfRepo()).hasValue("org/Some");
        assertThat(details.hfFilename()).hasValue("Some-Q8_0.gguf");
        assertThat(details.revision()).hasValue(REVISION);
        assertThat(details.mmproj()).hasValue(eyes);
        assertThat(details.confidence()).hasValue(Confidence.HIGH);
        assertThat(details.source()).isEqualTo("scan");
        assertThat(details.state()).hasValue(ModelState.READY);
        assertThat(details.files())
                .extracting(ModelPart::rel, ModelPart::role)
                .containsExactly(tuple("Some-Q8_0.gguf", "model"), tuple("mmproj-F16.gguf", "mmproj"));
        assertThat(tree.registry().require("big").details().files())
                .extracting(ModelPart::rel, ModelPart::role)
                .containsExactly(tuple("big-00001-of-00002.gguf", "shard"), tuple("big-00002-of-00002.gguf", "shard"));
        assertThat(tree.registry().fileState(tree.registry().require("big"))).isEqualTo(FileState.PRESENT);
        assertThat(parts).exists();
    }

    /** Pitfall 10: what a person corrected is not thrown away for what was detected. */
    @Test
    void row_that_a_person_edited_is_registered_as_edited() {
        Path model = tree.chat("models/a.gguf");
        AdoptRow row = AdoptRow.of(model)
                .withId("user.Mine")
                .withName("My model")
                .withLabels(Set.of("favourite"))
                .withCapability(ModelCapability.EMBEDDING);

        new ModelAdoption(tree.registry()).adopt(List.of(row));

        RegisteredModel adopted = tree.registry().require("user.Mine");
        assertThat(adopted.name()).isEqualTo("My model");
        assertThat(adopted.labels()).containsExactly("embed", "favourite");
        assertThat(adopted.capabilities()).containsExactly(ModelCapability.EMBEDDING);
        assertThat(adopted.details().confidence()).hasValue(Confidence.HIGH);
    }

    @Test
    void rows_that_cannot_be_registered_are_skipped_with_reasons_and_the_others_are_registered() throws Exception {
        Path registered = tree.chat("models/registered.gguf");
        tree.registry().add(registered, AddOptions.DEFAULT);
        Path link = tree.link("models/link.gguf", registered);
        Path good = tree.chat("models/good.gguf");
        Path hard = Files.createLink(tree.root().resolve("models/hard.gguf"), good);
        Path sameId = tree.chat("models/x/good.gguf");
        Path broken = tree.file("models/broken.gguf", "none");
        Path absent = tree.root().resolve("models/absent.gguf");
        Path badId = tree.chat("models/badid.gguf");
        Path builtIn = tree.chat("models/builtin.gguf");
        Path noEyes = tree.chat("models/noeyes.gguf");

        AdoptReport report = new ModelAdoption(tree.registry())
                .adopt(List.of(
                        AdoptRow.of(link),
                        AdoptRow.of(good),
                        AdoptRow.of(hard),
                        AdoptRow.of(sameId),
                        AdoptRow.of(broken),
                        AdoptRow.of(absent),
                        AdoptRow.of(tree.models()),
                        AdoptRow.of(badId).withId("a/b"),
                        AdoptRow.of(builtIn).withId("all-minilm-l6-v2"),
                        AdoptRow.of(noEyes).withMmproj(Optional.of(good))));

        assertThat(report.added()).extracting(RegisteredModel::id).containsExactly("good");
        assertThat(report.skipped())
                .extracting(SkippedPath::path)
                .containsExactlyInAnyOrder(link, hard, sameId, broken, absent, tree.models(), badId, builtIn, noEyes);
        assertThat(report.skipped())
                .contains(
                        new SkippedPath(link, "is already registered as 'registered'"),
                        new SkippedPath(hard, "is already registered as 'good'"),
                        new SkippedPath(sameId, "the id 'good' is in use; choose another"),
                        new SkippedPath(absent, "there is no such file"));
        assertThat(tree.registry().list()).hasSize(3);
    }

    @Test
    void any_number_of_rows_is_one_write_that_keeps_a_person_s_words() throws Exception {
        for (int number = 0; number < 40; number++) {
            tree.chat("models/m" + number + ".gguf");
        }
        tree.file(
                "registry/registry.toml",
                "# mine\n[models.kept] # too\npath = \"/x/y.gguf\"\ncapabilities = [\"chat\"]\n");
        var counted = new CountedOperations();
        var registry = new ModelRegistry(
                new TomlFile(tree.registryFile(), new DurableFiles(counted)),
                new GgufReader(),
                InstantSource.fixed(NOW));

        AdoptReport report = new ModelAdoption(registry).adopt(scanned("models"));

        assertThat(report.added()).hasSize(40);
        assertThat(counted.writes).isEqualTo(1);
        assertThat(Files.readString(tree.registryFile())).contains("# mine\n").contains("[models.kept] # too\n");
        assertThat(new ModelAdoption(registry).adopt(scanned("models")).skipped())
                .hasSize(40);
        assertThat(counted.writes).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "models = {}\n",
                "[models]\n",
                "[models]\n[models.b]\npath = '/x'\ncapabilities = ['chat']",
                "schema_version = 1\n[other]\nx = 1",
            })
    void new_entries_find_their_place_in_a_file_of_any_shape(String text) throws Exception {
        tree.chat("models/a.gguf");
        tree.chat("models/c.d.gguf");
        tree.file("registry/registry.toml", text);

        new ModelAdoption(tree.registry()).adopt(scanned("models"));

        assertThat(tree.registry().list()).extracting(RegisteredModel::id).contains("a", "c-d");
        assertThat(tree.registry().find("b").isPresent()).isEqualTo(text.contains("models.b"));
        assertThat(tree.registry().faults()).isEmpty();
    }

    @Test
    void registry_that_does_not_parse_is_not_written() throws Exception {
        Path model = tree.chat("models/a.gguf");
        tree.file("registry/registry.toml", "[models.half\n");

        assertThatThrownBy(() -> new ModelAdoption(tree.registry()).adopt(List.of(AdoptRow.of(model))))
                .isInstanceOfSatisfying(
                        Hal0Exception.class,
                        refusal -> assertThat(refusal.code()).isEqualTo(ErrorCode.MODEL_REGISTRY_UNAVAILABLE));
        assertThat(Files.readString(tree.registryFile())).isEqualTo("[models.half\n");
    }

    private List<AdoptRow> scanned(String... folders) {
        return new ModelScan(tree.registry())
                        .preview(
                                java.util.Arrays.stream(folders)
                                        .map(tree.root()::resolve)
                                        .toList(),
                                true)
                        .rows()
                        .stream()
                        .map(AdoptRow::of)
                        .toList();
    }

    /** The plain operations, counted. */
    private static final class CountedOperations implements FileOperations {
        private int writes;

        @Override
        public void write(Path path, byte[] content, Set<PosixFilePermission> mode) throws IOException {
            writes++;
            Files.write(path, content);
        }

        @Override
        public void force(Path path) {}

        @Override
        public void rename(Path source, Path target) throws IOException {
            Files.move(source, target, StandardCopyOption.ATOMIC_MOVE);
        }

        @Override
        public void delete(Path path) throws IOException {
            Files.deleteIfExists(path);
        }

        @Override
        public String read(Path path) throws IOException {
            return Files.readString(path);
        }
    }
}
