package dev.hal0.testing;

import dev.hal0.testing.GgufWriter.TensorType;
import java.util.ArrayList;
import java.util.List;

/** Keys and hollow tensors of one model, in the groups that architectures share. */
abstract class HollowModel {
    final String architecture;
    final int vocabulary;
    final GgufWriter writer = new GgufWriter();
    private final TensorType weights;
    private final boolean tied;

    /** @param tied whether the token table serves as output layer too */
    HollowModel(String name, String architecture, int vocabulary, TensorType weights, boolean tied) {
        this.architecture = architecture;
        this.vocabulary = vocabulary;
        this.weights = weights;
        this.tied = tied;
        writer.key("general.architecture", architecture)
                .key("general.type", "model")
                .key("general.name", name)
                .key("general.quantization_version", 2);
    }

    void keys(int layers, int e, int heads, int kvHeads, int head, int ff, int context) {
        key("block_count", layers);
        key("context_length", context);
        key("embedding_length", e);
        key("feed_forward_length", ff);
        key("attention.head_count", heads);
        key("attention.head_count_kv", kvHeads);
        key("attention.key_length", head);
        key("attention.value_length", head);
        key("attention.layer_norm_rms_epsilon", 1e-6f);
        key("rope.dimension_count", architecture.startsWith("qwen35") ? 64 : head);
    }

    void expertKeys(int experts, int used, int ff) {
        key("expert_count", experts);
        key("expert_used_count", used);
        key("expert_feed_forward_length", ff);
    }

    void stateKeys(int convolution, int inner, int state, int rank) {
        key("ssm.conv_kernel", convolution);
        key("ssm.inner_size", inner);
        key("ssm.state_size", state);
        key("ssm.time_step_rank", rank);
    }

    void key(String name, Object value) {
        writer.key(architecture + "." + name, value);
    }

    /** Tokens that mean nothing, but for the bytes that a sentence-piece vocabulary must have. */
    void tokens(String model) {
        var texts = new ArrayList<String>(vocabulary);
        texts.addAll(
                model.equals("bert")
                        ? List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
                        : List.of("<unk>", "<s>", "</s>"));
        for (int value = 0; value < 256 && !model.equals("bert"); value++) {
            texts.add(String.format("<0x%02X>", value));
        }
        while (texts.size() < vocabulary) {
            texts.add("t" + texts.size());
        }
        writer.key("tokenizer.ggml.model", model)
                .key("tokenizer.ggml.pre", model.equals("bert") ? "jina-v2-en" : "default")
                .key("tokenizer.ggml.tokens", texts);
        if (model.equals("bert")) {
            writer.key("tokenizer.ggml.token_type_count", 2)
                    .key("tokenizer.ggml.padding_token_id", 0)
                    .key("tokenizer.ggml.unknown_token_id", 1)
                    .key("tokenizer.ggml.cls_token_id", 2)
                    .key("tokenizer.ggml.bos_token_id", 2)
                    .key("tokenizer.ggml.seperator_token_id", 3)
                    .key("tokenizer.ggml.eos_token_id", 3)
                    .key("tokenizer.ggml.mask_token_id", 4);
        } else {
            writer.key("tokenizer.ggml.bos_token_id", 1).key("tokenizer.ggml.eos_token_id", 2);
        }
    }

    void embedding(int e) {
        matrix("token_embd.weight", e, vocabulary);
        norm("output_norm", e);
        if (!tied) {
            matrix("output.weight", e, vocabulary);
        }
    }

    void attention(String block, int e, int queries, int keys) {
        attention(block, e, queries, keys, queries);
    }

    void attention(String block, int e, int queries, int keys, int outputs) {
        norm(block + "attn_norm", e);
        matrix(block + "attn_q.weight", e, queries);
        matrix(block + "attn_k.weight", e, keys);
        matrix(block + "attn_v.weight", e, keys);
        matrix(block + "attn_output.weight", outputs, e);
    }

    void queryNorms(String block, int head) {
        norm(block + "attn_q_norm", head);
        norm(block + "attn_k_norm", head);
    }

    void gated(String block, int e, int ff) {
        matrix(block + "ffn_gate.weight", e, ff);
        matrix(block + "ffn_up.weight", e, ff);
        matrix(block + "ffn_down.weight", ff, e);
    }

    void experts(String block, int e, int ff, int experts) {
        vector(block + "ffn_gate_inp.weight", e, experts);
        matrix(block + "ffn_gate_exps.weight", e, ff, experts);
        matrix(block + "ffn_up_exps.weight", e, ff, experts);
        matrix(block + "ffn_down_exps.weight", ff, e, experts);
    }

    void biased(String name, int inputs, int outputs) {
        matrix(name + ".weight", inputs, outputs);
        vector(name + ".bias", outputs);
    }

    void biasedNorm(String name, int length) {
        vector(name + ".weight", length);
        vector(name + ".bias", length);
    }

    void norm(String name, int length) {
        vector(name + ".weight", length);
    }

    void matrix(String name, long... shape) {
        tensor(name, weights, shape);
    }

    void vector(String name, long... shape) {
        tensor(name, TensorType.F32, shape);
    }

    void tensor(String name, TensorType type, long... shape) {
        writer.tensor(name, type, (row, into) -> {}, shape);
    }

    static String block(int layer) {
        return "blk." + layer + ".";
    }
}
