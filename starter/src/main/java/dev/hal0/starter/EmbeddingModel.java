package dev.hal0.starter;

import java.util.List;

/** Text to vectors. Thread-safe. */
interface EmbeddingModel {
    /**
     * @param vector of length 1
     * @param tokens of the input, with the two that the model adds
     * @param averaged whether the input was longer than the window, so that its parts were embedded and averaged
     */
    record Embedded(float[] vector, int tokens, boolean averaged) {}

    int dimensions();

    /** Tokens of one input that the model sees at once. */
    int window();

    List<Embedded> embed(List<String> inputs);
}
