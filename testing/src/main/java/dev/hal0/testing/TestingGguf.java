package dev.hal0.testing;

import dev.hal0.testing.GgufWriter.Rows;
import dev.hal0.testing.GgufWriter.TensorType;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;

/**
 * A model with random weights that the real llama.cpp loads and runs: for protocol and lifecycle, not for quality. The
 * same settings and seed give the same bytes on every machine.
 *
 * <p>The vocabulary has a token per byte, so any text can be sent; the output layer knows only the syllables, so what comes
 * back is readable ASCII ("ka lo miru…") and a byte of a broken UTF-8 sequence is never sampled. The end-of-text token is
 * unreachable unless {@link #endsByItself()} was asked for, so a stream lasts exactly until the client's token limit, the
 * end of the context, or the client's leaving.
 *
 * <p>Settings are immutable; each {@code with…} method returns changed ones.
 */
public record TestingGguf(
        Kind kind,
        String name,
        int contextLength,
        int layers,
        int embeddingLength,
        TensorType weights,
        long seed,
        String chatTemplate,
        boolean stops,
        int version,
        ByteOrder order,
        UnaryOperator<GgufWriter> last) {

    /** What the model is for. */
    public enum Kind {
        /** A llama decoder with a sentence-piece vocabulary. */
        CHAT,
        /** The same, but every answer is a call of a tool: see {@link #callingTools()}. */
        CALLING,
        /** A bert encoder with mean pooling. */
        EMBEDDING,
        /** A bert encoder with a classification head. */
        RERANKING
    }

    private static final int HEAD_LENGTH = 16;
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int NORMAL = 1;
    private static final int USER_DEFINED = 4;
    private static final int BYTE = 6;

    /** The marker of a word's start in both kinds of vocabulary. */
    private static final String WORD_START = "▁";

    private static final String CHAT_TEMPLATE = """
            {%- for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] + '\\n' }}{%- endfor %}\
            {%- if add_generation_prompt %}{{ '<|assistant|>\\n' }}{%- endif %}""";

    /** Tools are offered and called as JSON between two tags, which llama.cpp reads out of the template by itself. */
    private static final String TOOL_TEMPLATE = """
            {%- if tools %}{{ '<|system|>\\nTools:' }}{%- for tool in tools %}{{ '\\n' }}{{ tool | tojson }}{%- endfor %}\
            {{ '\\nCall one as <tool_call>\\n{"name": NAME, "arguments": OBJECT}\\n</tool_call>\\n' }}{%- endif %}\
            {%- for message in messages %}{{ '<|' + message.role + '|>\\n' }}\
            {%- if message.content %}{{ message.content }}{%- endif %}\
            {%- if message.tool_calls %}{%- for call in message.tool_calls %}\
            {%- if call.function %}{%- set call = call.function %}{%- endif %}\
            {{ '\\n<tool_call>\\n{"name": "' + call.name + '", "arguments": ' }}{{ call.arguments | tojson }}{{ '}\\n</tool_call>' }}\
            {%- endfor %}{%- endif %}{{ '\\n' }}{%- endfor %}\
            {%- if add_generation_prompt %}{{ '<|assistant|>\\n' }}{%- endif %}""";

    /** About 300 kB; loads in well under a second. */
    public static TestingGguf chat() {
        return new TestingGguf(
                Kind.CHAT,
                "Testing Chat",
                2048,
                2,
                64,
                TensorType.Q8_0,
                1,
                CHAT_TEMPLATE,
                false,
                3,
                ByteOrder.LITTLE_ENDIAN,
                UnaryOperator.identity());
    }

    /**
     * Opens every answer with the tag of a tool call and ends it behind the closing one. What stands between them is forced by
     * the grammar that llama.cpp makes of the offered tools, so a schema of enumerations gives a valid call in a few dozen tokens.
     */
    public static TestingGguf callingTools() {
        return chat().with(Kind.CALLING).withName("Testing Tools").withChatTemplate(TOOL_TEMPLATE);
    }

    /** Answers {@code /v1/embeddings} with vectors of {@link #embeddingLength()} numbers. */
    public static TestingGguf embedding() {
        return chat().with(Kind.EMBEDDING).withName("Testing Embed").withContextLength(512);
    }

    /** Answers {@code /v1/rerank}. */
    public static TestingGguf reranking() {
        return chat().with(Kind.RERANKING).withName("Testing Rerank").withContextLength(512);
    }

    public TestingGguf {
        if (embeddingLength % 64 != 0 || embeddingLength <= 0) {
            throw new IllegalArgumentException("embedding length " + embeddingLength + " is not a multiple of 64");
        }
        if (layers < 1 || contextLength < 8) {
            throw new IllegalArgumentException("a model has at least 1 layer and a context of 8");
        }
    }

    public TestingGguf withName(String other) {
        return copy(kind, other, contextLength, layers, embeddingLength, weights, seed, chatTemplate, stops);
    }

    public TestingGguf withContextLength(int tokens) {
        return copy(kind, name, tokens, layers, embeddingLength, weights, seed, chatTemplate, stops);
    }

    /** More layers and a longer embedding make a slower model: 24 × 1024 is about 240 MB and some 50 tokens/s on two cores. */
    public TestingGguf withShape(int layerCount, int embedding) {
        return copy(kind, name, contextLength, layerCount, embedding, weights, seed, chatTemplate, stops);
    }

    public TestingGguf withWeights(TensorType type) {
        return copy(kind, name, contextLength, layers, embeddingLength, type, seed, chatTemplate, stops);
    }

    public TestingGguf withSeed(long other) {
        return copy(kind, name, contextLength, layers, embeddingLength, weights, other, chatTemplate, stops);
    }

    /** @param template Jinja; empty for a model without one */
    public TestingGguf withChatTemplate(String template) {
        return copy(kind, name, contextLength, layers, embeddingLength, weights, seed, template, stops);
    }

    /** Sampled answers end with the end-of-text token after a few dozen tokens; greedy ones still never do. */
    public TestingGguf endsByItself() {
        return copy(kind, name, contextLength, layers, embeddingLength, weights, seed, chatTemplate, true);
    }

    /** The file format's version and byte order; llama.cpp loads only 2 and 3, little-endian. */
    public TestingGguf withFormat(int formatVersion, ByteOrder byteOrder) {
        return new TestingGguf(
                kind,
                name,
                contextLength,
                layers,
                embeddingLength,
                weights,
                seed,
                chatTemplate,
                stops,
                formatVersion,
                byteOrder,
                last);
    }

    /** A last change before writing: further keys, or missing ones. */
    public TestingGguf withChange(UnaryOperator<GgufWriter> change) {
        return new TestingGguf(
                kind,
                name,
                contextLength,
                layers,
                embeddingLength,
                weights,
                seed,
                chatTemplate,
                stops,
                version,
                order,
                writer -> change.apply(last.apply(writer)));
    }

    public TestingGguf withKey(String key, Object value) {
        return withChange(writer -> writer.key(key, value));
    }

    public TestingGguf withoutKey(String key) {
        return withChange(writer -> writer.withoutKey(key));
    }

    public byte[] bytes() {
        return writer().bytes();
    }

    /** Writes the file, creating its folder, and returns its path. */
    public Path writeTo(Path file) {
        try {
            Path folder = file.toAbsolutePath().getParent();
            if (folder != null) {
                Files.createDirectories(folder);
            }
            try (var out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16)) {
                writer().write(out);
            }
            return file;
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private TestingGguf with(Kind other) {
        return copy(other, name, contextLength, layers, embeddingLength, weights, seed, chatTemplate, stops);
    }

    private TestingGguf copy(
            Kind newKind,
            String newName,
            int newContext,
            int newLayers,
            int newEmbedding,
            TensorType newWeights,
            long newSeed,
            String newTemplate,
            boolean newStops) {
        return new TestingGguf(
                newKind,
                newName,
                newContext,
                newLayers,
                newEmbedding,
                newWeights,
                newSeed,
                newTemplate,
                newStops,
                version,
                order,
                last);
    }

    private GgufWriter writer() {
        var writer = new GgufWriter(version, order);
        boolean decodes = kind == Kind.CHAT || kind == Kind.CALLING;
        String architecture = decodes ? "llama" : "bert";
        int heads = embeddingLength / HEAD_LENGTH;
        writer.key("general.architecture", architecture)
                .key("general.type", "model")
                .key("general.name", name)
                .key("general.file_type", fileType())
                .key("general.quantization_version", 2)
                .key(architecture + ".context_length", contextLength)
                .key(architecture + ".embedding_length", embeddingLength)
                .key(architecture + ".block_count", layers)
                .key(architecture + ".feed_forward_length", 2 * embeddingLength)
                .key(architecture + ".attention.head_count", heads);
        if (decodes) {
            addDecoder(writer, heads);
        } else {
            addEncoder(writer);
        }
        return last.apply(writer);
    }

    private int fileType() {
        return switch (weights) {
            case F32 -> 0;
            case F16 -> 1;
            case Q4_0 -> 2;
            case Q8_0 -> 7;
            case Q4_K -> 15;
        };
    }

    private void addDecoder(GgufWriter writer, int heads) {
        int keyHeads = heads / 2;
        var vocabulary = Vocabulary.sentencePieces(kind == Kind.CALLING);
        writer.key("llama.attention.head_count_kv", keyHeads)
                .key("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                .key("llama.rope.dimension_count", HEAD_LENGTH)
                .key("llama.vocab_size", vocabulary.texts().size())
                .key("tokenizer.ggml.model", "llama")
                .key("tokenizer.ggml.pre", "default")
                .key("tokenizer.ggml.tokens", vocabulary.texts())
                .key("tokenizer.ggml.scores", vocabulary.scores())
                .key("tokenizer.ggml.token_type", vocabulary.types())
                .key("tokenizer.ggml.unknown_token_id", 0)
                .key("tokenizer.ggml.bos_token_id", 1)
                .key("tokenizer.ggml.eos_token_id", Vocabulary.END)
                .key("tokenizer.ggml.add_bos_token", true);
        if (!chatTemplate.isEmpty()) {
            writer.key("tokenizer.chat_template", chatTemplate);
        }
        int e = embeddingLength;
        int tokens = vocabulary.texts().size();
        writer.tensor("token_embd.weight", weights, steady(random("token_embd", 1), vocabulary), e, tokens);
        for (int layer = 0; layer < layers; layer++) {
            String block = "blk." + layer + ".";
            writer.tensor(block + "attn_norm.weight", TensorType.F32, constant(1), e)
                    .tensor(
                            block + "attn_q.weight",
                            weights,
                            matrix(block + "attn_q", e),
                            e,
                            (long) heads * HEAD_LENGTH)
                    .tensor(
                            block + "attn_k.weight",
                            weights,
                            matrix(block + "attn_k", e),
                            e,
                            (long) keyHeads * HEAD_LENGTH)
                    .tensor(
                            block + "attn_v.weight",
                            weights,
                            matrix(block + "attn_v", e),
                            e,
                            (long) keyHeads * HEAD_LENGTH)
                    .tensor(block + "attn_output.weight", weights, quiet(matrix(block + "attn_output", e)), e, e)
                    .tensor(block + "ffn_norm.weight", TensorType.F32, constant(1), e)
                    .tensor(block + "ffn_gate.weight", weights, matrix(block + "ffn_gate", e), e, 2L * e)
                    .tensor(block + "ffn_up.weight", weights, matrix(block + "ffn_up", e), e, 2L * e)
                    .tensor(block + "ffn_down.weight", weights, quiet(matrix(block + "ffn_down", 2 * e)), 2L * e, e);
        }
        writer.tensor("output_norm.weight", TensorType.F32, constant(1), e)
                .tensor("output.weight", weights, outputRows(vocabulary), e, tokens);
    }

    private void addEncoder(GgufWriter writer) {
        var vocabulary = Vocabulary.wordPieces();
        boolean ranks = kind == Kind.RERANKING;
        writer.key("bert.attention.layer_norm_epsilon", 1e-12f)
                .key("bert.attention.causal", false)
                .key("bert.pooling_type", ranks ? 4 : 1)
                .key("tokenizer.ggml.model", "bert")
                .key("tokenizer.ggml.pre", "jina-v2-en")
                .key("tokenizer.ggml.tokens", vocabulary.texts())
                .key("tokenizer.ggml.token_type", vocabulary.types())
                .key("tokenizer.ggml.token_type_count", 2)
                .key("tokenizer.ggml.padding_token_id", 0)
                .key("tokenizer.ggml.unknown_token_id", 1)
                .key("tokenizer.ggml.cls_token_id", 2)
                .key("tokenizer.ggml.bos_token_id", 2)
                .key("tokenizer.ggml.seperator_token_id", 3)
                .key("tokenizer.ggml.eos_token_id", 3)
                .key("tokenizer.ggml.mask_token_id", 4);
        int e = embeddingLength;
        // Added to one another before the first layer, which llama.cpp does in F32 only.
        writer.tensor(
                        "token_embd.weight",
                        weights,
                        random("token_embd", 1),
                        e,
                        vocabulary.texts().size())
                .tensor("token_types.weight", TensorType.F32, random("token_types", 0.1f), e, 2)
                .tensor("position_embd.weight", TensorType.F32, random("position_embd", 0.1f), e, contextLength)
                .tensor("token_embd_norm.weight", TensorType.F32, constant(1), e)
                .tensor("token_embd_norm.bias", TensorType.F32, constant(0), e);
        for (int layer = 0; layer < layers; layer++) {
            String block = "blk." + layer + ".";
            for (String part : List.of("attn_q", "attn_k", "attn_v", "attn_output")) {
                writer.tensor(block + part + ".weight", weights, matrix(block + part, e), e, e)
                        .tensor(block + part + ".bias", TensorType.F32, constant(0), e);
            }
            writer.tensor(block + "attn_output_norm.weight", TensorType.F32, constant(1), e)
                    .tensor(block + "attn_output_norm.bias", TensorType.F32, constant(0), e)
                    .tensor(block + "ffn_up.weight", weights, matrix(block + "ffn_up", e), e, 2L * e)
                    .tensor(block + "ffn_up.bias", TensorType.F32, constant(0), 2L * e)
                    .tensor(block + "ffn_down.weight", weights, matrix(block + "ffn_down", 2 * e), 2L * e, e)
                    .tensor(block + "ffn_down.bias", TensorType.F32, constant(0), e)
                    .tensor(block + "layer_output_norm.weight", TensorType.F32, constant(1), e)
                    .tensor(block + "layer_output_norm.bias", TensorType.F32, constant(0), e);
        }
        if (ranks) {
            writer.tensor("cls.weight", weights, matrix("cls", e), e, e)
                    .tensor("cls.bias", TensorType.F32, constant(0), e)
                    .tensor("cls.output.weight", TensorType.F32, matrix("cls.output", e), e, 1)
                    .tensor("cls.output.bias", TensorType.F32, constant(0), 1);
        }
    }

    private static Rows constant(float value) {
        return (row, into) -> java.util.Arrays.fill(into, value);
    }

    /** Keeps the variance of what it is multiplied with. */
    private Rows matrix(String tensor, int inputs) {
        return random(tensor, (float) Math.sqrt(3.0 / inputs));
    }

    /** Each tensor has its own sequence, so one more layer does not change the others. */
    private Rows random(String tensor, float amplitude) {
        var random = new SplittableRandom(seed * 1_000_003 + tensor.hashCode());
        return (row, into) -> {
            for (int i = 0; i < into.length; i++) {
                into[i] = (float) (random.nextDouble() * 2 - 1) * amplitude;
            }
        };
    }

    /**
     * Dimension 0 of the stream of activations is a constant: the output layer can build a bias on it. In a model that calls
     * tools, dimensions 1 and 2 say that the last token was the opening tag, and that it was a ">".
     */
    private static Rows steady(Rows rows, Vocabulary vocabulary) {
        return (row, into) -> {
            rows.fill(row, into);
            into[0] = 1;
            if (vocabulary.opening() > 0) {
                into[1] = row == vocabulary.opening() ? 8 : 0;
                into[2] = vocabulary.texts().get((int) row).equals(">") || row == Vocabulary.BYTE_GREATER ? 8 : 0;
            }
        };
    }

    /** A layer that adds nothing to the first dimensions, which have a meaning. */
    private Rows quiet(Rows rows) {
        int meant = kind == Kind.CALLING ? 3 : 1;
        return (row, into) -> {
            rows.fill(row, into);
            if (row < meant) {
                java.util.Arrays.fill(into, 0);
            }
        };
    }

    private Rows outputRows(Vocabulary vocabulary) {
        // Syllables get logits of deviation 1; at temperature 0.8 a constant of about 2 makes the end come up now and
        // then.
        Rows syllables = random("output", (float) Math.sqrt(3.0 / embeddingLength));
        return (row, into) -> {
            if (vocabulary.isSyllable(row)) {
                syllables.fill(row, into);
                into[0] = 0;
            } else if (kind == Kind.CALLING) {
                java.util.Arrays.fill(into, 0);
                if (row == vocabulary.opening()) {
                    into[0] = 30;
                    into[1] = -100;
                    into[2] = -100;
                } else if (row == Vocabulary.BYTE_NEWLINE) {
                    into[1] = 100;
                } else if (row == Vocabulary.END) {
                    into[2] = 100;
                }
            } else {
                java.util.Arrays.fill(into, 0);
                if (row == Vocabulary.END && stops) {
                    into[0] = 1.5f;
                }
            }
        };
    }

    /** Tokens by id. */
    private record Vocabulary(List<String> texts, float[] scores, int[] types, int firstSyllable, int opening) {
        static final int END = 2;
        static final int BYTE_NEWLINE = 3 + '\n';
        static final int BYTE_GREATER = 3 + '>';

        boolean isSyllable(long token) {
            return token >= firstSyllable && token != opening;
        }

        /** @param calls whether the opening tag of a tool call is a token, the last one */
        static Vocabulary sentencePieces(boolean calls) {
            var texts = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
            for (int value = 0; value < 256; value++) {
                texts.add(String.format("<0x%02X>", value));
            }
            int firstText = texts.size();
            texts.add(WORD_START);
            for (char letter = '!'; letter <= '~'; letter++) {
                texts.add(String.valueOf(letter));
            }
            int firstSyllable = texts.size();
            for (String syllable : syllables()) {
                texts.add(WORD_START + syllable);
                texts.add(syllable);
            }
            int opening = 0;
            if (calls) {
                opening = texts.size();
                texts.add("<tool_call>");
            }
            var scores = new float[texts.size()];
            var types = new int[texts.size()];
            for (int token = 0; token < types.length; token++) {
                types[token] = token == 0 ? UNKNOWN : token < 3 ? CONTROL : token < firstText ? BYTE : NORMAL;
                // Of two possible merges the tokenizer makes the better one first: syllables before letters.
                scores[token] = token >= firstSyllable ? -1 : token >= firstText ? -10 : 0;
            }
            if (calls) {
                types[opening] = USER_DEFINED;
            }
            return new Vocabulary(List.copyOf(texts), scores, types, firstSyllable, opening);
        }

        /** llama.cpp marks the pieces that start a word; every ASCII word can be spelt letter by letter. */
        static Vocabulary wordPieces() {
            var texts = new ArrayList<>(List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"));
            for (char letter = '!'; letter <= '~'; letter++) {
                if (!Character.isUpperCase(letter)) {
                    texts.add(WORD_START + letter);
                    texts.add(String.valueOf(letter));
                }
            }
            int firstSyllable = texts.size();
            for (String syllable : syllables()) {
                texts.add(WORD_START + syllable);
                texts.add(syllable);
            }
            var types = new int[texts.size()];
            for (int token = 0; token < types.length; token++) {
                types[token] = token == 1 ? UNKNOWN : token < 5 ? CONTROL : NORMAL;
            }
            return new Vocabulary(List.copyOf(texts), new float[0], types, firstSyllable, 0);
        }

        private static List<String> syllables() {
            var syllables = new ArrayList<String>();
            for (char consonant : "bdfghjklmnprstvwz".toCharArray()) {
                for (char vowel : "aeiou".toCharArray()) {
                    syllables.add("" + consonant + vowel);
                }
            }
            return syllables;
        }
    }
}
