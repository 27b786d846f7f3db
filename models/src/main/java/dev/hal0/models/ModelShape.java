package dev.hal0.models;

import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * The sizes of a model that its memory is computed from. What a file does not say is absent, never 0. Immutable.
 *
 * @param architecture such as {@code llama}
 * @param weightsBytes of all its files; absent where this header is that of one file among several
 * @param projectorBytes of the file that turns pictures into tokens; absent where none is known
 * @param copiedBytes that exist twice when layers are on a GPU: a token table that serves as output layer too
 * @param embeddingLength numbers per token between layers
 * @param feedForwardLength the largest, where layers differ; 0 for a model that has none
 * @param headCount the largest, where layers differ; 0 for a model without attention
 * @param headLength numbers of a query per head
 * @param vocabularySize tokens
 * @param contextLength the trained window in tokens
 * @param expertCount 0 for a dense model
 * @param expertsUsed of them per token
 * @param expertLength the feed-forward length of one expert
 * @param innerLength width of a recurrent layer; 0 where there is none
 * @param gated whether its feed-forward layers have a gate; true when not known, being the larger
 * @param causal false for an encoder, which keeps no cache
 * @param layers what each remembers, first to last; empty when {@link #missing()} is not, and for an encoder
 * @param missing keys, or words, that name what the file lacks or what hal0 does not know; empty when all is known
 */
public record ModelShape(
        String architecture,
        OptionalLong weightsBytes,
        OptionalLong projectorBytes,
        long copiedBytes,
        OptionalInt embeddingLength,
        OptionalInt feedForwardLength,
        OptionalInt headCount,
        OptionalInt headLength,
        OptionalInt vocabularySize,
        OptionalInt contextLength,
        int expertCount,
        int expertsUsed,
        OptionalInt expertLength,
        int innerLength,
        boolean gated,
        boolean causal,
        List<LayerCache> layers,
        List<String> missing) {

    public ModelShape {
        layers = List.copyOf(layers);
        missing = List.copyOf(missing);
    }

    /** @param bytes of all files of the model together */
    public ModelShape withWeights(long bytes) {
        return with(OptionalLong.of(bytes), projectorBytes);
    }

    /** @param bytes of the mmproj file */
    public ModelShape withProjector(long bytes) {
        return with(weightsBytes, OptionalLong.of(bytes));
    }

    private ModelShape with(OptionalLong weights, OptionalLong projector) {
        return new ModelShape(
                architecture,
                weights,
                projector,
                copiedBytes,
                embeddingLength,
                feedForwardLength,
                headCount,
                headLength,
                vocabularySize,
                contextLength,
                expertCount,
                expertsUsed,
                expertLength,
                innerLength,
                gated,
                causal,
                layers,
                missing);
    }
}
