package dev.hal0.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.testing.GgufWriter;
import dev.hal0.testing.GgufWriter.Raw;
import dev.hal0.testing.GgufWriter.TensorType;
import dev.hal0.testing.HostileGguf;
import dev.hal0.testing.TestingGguf;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufReaderTest {
    private final GgufReader reader = new GgufReader();

    @TempDir
    Path folder;

    @Test
    void chat_model_is_described() {
        Path file = TestingGguf.chat().withName("Tiny One").writeTo(folder.resolve("tiny.gguf"));

        GgufHeader header = reader.read(file);

        assertThat(header.version()).isEqualTo(3);
        assertThat(header.fileSize()).isEqualTo(file.toFile().length());
        assertThat(header.tensorCount()).isEqualTo(3 + 2 * 9);
        assertThat(header.parameters()).isBetween(100_000L, 300_000L);
        assertThat(header.name()).isEqualTo("Tiny One");
        assertThat(header.architecture()).isEqualTo("llama");
        assertThat(header.quantization()).isEqualTo("Q8_0");
        assertThat(header.contextLength()).isEqualTo(2048);
        assertThat(header.embeddingLength()).isEqualTo(64);
        assertThat(header.blockCount()).isEqualTo(2);
        assertThat(header.headCount()).isEqualTo(4);
        assertThat(header.headCountKv()).isEqualTo(2);
        assertThat(header.vocabularySize()).isEqualTo(3 + 256 + 95 + 170);
        assertThat(header.tokenizerModel()).isEqualTo("llama");
        assertThat(header.poolingType()).isEmpty();
        assertThat(header.shardCount()).isEqualTo(1);
        assertThat(header.complete()).isTrue();
        assertThat(header.chatTemplate())
                .hasValueSatisfying(text -> assertThat(text).contains("add_generation_prompt"));
        assertThat(header.capability().capability()).hasValue(ModelCapability.CHAT);
    }

    @Test
    void embedding_and_reranking_models_are_told_by_their_pooling() throws Exception {
        var embedding = read(TestingGguf.embedding().bytes());
        var reranking = read(TestingGguf.reranking().bytes());

        assertThat(embedding.architecture()).isEqualTo("bert");
        assertThat(embedding.poolingType()).hasValue(1);
        assertThat(embedding.capability().capability()).hasValue(ModelCapability.EMBEDDING);
        assertThat(embedding.chatTemplate()).isEmpty();
        assertThat(reranking.poolingType()).hasValue(4);
        assertThat(reranking.capability().capability()).hasValue(ModelCapability.RERANKING);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void every_version_reads_the_same(int version) throws Exception {
        GgufHeader header = read(
                TestingGguf.chat().withFormat(version, ByteOrder.LITTLE_ENDIAN).bytes());

        assertThat(header.version()).isEqualTo(version);
        assertThat(header.contextLength()).isEqualTo(2048);
        assertThat(header.vocabularySize()).isEqualTo(524);
        assertThat(header.complete()).isTrue();
    }

    @ParameterizedTest
    @MethodSource("dev.hal0.testing.HostileGguf#all")
    @Timeout(10)
    void hostile_file_is_refused_with_its_reason(HostileGguf hostile) throws Exception {
        Path file = Files.write(folder.resolve("hostile.gguf"), hostile.content());

        assertThatExceptionOfType(Hal0Exception.class)
                .isThrownBy(() -> reader.read(file))
                .satisfies(refusal -> {
                    assertThat(refusal.code()).isEqualTo(ErrorCode.MODEL_FILE_INVALID);
                    assertThat(refusal.message()).startsWith(file + ": ").hasSizeLessThan(1000);
                    assertThat(refusal.details())
                            .containsEntry("reason", hostile.reason())
                            .containsEntry("path", file.toString())
                            .containsKey("offset");
                });
    }

    @Test
    void file_type_that_is_absent_or_unknown_is_taken_from_the_tensors() throws Exception {
        assertThat(read(TestingGguf.chat().withoutKey("general.file_type").bytes())
                        .quantization())
                .isEqualTo("Q8_0");
        assertThat(read(TestingGguf.chat()
                                .withWeights(TensorType.F16)
                                .withKey("general.file_type", 999)
                                .bytes())
                        .quantization())
                .isEqualTo("F16");
        assertThat(read(TestingGguf.chat()
                                .withKey("general.file_type", 1024 + 15)
                                .bytes())
                        .quantization())
                .isEqualTo("Q4_K_M");
    }

    @Test
    void tensor_of_a_newer_type_leaves_completeness_open() throws Exception {
        byte[] bytes = new GgufWriter()
                .key("general.architecture", "llama")
                .key("tokenizer.ggml.model", "gpt2")
                .tensor("a.weight", TensorType.F32, (row, into) -> {}, 32)
                .bytes();
        // The type stands before the offset, which ends the header at a multiple of the alignment or before.
        int type = new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf("a.weight") + 8 + 4 + 8;
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(type, 77);

        GgufHeader header = read(bytes);

        assertThat(header.complete()).isFalse();
        assertThat(header.quantization()).isEmpty();
    }

    @Test
    void values_of_all_types_are_passed_over() throws Exception {
        var model = TestingGguf.chat();
        int[] widths = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
        for (int type = 0; type < widths.length; type++) {
            if (widths[type] > 0) {
                byte[] array = ByteBuffer.allocate(12 + 3 * widths[type])
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(type)
                        .putLong(3)
                        .array();
                model = model.withKey("x.scalar" + type, new Raw(type, new byte[widths[type]]))
                        .withKey("x.array" + type, new Raw(9, array));
            }
        }

        assertThat(read(model.withKey("x.texts", List.of("a", "", "ü")).bytes()).complete())
                .isTrue();
    }

    @Test
    void small_integer_types_are_numbers_too() throws Exception {
        byte[] u16 = {0, 4};
        assertThat(read(TestingGguf.chat()
                                .withKey("llama.context_length", new Raw(2, u16))
                                .bytes())
                        .contextLength())
                .isEqualTo(1024);
        assertThat(read(TestingGguf.chat()
                                .withKey("llama.context_length", 1L << 40)
                                .bytes())
                        .contextLength())
                .isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void number_that_is_a_text_is_refused() {
        assertThatExceptionOfType(Hal0Exception.class)
                .isThrownBy(() -> read(TestingGguf.chat()
                        .withKey("llama.context_length", "many")
                        .bytes()))
                .withMessageContaining("llama.context_length is not a whole number");
    }

    @Test
    void head_counts_per_layer_give_the_largest() throws Exception {
        var header = read(TestingGguf.chat()
                .withKey("llama.attention.head_count_kv", new int[] {0, 2, 8, 2})
                .bytes());

        assertThat(header.headCountKv()).isEqualTo(8);
    }

    @Test
    void texts_are_free_of_control_characters_and_bounded() throws Exception {
        var header = read(TestingGguf.chat()
                .withName("Evil\u001b[2J\nname " + "x".repeat(5000))
                .withChatTemplate("y".repeat(3 << 20))
                .bytes());

        assertThat(header.name()).startsWith("Evil [2J name x").hasSizeLessThanOrEqualTo(256);
        assertThat(header.chatTemplate())
                .hasValueSatisfying(text -> assertThat(text).hasSize(1 << 20));
    }

    @Test
    void large_vocabulary_is_walked_and_not_kept() throws Exception {
        List<String> tokens =
                IntStream.range(0, 300_000).mapToObj(i -> "token" + i).toList();
        byte[] bytes =
                TestingGguf.chat().withKey("tokenizer.ggml.tokens", tokens).bytes();
        read(bytes);
        long before = allocated();

        GgufHeader header = read(bytes);

        assertThat(allocated() - before).isLessThan(1 << 20);
        assertThat(header.vocabularySize()).isEqualTo(300_000);
    }

    @Test
    void header_over_the_budget_is_refused() {
        var small = new GgufReader(new GgufReader.Limits(4096, 100, 1000));

        assertThatExceptionOfType(Hal0Exception.class)
                .isThrownBy(
                        () -> small.read(new MemoryChannel(TestingGguf.chat().bytes()), "small", "small.gguf"))
                .satisfies(refusal -> assertThat(refusal.details()).containsEntry("reason", "limit"));
    }

    @Test
    @Timeout(30)
    void endless_array_of_empty_strings_ends_at_the_budget() {
        byte[] start = ByteBuffer.allocate(24 + 9 + 4 + 4 + 8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put("GGUF".getBytes(java.nio.charset.StandardCharsets.US_ASCII))
                .putInt(3)
                .putLong(0)
                .putLong(1)
                .putLong(1)
                .put((byte) 'x')
                .putInt(9)
                .putInt(8)
                .putLong(1L << 36)
                .array();
        var sea = new MemoryChannel(start, 1L << 40);

        assertThatExceptionOfType(Hal0Exception.class)
                .isThrownBy(() -> reader.read(sea, "sea", "sea.gguf"))
                .satisfies(refusal -> assertThat(refusal.details()).containsEntry("reason", "limit"));
        assertThat(sea.delivered).isLessThanOrEqualTo(GgufReader.Limits.DEFAULT.bytes() + 64);
    }

    @Test
    @Timeout(value = 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void folder_pipe_and_nothing_are_refused_without_waiting() throws Exception {
        Path pipe = folder.resolve("pipe.gguf");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();

        assertRefused(folder, "is a folder");
        assertRefused(pipe, "is not a regular file");
        assertRefused(folder.resolve("absent.gguf"), "there is no such file");
    }

    @Test
    void file_that_may_not_be_read_says_so() throws Exception {
        Path file = TestingGguf.chat().writeTo(folder.resolve("secret.gguf"));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("---------"));
        assumeThat(Files.isReadable(file)).as("root reads everything").isFalse();

        assertRefused(file, "permission denied");
    }

    private void assertRefused(Path file, String words) {
        assertThatExceptionOfType(Hal0Exception.class)
                .isThrownBy(() -> reader.read(file))
                .withMessageContaining(words)
                .satisfies(refusal -> assertThat(refusal.details()).containsEntry("reason", "unreadable"));
    }

    private GgufHeader read(byte[] bytes) throws IOException {
        return reader.read(new MemoryChannel(bytes), "memory", "memory.gguf");
    }

    private static long allocated() {
        return ((com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean())
                .getCurrentThreadAllocatedBytes();
    }
}
