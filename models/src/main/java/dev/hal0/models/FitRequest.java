package dev.hal0.models;

/**
 * How a model is to be run.
 *
 * @param context tokens of one request, from 1
 * @param keys how the cache stores keys
 * @param values how it stores values
 * @param parallel requests at once, from 1; each has a context of its own
 * @param ubatch tokens computed in one pass over the model, from 1
 * @param gpuLayers whether the layers are on a GPU, all of them
 * @param vision whether the projector for pictures is loaded with it
 * @param flashAttention false only where it was turned off; the engine's own choice is to use it
 */
public record FitRequest(
        int context,
        CacheType keys,
        CacheType values,
        int parallel,
        int ubatch,
        boolean gpuLayers,
        boolean vision,
        boolean flashAttention) {

    /** llama.cpp's default for {@code --ubatch-size}. */
    public static final int DEFAULT_UBATCH = 512;

    /** @throws IllegalArgumentException for a number below 1 */
    public FitRequest {
        if (context < 1 || parallel < 1 || ubatch < 1) {
            throw new IllegalArgumentException(
                    "context " + context + ", parallel " + parallel + ", ubatch " + ubatch + ": all are at least 1");
        }
    }

    /** One request at a time on the processor, with the engine's defaults. */
    public static FitRequest of(int context) {
        return new FitRequest(context, CacheType.F16, CacheType.F16, 1, DEFAULT_UBATCH, false, false, true);
    }

    public FitRequest withContext(int tokens) {
        return new FitRequest(tokens, keys, values, parallel, ubatch, gpuLayers, vision, flashAttention);
    }

    public FitRequest withCache(CacheType keyType, CacheType valueType) {
        return new FitRequest(context, keyType, valueType, parallel, ubatch, gpuLayers, vision, flashAttention);
    }

    public FitRequest withParallel(int requests) {
        return new FitRequest(context, keys, values, requests, ubatch, gpuLayers, vision, flashAttention);
    }

    public FitRequest withUbatch(int tokens) {
        return new FitRequest(context, keys, values, parallel, tokens, gpuLayers, vision, flashAttention);
    }

    public FitRequest withGpuLayers(boolean all) {
        return new FitRequest(context, keys, values, parallel, ubatch, all, vision, flashAttention);
    }

    public FitRequest withVision(boolean projector) {
        return new FitRequest(context, keys, values, parallel, ubatch, gpuLayers, projector, flashAttention);
    }

    public FitRequest withFlashAttention(boolean on) {
        return new FitRequest(context, keys, values, parallel, ubatch, gpuLayers, vision, on);
    }
}
