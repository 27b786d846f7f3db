package dev.hal0.testing;

import dev.hal0.testing.GgufWriter.TensorType;

/** Architectures with attention in every layer. */
class HollowDecoder extends HollowModel {
    HollowDecoder(String name, String architecture, int vocabulary, TensorType weights, boolean tied) {
        super(name, architecture, vocabulary, weights, tied);
    }

    void llama(int layers, int e, int heads, int kvHeads, int head, int ff, int context) {
        keys(layers, e, heads, kvHeads, head, ff, context);
        tokens("llama");
        embedding(e);
        for (int layer = 0; layer < layers; layer++) {
            String block = block(layer);
            attention(block, e, heads * head, kvHeads * head);
            norm(block + "ffn_norm", e);
            gated(block, e, ff);
        }
    }

    void qwen3(int layers, int e, int heads, int kvHeads, int head, int ff, int context) {
        keys(layers, e, heads, kvHeads, head, ff, context);
        tokens("llama");
        embedding(e);
        for (int layer = 0; layer < layers; layer++) {
            String block = block(layer);
            attention(block, e, heads * head, kvHeads * head);
            queryNorms(block, head);
            norm(block + "ffn_norm", e);
            gated(block, e, ff);
        }
    }

    void qwen3moe(int layers, int e, int heads, int kvHeads, int head, int expertFf) {
        int experts = 128;
        keys(layers, e, heads, kvHeads, head, 6144, 40_960);
        expertKeys(experts, 8, expertFf);
        tokens("llama");
        embedding(e);
        for (int layer = 0; layer < layers; layer++) {
            String block = block(layer);
            attention(block, e, heads * head, kvHeads * head);
            queryNorms(block, head);
            norm(block + "ffn_norm", e);
            experts(block, e, expertFf, experts);
        }
    }

    void mixtral(int layers, int e, int heads, int kvHeads, int ff, int experts) {
        keys(layers, e, heads, kvHeads, e / heads, ff, 32_768);
        key("expert_count", experts);
        key("expert_used_count", 2);
        tokens("llama");
        embedding(e);
        for (int layer = 0; layer < layers; layer++) {
            String block = block(layer);
            attention(block, e, e, kvHeads * (e / heads));
            norm(block + "ffn_norm", e);
            experts(block, e, ff, experts);
        }
    }

    /** Keys and values compressed into one vector of 512 and one of 64, shared by all heads. */
    void latent(int layers, int e, int heads, int ff, int expertFf) {
        int rank = 512;
        int rotated = 64;
        int plain = 192;
        int value = 256;
        int experts = 64;
        keys(layers, e, heads, 1, rank + rotated, ff, 202_752);
        key("attention.value_length", rank);
        key("attention.key_length_mla", plain + rotated);
        key("attention.value_length_mla", value);
        key("attention.q_lora_rank", 768);
        key("attention.kv_lora_rank", rank);
        key("rope.dimension_count", rotated);
        key("leading_dense_block_count", 1);
        expertKeys(experts, 4, expertFf);
        key("expert_shared_count", 1);
        key("expert_weights_scale", 1.8f);
        key("expert_gating_func", 2);
        key("vocab_size", vocabulary);
        tokens("llama");
        embedding(e);
        for (int layer = 0; layer < layers; layer++) {
            String block = block(layer);
            norm(block + "attn_norm", e);
            norm(block + "attn_q_a_norm", 768);
            norm(block + "attn_kv_a_norm", rank);
            matrix(block + "attn_q_a.weight", e, 768);
            matrix(block + "attn_q_b.weight", 768, (long) heads * (plain + rotated));
            matrix(block + "attn_kv_a_mqa.weight", e, rank + rotated);
            matrix(block + "attn_k_b.weight", plain, rank, heads);
            matrix(block + "attn_v_b.weight", rank, value, heads);
            matrix(block + "attn_output.weight", (long) heads * value, e);
            norm(block + "ffn_norm", e);
            if (layer == 0) {
                gated(block, e, ff);
            } else {
                experts(block, e, expertFf, experts);
                vector(block + "exp_probs_b.bias", experts);
                matrix(block + "ffn_gate_shexp.weight", e, expertFf);
                matrix(block + "ffn_up_shexp.weight", e, expertFf);
                matrix(block + "ffn_down_shexp.weight", expertFf, e);
            }
        }
    }

    void gemma3(int layers, int e, int heads, int kvHeads, int head, int ff, int window) {
        keys(layers, e, heads, kvHeads, head, ff, 131_072);
        key("attention.sliding_window", window);
        tokens("llama");
        embedding(e);
        for (int layer = 0; layer < layers; layer++) {
            String block = block(layer);
            attention(block, e, heads * head, kvHeads * head);
            queryNorms(block, head);
            norm(block + "post_attention_norm", e);
            norm(block + "ffn_norm", e);
            gated(block, e, ff);
            norm(block + "post_ffw_norm", e);
        }
    }

    void gemma2(int layers, int e, int heads, int kvHeads, int head, int ff, int window) {
        keys(layers, e, heads, kvHeads, head, ff, 8192);
        key("attention.sliding_window", window);
        tokens("llama");
        embedding(e);
        for (int layer = 0; layer < layers; layer++) {
            String block = block(layer);
            attention(block, e, heads * head, kvHeads * head);
            norm(block + "post_attention_norm", e);
            norm(block + "ffn_norm", e);
            gated(block, e, ff);
            norm(block + "post_ffw_norm", e);
        }
    }

    /** Without a gate. */
    void starcoder2(int layers, int e, int heads, int kvHeads, int ff) {
        int head = e / heads;
        keys(layers, e, heads, kvHeads, head, ff, 16_384);
        key("attention.layer_norm_epsilon", 1e-5f);
        tokens("llama");
        embedding(e);
        vector("output_norm.bias", e);
        for (int layer = 0; layer < layers; layer++) {
            String block = block(layer);
            attention(block, e, e, kvHeads * head);
            vector(block + "attn_norm.bias", e);
            vector(block + "attn_q.bias", e);
            vector(block + "attn_k.bias", kvHeads * head);
            vector(block + "attn_v.bias", kvHeads * head);
            vector(block + "attn_output.bias", e);
            biasedNorm(block + "ffn_norm", e);
            biased(block + "ffn_up", e, ff);
            biased(block + "ffn_down", ff, e);
        }
    }

    /** Short convolutions in all layers but those that the heads of keys are given for. */
    void gptOss(int layers, int e, int heads, int kvHeads, int head, int experts, int expertFf) {
        keys(layers, e, heads, kvHeads, head, expertFf, 131_072);
        key("attention.sliding_window", 128);
        expertKeys(experts, 4, expertFf);
        tokens("llama");
        embedding(e);
        for (int layer = 0; layer < layers; layer++) {
            String block = block(layer);
            attention(block, e, heads * head, kvHeads * head);
            vector(block + "attn_q.bias", heads * head);
            vector(block + "attn_k.bias", kvHeads * head);
            vector(block + "attn_v.bias", kvHeads * head);
            vector(block + "attn_output.bias", e);
            vector(block + "attn_sinks.weight", heads);
            norm(block + "post_attention_norm", e);
            experts(block, e, expertFf, experts);
            vector(block + "ffn_gate_inp.bias", experts);
            vector(block + "ffn_gate_exps.bias", expertFf, experts);
            vector(block + "ffn_up_exps.bias", expertFf, experts);
            vector(block + "ffn_down_exps.bias", e, experts);
        }
    }

    /** Three layers of a gated delta net, then one of attention; dense where {@code experts} is 0. */
}
