package dev.hal0.starter;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.onnx.HuggingFaceTokenCountEstimator;
import dev.langchain4j.model.embedding.onnx.allminilml6v2q.AllMiniLmL6V2QuantizedEmbeddingModel;
import java.util.ArrayList;
import java.util.List;

/** all-MiniLM-L6-v2, quantized to 8 bits, as LangChain4j packs it. Loading takes about a second. */
final class MiniLm implements EmbeddingModel {
    private static final int DIMENSIONS = 384;

    /** What LangChain4j's encoder passes to the model at once, with its two marks: 510 + 2. */
    private static final int WINDOW = 512;

    private final AllMiniLmL6V2QuantizedEmbeddingModel model;
    private final HuggingFaceTokenCountEstimator tokens = new HuggingFaceTokenCountEstimator();

    MiniLm() {
        // On the caller's thread: how much runs at once is the server's decision.
        model = new AllMiniLmL6V2QuantizedEmbeddingModel(Runnable::run);
        embed(List.of("The first inference prepares the native library."));
    }

    @Override
    public int dimensions() {
        return DIMENSIONS;
    }

    @Override
    public int window() {
        return WINDOW;
    }

    @Override
    public List<Embedded> embed(List<String> inputs) {
        var results = new ArrayList<Embedded>();
        for (String input : inputs) {
            int count = tokens.estimateTokenCountInText(input) + 2;
            float[] vector = model.embed(TextSegment.from(input)).content().vector();
            results.add(new Embedded(normalised(vector), count, count > WINDOW));
        }
        return results;
    }

    /** The average of several parts is shorter than 1; a caller that only compares by dot product relies on the length. */
    private static float[] normalised(float[] vector) {
        double sum = 0;
        for (float value : vector) {
            sum += (double) value * value;
        }
        float scale = (float) (1 / Math.sqrt(sum));
        float[] result = new float[vector.length];
        for (int i = 0; i < vector.length; i++) {
            result[i] = vector[i] * scale;
        }
        return result;
    }
}
