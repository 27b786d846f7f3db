package dev.hal0.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.TomlFile;
import dev.hal0.models.CapabilityGuess.Confidence;
import dev.hal0.testing.TestingGguf;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RegistryEntriesTest {
    @TempDir
    Path folder;

    @Test
    void every_detail_in_the_file_reaches_the_model() throws Exception {
        write("""
                schema_version = 1
                [models."qwen3.5-9b"]
                path = "/store/chat/q/q-00001-of-00002.gguf"
                capabilities = ["chat"]
                sha256 = "aa"
                revision = "0123"
                license = "apache-2.0"
                hf_repo = "org/name"
                hf_filename = "sub/q-00001-of-00002.gguf"
                state = "ready"
                mmproj = "/store/chat/q/mmproj-F16.gguf"
                source = "scan"
                confidence = "medium"

                [models."qwen3.5-9b".defaults]
                context_size = 8192
                extra_args = ["--flash-attn"]

                [[models."qwen3.5-9b".files]]
                rel = "q-00001-of-00002.gguf"
                size = 10
                sha256 = "aa"
                role = "shard"

                [[models."qwen3.5-9b".files]]
                rel = "mmproj-F16.gguf"
                role = "mmproj"
                """);

        assertThat(registry().require("qwen3.5-9b").details())
                .isEqualTo(new ModelDetails(
                        "apache-2.0",
                        Optional.of("org/name"),
                        Optional.of("sub/q-00001-of-00002.gguf"),
                        Optional.of("0123"),
                        List.of(
                                new ModelPart("q-00001-of-00002.gguf", 10, Optional.of("aa"), "shard"),
                                new ModelPart("mmproj-F16.gguf", 0, Optional.empty(), "mmproj")),
                        Optional.of(ModelState.READY),
                        Optional.of(Path.of("/store/chat/q/mmproj-F16.gguf")),
                        Map.of("context_size", 8192L, "extra_args", List.of("--flash-attn")),
                        "scan",
                        Optional.of(Confidence.MEDIUM)));
    }

    /** Pitfall 11: one word for one thing, whichever field and vocabulary an older file used. */
    @Test
    void fields_of_older_files_are_read_into_today_s() throws Exception {
        write("""
                [models.old]
                path = "/store/old.gguf"
                capabilities = ["embedding", "vision"]
                tags = ["curated", "tool-calling"]
                quant = "Q4_K_M"
                backends = ["vulkan", "rocm"]
                mmproj = ""
                [models.old.metadata]
                sha256 = "bb"
                context_length = 4096
                source = "add-from-path"
                [models.ears]
                path = "/store/ears.bin"
                tags = ["asr"]
                backends = ["moonshine"]
                """);

        RegisteredModel old = registry().require("old");

        assertThat(old.capabilities()).containsExactly(ModelCapability.EMBEDDING);
        assertThat(old.labels()).containsExactly("curated", "embed", "tool-calling", "vision");
        assertThat(old.quantization()).isEqualTo("Q4_K_M");
        assertThat(old.engines()).containsExactly("llama.cpp");
        assertThat(old.sha256()).hasValue("bb");
        assertThat(old.contextLength()).isEqualTo(4096);
        assertThat(old.details().source()).isEqualTo("add-from-path");
        assertThat(old.details().license()).isEqualTo("unknown");
        assertThat(old.details().mmproj()).isEmpty();
        assertThat(registry().require("ears").capabilities()).containsExactly(ModelCapability.TRANSCRIPTION);
        assertThat(registry().require("ears").engines()).containsExactly("moonshine");
    }

    @Test
    void detail_with_a_fault_leaves_out_only_its_entry() throws Exception {
        write("""
                [models.good]
                path = "/x/good.gguf"
                capabilities = ["chat"]
                [models.state]
                path = "/x/a.gguf"
                capabilities = ["chat"]
                state = "asleep"
                [models.files]
                path = "/x/b.gguf"
                capabilities = ["chat"]
                files = [{ size = 3 }]
                [models.mmproj]
                path = "/x/c.gguf"
                capabilities = ["chat"]
                mmproj = "c.gguf"
                """);

        assertThat(registry().faults()).containsOnlyKeys("state", "files", "mmproj");
        assertThat(registry().find("good")).isPresent();
    }

    @Test
    void list_form_is_read_and_its_first_change_keeps_comments_and_unknown_keys() throws Exception {
        write("""
                # mine
                [[models]]
                id = "qwen3.5-9b" # the good one
                path = "/x/q.gguf"
                capabilities = ["chat"]
                future = 1
                [models.defaults]
                context_size = 4096

                [[models]]
                id = "b"
                path = "/x/b.gguf"
                capabilities = ["embed"]
                """);

        assertThat(registry().require("qwen3.5-9b").details().defaults()).containsEntry("context_size", 4096L);
        assertThat(text()).contains("[[models]]");
        registry().remove("b");

        assertThat(text().strip()).isEqualTo("""
                # mine
                [models."qwen3.5-9b"]
                id = "qwen3.5-9b" # the good one
                path = "/x/q.gguf"
                capabilities = ["chat"]
                future = 1
                [models."qwen3.5-9b".defaults]
                context_size = 4096""");
        assertThat(registry().list()).hasSize(2);
    }

    /** Pitfall 13: two entries with one id. Neither is lost by keeping silent about one. */
    @Test
    void list_form_with_an_element_that_has_no_place_is_read_but_never_written() throws Exception {
        write("""
                [[models]]
                id = "a"
                path = "/x/a.gguf"
                capabilities = ["chat"]
                [[models]]
                id = "a"
                path = "/x/other.gguf"
                [[models]]
                path = "/x/nameless.gguf"
                """);
        String before = text();

        assertThat(registry().require("a").path()).hasValue(Path.of("/x/a.gguf"));
        assertThat(registry().faults()).containsOnlyKeys("models[1]", "models[2]");
        assertThatThrownBy(() -> registry().remove("a"))
                .isInstanceOf(Hal0Exception.class)
                .hasMessageContaining("models[2] has no id");
        assertThat(text()).isEqualTo(before);
    }

    @Test
    void list_form_with_a_text_that_looks_like_a_header_keeps_its_meaning() throws Exception {
        write("""
                [[models]]
                id = "a"
                path = "/x/a.gguf"
                capabilities = ["chat"]
                note = '''
                [[models]]
                '''
                [[models]]
                id = "b"
                path = "/x/b.gguf"
                capabilities = ["chat"]
                """);

        registry().remove("b");

        assertThat(registry().list()).extracting(RegisteredModel::id).containsExactly("a", "all-minilm-l6-v2");
        assertThat(text()).contains("[[models]]\n");
    }

    /** Pitfall 4: a command run by another user must leave a file that the service can read. */
    @Test
    void linked_registry_is_rewritten_at_its_target_with_its_mode() throws Exception {
        Path real = Files.createDirectories(folder.resolve("elsewhere")).resolve("r.toml");
        Files.writeString(real, "schema_version = 1\n");
        Files.setPosixFilePermissions(real, PosixFilePermissions.fromString("rw-rw-r--"));
        Files.createDirectories(file().getParent());
        Files.createSymbolicLink(file(), real);

        registry().add(TestingGguf.chat().writeTo(folder.resolve("a.gguf")), AddOptions.DEFAULT);

        assertThat(file()).isSymbolicLink();
        assertThat(Files.readString(real)).contains("[models.a]");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(real)))
                .isEqualTo("rw-rw-r--");
    }

    @Test
    void entry_overwritten_by_another_file_forgets_where_the_old_one_came_from() throws Exception {
        Path first = TestingGguf.chat().writeTo(folder.resolve("a.gguf"));
        registry().add(first, AddOptions.DEFAULT);
        write(text() + "hf_repo = \"org/a\"\nlicense = \"mit\"\nmmproj = \"/x/m.gguf\"\n");

        registry().add(first, AddOptions.DEFAULT.overwriting());
        assertThat(registry().require("a").details().hfRepo()).hasValue("org/a");
        Path other = TestingGguf.chat().withSeed(2).writeTo(folder.resolve("b.gguf"));
        registry().add(other, AddOptions.DEFAULT.withId("a").overwriting());

        ModelDetails details = registry().require("a").details();
        assertThat(details.hfRepo()).isEmpty();
        assertThat(details.mmproj()).isEmpty();
        assertThat(details.license()).isEqualTo("mit");
    }

    private ModelRegistry registry() {
        return new ModelRegistry(
                new TomlFile(file(), new DurableFiles()), new GgufReader(), InstantSource.fixed(Instant.EPOCH));
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
