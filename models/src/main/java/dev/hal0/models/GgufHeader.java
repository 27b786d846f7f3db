package dev.hal0.models;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a GGUF file says about itself. Texts are cleaned of control characters, so they can be printed anywhere; a number is
 * 0 and a text empty where the file does not say.
 *
 * @param version of the file format; llama.cpp loads 2 and 3
 * @param fileSize in bytes
 * @param parameters numbers in all tensors of this file
 * @param type {@code general.type}: {@code model}, {@code adapter}, {@code mmproj}, …
 * @param architecture such as {@code llama}; never empty
 * @param quantization such as {@code Q4_K_M}: the declared file type, else the type of most of the tensor data
 * @param contextLength the native window in tokens
 * @param headCountKv the largest, where layers differ
 * @param tokenizerModel {@code tokenizer.ggml.model}
 * @param poolingType 0 none, 1 mean, 2 cls, 3 last, 4 rank
 * @param shard number of this part, from 0, of a model in {@code shardCount} files
 * @param shardCount 1 for a model in one file
 * @param complete true when all tensor data is known to be there; false only where a tensor's type is newer than this
 *     reader, so that its length cannot be told. A file that is known to be cut off has no header: reading it fails.
 * @param shape what its memory is computed from; there a number that the file does not say is absent, not 0
 */
public record GgufHeader(
        int version,
        long fileSize,
        long tensorCount,
        long parameters,
        String type,
        String architecture,
        String name,
        String sizeLabel,
        String quantization,
        int contextLength,
        int embeddingLength,
        int blockCount,
        int headCount,
        int headCountKv,
        int vocabularySize,
        Optional<String> chatTemplate,
        String tokenizerModel,
        OptionalInt poolingType,
        int shard,
        int shardCount,
        boolean complete,
        CapabilityGuess capability,
        ModelShape shape) {}
