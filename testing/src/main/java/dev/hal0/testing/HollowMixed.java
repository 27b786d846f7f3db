package dev.hal0.testing;

import dev.hal0.testing.GgufWriter.TensorType;
import java.util.List;

/** The others too: recurrent ones, those with a few layers of attention, and encoders. */
final class HollowMixed extends HollowDecoder {
    HollowMixed(String name, String architecture, int vocabulary, TensorType weights, boolean tied) {
        super(name, architecture, vocabulary, weights, tied);
    }

    void lfm2(int layers, int e, int heads, int kvHeads, int ff) {
        int head = e / heads;
        var perLayer = new int[layers];
        for (int layer = 2; layer < layers; layer += 3) {
            perLayer[layer] = kvHeads;
        }
        keys(layers, e, heads, kvHeads, head, ff, 128_000);
        key("attention.head_count_kv", perLayer);
        key("shortconv.l_cache", 3);
        key("vocab_size", vocabulary);
        tokens("llama");
        matrix("token_embd.weight", e, vocabulary);
        norm("token_embd_norm", e);
        for (int layer = 0; layer < layers; layer++) {
            String block = block(layer);
            if (perLayer[layer] > 0) {
                attention(block, e, e, kvHeads * head);
                queryNorms(block, head);
            } else {
                norm(block + "attn_norm", e);
                vector(block + "shortconv.conv.weight", 3, e);
                matrix(block + "shortconv.in_proj.weight", e, 3L * e);
                matrix(block + "shortconv.out_proj.weight", e, e);
            }
            norm(block + "ffn_norm", e);
            gated(block, e, ff);
        }
    }

    void mamba2(int layers, int e, int state, int heads) {
        int inner = 2 * e;
        key("block_count", layers);
        key("context_length", 1 << 20);
        key("embedding_length", e);
        key("feed_forward_length", 0);
        key("attention.head_count", 0);
        key("attention.layer_norm_rms_epsilon", 1e-5f);
        stateKeys(4, inner, state, heads);
        key("ssm.group_count", 1);
        tokens("llama");
        embedding(e);
        for (int layer = 0; layer < layers; layer++) {
            String block = block(layer);
            norm(block + "attn_norm", e);
            matrix(block + "ssm_in.weight", e, 2L * inner + 2L * state + heads);
            vector(block + "ssm_conv1d.weight", 4, inner + 2L * state);
            vector(block + "ssm_conv1d.bias", inner + 2L * state);
            vector(block + "ssm_dt.bias", heads);
            vector(block + "ssm_a", 1, heads);
            vector(block + "ssm_d", 1, heads);
            vector(block + "ssm_norm.weight", inner, 1);
            matrix(block + "ssm_out.weight", inner, e);
        }
    }

    void mamba(int layers, int e, int state, int convolution, int rank) {
        int inner = 2 * e;
        key("block_count", layers);
        key("context_length", 1 << 20);
        key("embedding_length", e);
        key("feed_forward_length", 0);
        key("attention.head_count", 0);
        key("attention.layer_norm_rms_epsilon", 1e-5f);
        stateKeys(convolution, inner, state, rank);
        tokens("llama");
        embedding(e);
        for (int layer = 0; layer < layers; layer++) {
            String block = block(layer);
            norm(block + "attn_norm", e);
            matrix(block + "ssm_in.weight", e, 2L * inner);
            vector(block + "ssm_conv1d.weight", convolution, inner);
            vector(block + "ssm_conv1d.bias", inner);
            matrix(block + "ssm_x.weight", inner, rank + 2L * state);
            vector(block + "ssm_dt.weight", rank, inner);
            vector(block + "ssm_dt.bias", inner);
            vector(block + "ssm_a", state, inner);
            vector(block + "ssm_d", inner);
            matrix(block + "ssm_out.weight", inner, e);
        }
    }

    void qwen35(int layers, int e, int heads, int kvHeads, int ff, int experts) {
        int head = 256;
        int state = 128;
        int groups = 16;
        int ranks = 32;
        int inner = state * ranks;
        keys(layers, e, heads, kvHeads, head, ff, 262_144);
        key("rope.dimension_sections", new int[] {11, 11, 10, 0});
        key("full_attention_interval", 4);
        stateKeys(4, inner, state, ranks);
        key("ssm.group_count", groups);
        if (experts > 0) {
            expertKeys(experts, 8, ff);
            key("expert_shared_feed_forward_length", ff);
        }
        tokens("llama");
        embedding(e);
        // What a layer count beyond whole periods leaves over is for guessing several tokens at once.
        int predicting = layers % 4;
        if (predicting > 0) {
            key("nextn_predict_layers", predicting);
        }
        for (int layer = 0; layer < layers; layer++) {
            String block = block(layer);
            norm(block + "post_attention_norm", e);
            if (layer >= layers - predicting) {
                matrix(block + "nextn.eh_proj.weight", 2L * e, e);
                norm(block + "nextn.enorm", e);
                norm(block + "nextn.hnorm", e);
            }
            if (layer >= layers - predicting || (layer + 1) % 4 == 0) {
                // Queries come with their gates.
                attention(block, e, 2 * heads * head, kvHeads * head, heads * head);
                queryNorms(block, head);
            } else {
                int mixed = 2 * state * groups + inner;
                norm(block + "attn_norm", e);
                matrix(block + "attn_qkv.weight", e, mixed);
                matrix(block + "attn_gate.weight", e, inner);
                vector(block + "ssm_conv1d.weight", 4, mixed);
                vector(block + "ssm_dt.bias", ranks);
                vector(block + "ssm_a", ranks);
                matrix(block + "ssm_beta.weight", e, ranks);
                matrix(block + "ssm_alpha.weight", e, ranks);
                norm(block + "ssm_norm", state);
                matrix(block + "ssm_out.weight", inner, e);
            }
            if (experts == 0) {
                gated(block, e, ff);
            } else {
                experts(block, e, ff, experts);
                vector(block + "ffn_gate_inp_shexp.weight", e);
                matrix(block + "ffn_gate_shexp.weight", e, ff);
                matrix(block + "ffn_up_shexp.weight", e, ff);
                matrix(block + "ffn_down_shexp.weight", ff, e);
            }
        }
    }

    void bert(int layers, int e, int heads, int ff, int context) {
        key("block_count", layers);
        key("context_length", context);
        key("embedding_length", e);
        key("feed_forward_length", ff);
        key("attention.head_count", heads);
        key("attention.layer_norm_epsilon", 1e-12f);
        key("attention.causal", false);
        key("pooling_type", 1);
        tokens("bert");
        matrix("token_embd.weight", e, vocabulary);
        vector("token_types.weight", e, 2);
        vector("position_embd.weight", e, context);
        biasedNorm("token_embd_norm", e);
        for (int layer = 0; layer < layers; layer++) {
            String block = block(layer);
            for (String part : List.of("attn_q", "attn_k", "attn_v", "attn_output")) {
                biased(block + part, e, e);
            }
            biasedNorm(block + "attn_output_norm", e);
            biased(block + "ffn_up", e, ff);
            biased(block + "ffn_down", ff, e);
            biasedNorm(block + "layer_output_norm", e);
        }
    }
}
