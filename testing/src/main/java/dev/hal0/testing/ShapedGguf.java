package dev.hal0.testing;

import dev.hal0.testing.GgufWriter.TensorType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Hollow models in the shapes of real ones: every key and tensor that llama.cpp asks for, and holes for weights. It loads
 * them without allocating and says how much memory they would need; a model of 30 GB takes a few MB of disk.
 *
 * <p>Not for running: all weights are zero.
 */
public final class ShapedGguf {
    private static final Map<String, Shape> SAMPLES = new LinkedHashMap<>();

    /** Builds keys and tensors into a file. */
    private interface Layers {
        void add(HollowMixed model);
    }

    private record Shape(String architecture, int vocabulary, TensorType weights, boolean tied, Layers layers) {}

    static {
        // Named after the model whose numbers they have, or by what is special about them.
        put("llama-mha", "llama", 32_000, TensorType.F16, false, m -> m.llama(8, 512, 8, 8, 64, 1376, 4096));
        put("llama-gqa", "llama", 32_000, TensorType.Q8_0, false, m -> m.llama(12, 768, 12, 4, 64, 2048, 8192));
        put("llama-bigvocab", "llama", 256_000, TensorType.Q8_0, true, m -> m.llama(4, 512, 8, 2, 64, 1536, 8192));
        put("llama-q4", "llama", 32_000, TensorType.Q4_0, false, m -> m.llama(12, 1024, 16, 4, 64, 2816, 8192));
        put("llama-3.2-3b", "llama", 128_256, TensorType.Q8_0, true, m -> m.llama(28, 3072, 24, 8, 128, 8192, 131_072));
        put(
                "llama-3.1-8b",
                "llama",
                128_256,
                TensorType.Q4_K,
                false,
                m -> m.llama(32, 4096, 32, 8, 128, 14_336, 131_072));
        put("qwen3-8b", "qwen3", 151_936, TensorType.Q8_0, false, m -> m.qwen3(36, 4096, 32, 8, 128, 12_288, 40_960));
        put("qwen3-0.6b", "qwen3", 151_936, TensorType.Q8_0, true, m -> m.qwen3(28, 1024, 16, 8, 128, 3072, 40_960));
        put(
                "qwen3moe-30b-a3b",
                "qwen3moe",
                151_936,
                TensorType.Q8_0,
                false,
                m -> m.qwen3moe(48, 2048, 32, 4, 128, 768));
        put("qwen3moe-plain", "qwen3moe", 8192, TensorType.Q8_0, false, m -> m.qwen3moe(8, 2048, 32, 4, 128, 768));
        put("gemma3-small", "gemma3", 64_000, TensorType.Q8_0, true, m -> m.gemma3(12, 640, 4, 1, 256, 2048, 512));
        put("gemma3-4b", "gemma3", 262_144, TensorType.Q8_0, true, m -> m.gemma3(34, 2560, 8, 4, 256, 10_240, 1024));
        put("gpt-oss-20b", "gpt-oss", 201_088, TensorType.Q8_0, false, m -> m.gptOss(24, 2880, 64, 8, 64, 32, 2880));
        put("mistral-7b", "llama", 32_000, TensorType.Q8_0, false, m -> m.llama(32, 4096, 32, 8, 128, 14_336, 32_768));
        put("gemma2-2b", "gemma2", 256_000, TensorType.Q8_0, true, m -> m.gemma2(26, 2304, 8, 4, 256, 9216, 4096));
        put("starcoder2-3b", "starcoder2", 49_152, TensorType.Q8_0, true, m -> m.starcoder2(30, 3072, 24, 2, 12_288));
        put("lfm2-1.2b", "lfm2", 65_536, TensorType.Q8_0, true, m -> m.lfm2(16, 2048, 32, 8, 8192));
        put("mamba2-130m", "mamba2", 50_288, TensorType.F16, true, m -> m.mamba2(24, 768, 128, 24));
        put("mamba-130m", "mamba", 50_280, TensorType.F16, true, m -> m.mamba(24, 768, 16, 4, 48));
        put("mamba-plain", "mamba", 8192, TensorType.F16, true, m -> m.mamba(24, 768, 16, 4, 48));
        put("qwen35-plain", "qwen35", 8192, TensorType.Q8_0, true, m -> m.qwen35(8, 2048, 8, 2, 6144, 0));
        put("qwen35-mtp", "qwen35", 8192, TensorType.Q8_0, true, m -> m.qwen35(25, 2048, 8, 2, 6144, 0));
        put("qwen35-thin", "qwen35", 8192, TensorType.Q8_0, true, m -> m.qwen35(8, 2048, 8, 2, 1024, 0));
        put("mixtral-8x7b", "llama", 32_000, TensorType.Q8_0, false, m -> m.mixtral(32, 4096, 32, 8, 14_336, 8));
        put("glm-4.7-flash", "deepseek2", 154_880, TensorType.Q8_0, false, m -> m.latent(47, 2048, 20, 10_240, 1536));
        put("qwen35-9b", "qwen35", 248_320, TensorType.Q8_0, false, m -> m.qwen35(32, 4096, 16, 4, 12_288, 0));
        put(
                "qwen35moe-35b-a3b",
                "qwen35moe",
                248_320,
                TensorType.Q8_0,
                false,
                m -> m.qwen35(40, 2048, 16, 2, 512, 256));
        put("bert-base", "bert", 30_522, TensorType.F16, true, m -> m.bert(12, 768, 12, 3072, 512));
        put("bert-large-8k", "bert", 30_522, TensorType.F16, true, m -> m.bert(24, 1024, 16, 4096, 8192));
    }

    private ShapedGguf() {}

    public static List<String> names() {
        return List.copyOf(SAMPLES.keySet());
    }

    /** @throws IllegalArgumentException for a name that is not among {@link #names()} */
    public static GgufWriter named(String name) {
        Shape shape = SAMPLES.get(name);
        if (shape == null) {
            throw new IllegalArgumentException(name + " is none of " + names());
        }
        var model = new HollowMixed(name, shape.architecture(), shape.vocabulary(), shape.weights(), shape.tied());
        shape.layers().add(model);
        return model.writer;
    }

    /** Writes one sample and returns its path. */
    public static Path write(String name, Path file) {
        try {
            named(name).writeHollow(file);
            return file;
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** From a shell: {@code ShapedGguf FOLDER} writes every sample. */
    public static void main(String[] arguments) {
        for (String name : names()) {
            write(name, Path.of(arguments[0], name + ".gguf"));
        }
    }

    private static void put(
            String name, String architecture, int vocabulary, TensorType weights, boolean tied, Layers layers) {
        SAMPLES.put(name, new Shape(architecture, vocabulary, weights, tied, layers));
    }
}
