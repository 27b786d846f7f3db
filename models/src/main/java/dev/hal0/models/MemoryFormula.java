package dev.hal0.models;

import dev.hal0.models.MemoryNeed.Part;

/**
 * What llama-server takes for one model and one way of running it, with the arguments that hal0 gives it. The sources of the
 * constants: the engine's own report for hollow models of many shapes (docs/fit.md), version 0.7.0, build 11669, on the
 * processor and on a Vulkan device made of software; where that could not be measured it says so.
 *
 * <p>Arithmetic is exact: a shape that no memory holds ends in an {@link ArithmeticException}.
 */
final class MemoryFormula {
    /** {@code llama_context} rounds the context of each request up to this ({@code GGML_PAD(…, 256)}). */
    private static final int CELLS = 256;

    private static final long FLOAT = 4;

    /** A mask is F16 with flash attention, and F32 without. */
    private static final long HALF = 2;

    /** Vectors of the embedding's length that live at once beside a layer's widest part: measured, 5 in all models with a gate. */
    private static final int BESIDE = 5;

    /** Likewise where experts' outputs are summed up: measured, 3 to 6. */
    private static final int BESIDE_EXPERTS = 6;

    /** Gate, upward projection and their product. */
    private static final int GATED = 3;

    /** Without a gate there is one part as wide as the feed-forward layer: measured, 5 in starcoder2, 6 in bert. */
    private static final int BESIDE_UNGATED = 6;

    /** Measured: 5 in mamba, 4.5 in a gated delta net. */
    private static final int INNER = 5;

    /** Copies of a recurrent state during a pass, per request, in quarters: measured, 2.2 in a gated delta net. */
    private static final long STATE_QUARTERS = 9;

    /** Without flash attention: queries, keys and scores' neighbours, in embedding lengths. Measured: 6.7. */
    private static final int BESIDE_SCORES = 7;

    /** A vocabulary that the file does not name is taken to be one of the largest: it counts little. */
    private static final long LARGE_VOCABULARY = 262_144;

    /** Text, score and lookup entry of a token. Measured: 150 without merges, which files of byte-pair models have. */
    private static final long TOKEN_BYTES = 256;

    /** Resident beyond the report, without the vocabulary. Measured: 22 MiB idle; rest for requests being worked on. */
    private static final long PROCESS = 64L << 20;

    /** Context, code and staging of a GPU driver. Not measured: no driver's own memory could be told. */
    private static final long GPU_PROCESS = 300L << 20;

    /** Inputs of a pass lie in memory of the processor too, and the mask. Measured: 4 in all models, 8 in mamba. */
    private static final long STAGED = 4;

    private final ModelShape shape;
    private final FitRequest request;
    private final long cells;
    private final long ubatch;
    private final long embedding;

    MemoryFormula(ModelShape shape, FitRequest request) {
        this.shape = shape;
        this.request = request;
        cells = padded(request.context());
        ubatch = Math.min(request.ubatch(), (long) request.context() * request.parallel());
        embedding = shape.embeddingLength().orElseThrow(ArithmeticException::new);
    }

    MemoryNeed need() {
        return new MemoryNeed(weights(), cache(), compute(), runtime());
    }

    private Part weights() {
        long files = shape.weightsBytes().orElseThrow(ArithmeticException::new);
        long projector = request.vision() ? shape.projectorBytes().orElse(0) : 0;
        // The token table stays with the processor; a model without an output layer of its own uses it as one.
        long copied = request.gpuLayers() ? shape.copiedBytes() : 0;
        return new Part(
                sum(files, projector, copied),
                "files " + files + (projector > 0 ? " + projector " + projector : "")
                        + (copied > 0 ? " + token table on the GPU " + copied : ""));
    }

