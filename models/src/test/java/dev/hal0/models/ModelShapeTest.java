package dev.hal0.models;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.testing.GgufWriter;
import dev.hal0.testing.ShapedGguf;
import dev.hal0.testing.TestingGguf;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelShapeTest {
    private static final int U8 = 0;
    private static final int BOOL = 7;

    @TempDir
    private Path folder;

    @Test
    void llama_hasTheNumbersOfItsFile() {
        ModelShape shape = shape("llama-3.2-3b");

        assertThat(shape.architecture()).isEqualTo("llama");
        assertThat(shape.embeddingLength()).hasValue(3072);
        assertThat(shape.feedForwardLength()).hasValue(8192);
        assertThat(shape.vocabularySize()).hasValue(128_256);
        assertThat(shape.contextLength()).hasValue(131_072);
        assertThat(shape.missing()).isEmpty();
        assertThat(shape.layers()).hasSize(28).containsOnly(new LayerCache(1024, 1024, 0, 0));
        // No output layer of its own: 34 bytes for 32 numbers of the token table.
        assertThat(shape.copiedBytes()).isEqualTo(128_256L * 3072 / 32 * 34);
    }

    @Test
    void gemma_hasAWindowInAllButEverySixthLayer() {
        List<LayerCache> layers = shape("gemma3-small").layers();

        assertThat(IntStream.range(0, 12).filter(layer -> layers.get(layer).window() == 0))
                .containsExactly(5, 11);
        assertThat(layers.getFirst().window()).isEqualTo(512);
    }

    @Test
    void patternAsFlags_winsOverTheUsualOne() throws IOException {
        byte[] flags = new byte[4 + 8 + 12];
        flags[0] = BOOL;
        flags[4] = 12;
        flags[12] = 1;
        ModelShape shape =
                shape(ShapedGguf.named("gemma3-small").key("gemma3.attention.sliding_window_pattern", array(flags)));

        assertThat(shape.layers().stream().filter(layer -> layer.window() > 0)).hasSize(1);
        assertThat(shape.layers().getFirst().window()).isEqualTo(512);
    }

    @Test
    void headsPerLayer_differ() throws IOException {
        byte[] heads = new byte[4 + 8 + 8];
        heads[0] = U8;
        heads[4] = 8;
        for (int layer = 0; layer < 8; layer++) {
            heads[12 + layer] = (byte) layer;
        }
        ModelShape shape = shape(ShapedGguf.named("llama-mha").key("llama.attention.head_count_kv", array(heads)));

        assertThat(shape.layers())
                .extracting(LayerCache::keyWidth)
                .containsExactly(0L, 64L, 128L, 192L, 256L, 320L, 384L, 448L);
    }

    @Test
    void hybrid_keepsStateInThreeOfFourLayers() {
        List<LayerCache> layers = shape("qwen35-9b").layers();

        assertThat(layers).hasSize(32);
        assertThat(layers.get(3)).isEqualTo(new LayerCache(1024, 1024, 0, 0));
        assertThat(layers.get(4)).isEqualTo(new LayerCache(0, 0, 0, 548_864));
    }

    @Test
    void layersForGuessingAhead_keepNothing() {
        assertThat(shape("qwen35-mtp").layers()).hasSize(24);
    }

    @Test
    void shortConvolutions_areWhereThereAreNoKeyHeads() {
        List<LayerCache> layers = shape("lfm2-1.2b").layers();

        assertThat(layers.get(2)).isEqualTo(new LayerCache(512, 512, 0, 0));
        assertThat(layers.get(3)).isEqualTo(new LayerCache(0, 0, 0, 2 * 2048));
    }

    @Test
    void latentAttention_keepsOneVector() {
        assertThat(shape("glm-4.7-flash").layers()).hasSize(47).containsOnly(new LayerCache(576, 0, 0, 0));
    }

    @Test
    void encoder_keepsNothing() {
        ModelShape shape = shape("bert-base");

        assertThat(shape.causal()).isFalse();
        assertThat(shape.layers()).isEmpty();
        assertThat(shape.missing()).isEmpty();
    }

    @Test
    void headLengths_defaultToEqualSharesOfTheEmbedding() throws IOException {
        ModelShape shape = shape(ShapedGguf.named("llama-gqa")
                .withoutKey("llama.attention.key_length")
                .withoutKey("llama.attention.value_length"));

        assertThat(shape.layers()).containsOnly(new LayerCache(4 * 64, 4 * 64, 0, 0));
    }

    @Test
    void keyHeads_defaultToAllHeads() throws IOException {
        ModelShape shape = shape(ShapedGguf.named("llama-gqa").withoutKey("llama.attention.head_count_kv"));

        assertThat(shape.layers()).containsOnly(new LayerCache(12 * 64, 12 * 64, 0, 0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"block_count", "embedding_length", "feed_forward_length", "attention.head_count"})
    void missingKey_isNamedAndNothingIsGuessed(String key) throws IOException {
        ModelShape shape = shape(ShapedGguf.named("llama-gqa").withoutKey("llama." + key));

        assertThat(shape.missing()).contains("llama." + key);
        assertThat(shape.layers()).isEmpty();
        assertThat(ModelFit.need(shape, FitRequest.of(4096))).isEmpty();
    }

    @Test
    void layerCountOfAHostileFile_isNotAllocated() throws IOException {
        ModelShape shape = shape(ShapedGguf.named("llama-gqa").key("llama.block_count", -1));

        assertThat(shape.missing()).isNotEmpty();
        assertThat(shape.layers()).isEmpty();
    }

    @Test
    void stateSizesOfAHostileFile_areUnknown() throws IOException {
        ModelShape shape = shape(ShapedGguf.named("mamba-plain")
                .key("mamba.ssm.inner_size", -1)
                .key("mamba.ssm.state_size", -1)
                .key("mamba.ssm.group_count", -1)
                .key("mamba.ssm.conv_kernel", -1));

        assertThat(shape.missing()).containsExactly("sizes that a model can have");
    }

    @Test
    void oneFileOfSeveral_doesNotKnowTheWeights() throws IOException {
        ModelShape shape = shape(ShapedGguf.named("llama-gqa").key("split.count", 3));

        assertThat(shape.weightsBytes()).isEmpty();
        assertThat(shape.withWeights(7).weightsBytes()).hasValue(7);
    }

    @Test
    void vocabularyWithoutTokenizer_isTheTablesLength() throws IOException {
        assertThat(shape(ShapedGguf.named("llama-gqa").withoutKey("tokenizer.ggml.tokens"))
                        .vocabularySize())
                .hasValue(32_000);
    }

    @Test
    void projector_hasNoMemoryLayout() throws IOException {
        ModelShape shape = shape(new GgufWriter().key("general.architecture", "clip"));

        assertThat(shape.missing()).contains("the memory layout of clip");
    }

    @Test
    void realTestModel_isKnown() {
        Path file = TestingGguf.chat().writeTo(folder.resolve("chat.gguf"));

        assertThat(new GgufReader().read(file).shape().missing()).isEmpty();
    }

    private static GgufWriter.Raw array(byte[] typeLengthAndElements) {
        return new GgufWriter.Raw(9, typeLengthAndElements);
    }

    private ModelShape shape(String sample) {
        return new GgufReader()
                .read(ShapedGguf.write(sample, folder.resolve(sample + ".gguf")))
                .shape();
    }

    private ModelShape shape(GgufWriter writer) throws IOException {
        Path file = folder.resolve("changed.gguf");
        writer.writeHollow(file);
        return new GgufReader().read(file).shape();
    }
}
