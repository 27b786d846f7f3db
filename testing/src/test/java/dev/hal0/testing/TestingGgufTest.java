package dev.hal0.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestingGgufTest {
    @Test
    void same_settings_give_the_same_bytes() {
        assertThat(TestingGguf.chat().bytes()).isEqualTo(TestingGguf.chat().bytes());
        assertThat(TestingGguf.embedding().bytes())
                .isEqualTo(TestingGguf.embedding().bytes());
    }

    @Test
    void another_seed_gives_other_weights_of_the_same_size() {
        byte[] first = TestingGguf.chat().bytes();
        byte[] second = TestingGguf.chat().withSeed(2).bytes();

        assertThat(second).hasSameSizeAs(first).isNotEqualTo(first);
    }

    @Test
    void a_file_holds_what_the_bytes_say(@TempDir Path folder) throws Exception {
        Path file = TestingGguf.reranking().writeTo(folder.resolve("below/model.gguf"));

        assertThat(Files.readAllBytes(file)).isEqualTo(TestingGguf.reranking().bytes());
    }

    @Test
    void hostile_files_have_distinct_names() {
        assertThat(HostileGguf.all()).extracting(HostileGguf::name).doesNotHaveDuplicates();
    }
}