    private Part cache() {
        long full = 0;
        long windowed = 0;
        long state = 0;
        long shortCells = 0;
        for (LayerCache layer : shape.layers()) {
            long row = sum(
                    request.keys().bytesOf(layer.keyWidth()), request.values().bytesOf(layer.valueWidth()));
            if (layer.windowed()) {
                shortCells = windowCells(layer.window());
                windowed = sum(windowed, product(row, shortCells));
            } else {
                full = sum(full, row);
            }
            state = sum(state, product(layer.stateNumbers(), FLOAT));
        }
        long bytes = product(sum(product(full, cells), windowed, state), request.parallel());
        if (shape.layers().isEmpty()) {
            return new Part(bytes, "none: it reads a text at once");
        }
        return new Part(
                bytes,
                request.parallel() + " × (" + full + " per token × " + cells
                        + (windowed > 0 ? " + layers with a window " + windowed + " (" + shortCells + " tokens)" : "")
                        + (state > 0 ? " + recurrent state " + state : "")
                        + ") with " + request.keys().label() + " and "
                        + request.values().label());
    }

    /** A window is kept for the tokens before a pass, and for the pass ({@code llama_kv_cache_iswa}). */
    private long windowCells(int window) {
        return Math.min(cells, padded((long) window + ubatch));
    }

    private Part compute() {
        long mask = product(request.flashAttention() ? HALF : FLOAT, maskCells(), ubatch);
        long width = width();
        long states = shape.layers().stream()
                .mapToLong(LayerCache::stateNumbers)
                .max()
                .orElse(0);
        long recurrent = states == 0
                ? 0
                : sum(
                        product(ubatch, BESIDE * embedding + (long) INNER * shape.innerLength(), FLOAT),
                        product(STATE_QUARTERS, states, request.parallel()));
        long layer = Math.max(product(ubatch, width, FLOAT), recurrent);
        long output = product(request.parallel(), shape.vocabularySize().orElse((int) LARGE_VOCABULARY), FLOAT);
        long staged = request.gpuLayers() ? sum(mask, product(STAGED * embedding, ubatch, FLOAT)) : 0;
        return new Part(
                sum(mask, layer, output, staged),
                "mask " + mask + " + widest layer " + layer + " (ubatch " + ubatch + ") + output " + output
                        + (staged > 0 ? " + inputs beside the GPU " + staged : ""));
    }

    /** Tokens that each token of a pass may look at: one mask for layers with a window, one for those without. */
    private long maskCells() {
        if (shape.layers().isEmpty()) {
            return ubatch;
        }
        long all = 0;
        long shortest = 0;
        for (LayerCache layer : shape.layers()) {
            if (layer.windowed()) {
                shortest = Math.max(shortest, windowCells(layer.window()));
            } else if (layer.attends()) {
                all = cells;
            }
        }
        return sum(all, shortest);
    }

    /** 32-bit numbers per token that live at once at the worst place of a pass; the same memory serves all layers. */
    private long width() {
        long forward = shape.feedForwardLength().orElse(0);
        long dense = shape.gated() ? GATED * forward + BESIDE * embedding : forward + BESIDE_UNGATED * embedding;
        long used = shape.expertsUsed();
        long expert = used == 0 ? 0 : shape.expertLength().orElse((int) forward);
        long routed = used == 0
                ? 0
                : Math.max(
                        sum(product(GATED, used, expert), BESIDE * embedding),
                        sum(product(2, used, embedding), BESIDE_EXPERTS * embedding));
        long heads = shape.headCount().orElse(0);
        long queries = sum(product(2, heads, shape.headLength().orElse(0)), BESIDE * embedding);
        // Every head's scores for every token in the cache are written out.
        long scores = request.flashAttention() ? 0 : sum(product(heads, maskCells()), BESIDE_SCORES * embedding);
        return Math.max(Math.max(dense, routed), Math.max(shape.gated() ? queries : 0, scores));
    }

    private Part runtime() {
        long tokens = shape.vocabularySize().orElse((int) LARGE_VOCABULARY);
        long process = request.gpuLayers() ? GPU_PROCESS : PROCESS;
        return new Part(
                sum(process, product(tokens, TOKEN_BYTES)),
                "process " + process + " + vocabulary " + tokens + " × " + TOKEN_BYTES);
    }

    private static long padded(long tokens) {
        return Math.ceilDiv(tokens, CELLS) * CELLS;
    }

    private static long sum(long... terms) {
        long total = 0;
        for (long term : terms) {
            total = Math.addExact(total, term);
        }
        return total;
    }

    private static long product(long... factors) {
        long total = 1;
        for (long factor : factors) {
            total = Math.multiplyExact(total, factor);
        }
        return total;
    }
}
