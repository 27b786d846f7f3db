package dev.hal0.models;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * From a file's keys and tensor list to a {@link ModelShape}. The rules are llama.cpp's, which knows some of them by the
 * architecture's name only ({@link LayerRules}).
 */
final class ShapeKeys {
    /** Behind the architecture's name. */
    static final List<String> ENDINGS = List.of(
            ".feed_forward_length",
            ".vocab_size",
            ".expert_count",
            ".expert_used_count",
            ".expert_feed_forward_length",
            ".attention.key_length",
            ".attention.value_length",
            ".attention.key_length_mla",
            ".attention.value_length_mla",
            ".attention.key_length_swa",
            ".attention.value_length_swa",
            ".attention.sliding_window",
            ".attention.sliding_window_pattern",
            ".attention.shared_kv_layers",
            ".attention.recurrent_layers",
            ".full_attention_interval",
            ".nextn_predict_layers",
            ".ssm.conv_kernel",
            ".ssm.inner_size",
            ".ssm.state_size",
            ".ssm.group_count",
            ".shortconv.l_cache",
            ".wkv.head_size",
            ".token_shift_count");

    /** More than any model has; a count in a hostile file must not become an allocation. */
    private static final int MAX_LAYERS = 4096;

    /** What the tensor list tells. */
    static final class Tensors {
        private long tableRows;
        private long tableBytes;
        private boolean output;
        private long upwardRows;
        private boolean gate;

        /** Some files have gate and upward projection in one tensor, of twice the length. Unknown counts as gated. */
        boolean gated(long feedForward) {
            return gate || upwardRows == 0 || upwardRows > feedForward;
        }

        void add(String name, long row, long elements, long bytes) {
            if (name.equals("token_embd.weight")) {
                tableRows = row == 0 ? 0 : elements / row;
                tableBytes = bytes;
            }
            output |= name.equals("output.weight");
            if (name.endsWith(".ffn_up.weight")) {
                upwardRows = Math.max(upwardRows, row == 0 ? 0 : elements / row);
            }
            gate |= name.contains(".ffn_gate");
        }
    }

    private final String architecture;
    private final Map<String, Object> values;
    private final Tensors tensors;
    private final List<String> missing = new ArrayList<>();

    ShapeKeys(String architecture, Map<String, Object> values, Tensors tensors) {
        this.architecture = architecture;
        this.values = values;
        this.tensors = tensors;
    }

    ModelShape shape(OptionalLong weightsBytes) {
        boolean causal = !LayerRules.ENCODERS.contains(architecture);
        OptionalInt embedding = required("embedding_length");
        OptionalInt heads = required("attention.head_count");
        OptionalInt feedForward = required("feed_forward_length");
        int experts = number("expert_count").orElse(0);
        if (LayerRules.UNKNOWN.contains(architecture)) {
            missing.add("the memory layout of " + architecture);
        }
        List<LayerCache> layers = layers(embedding, heads);
        return new ModelShape(
                architecture,
                weightsBytes,
                OptionalLong.empty(),
                tensors.output || !causal ? 0 : tensors.tableBytes,
                embedding,
                feedForward,
                heads,
                headLength(embedding, heads, "attention.key_length"),
                vocabulary(),
                number("context_length"),
                experts,
                experts == 0 ? 0 : number("expert_used_count").orElse(experts),
                number("expert_feed_forward_length"),
                number("ssm.inner_size").orElse(0),
                tensors.gated(feedForward.orElse(0)),
                causal,
                causal && missing.isEmpty() ? layers : List.of(),
                missing);
    }

    private List<LayerCache> layers(OptionalInt embedding, OptionalInt heads) {
        OptionalInt declared = required("block_count");
        int count = declared.orElse(0) - number("nextn_predict_layers").orElse(0);
        if (count > MAX_LAYERS || count < 1) {
            missing.add(key("block_count"));
        }
        if (!missing.isEmpty()) {
            return List.of();
        }
        var rules = new LayerRules(this, architecture, count, embedding.getAsInt(), heads.getAsInt());
        var layers = new ArrayList<LayerCache>();
        try {
            for (int layer = 0; layer < count && missing.isEmpty(); layer++) {
                layers.add(rules.layer(layer));
            }
        } catch (ArithmeticException overflow) {
            missing.add("sizes that a model can have");
        }
        return layers;
    }

    /** The vocabulary's own length is what llama.cpp takes; the table of a model without a tokenizer is as long. */
    private OptionalInt vocabulary() {
        if (values.get("tokenizer.ggml.tokens") instanceof Long count && count > 0) {
            return OptionalInt.of(clamp(count));
        }
        return tensors.tableRows > 0 ? OptionalInt.of(clamp(tensors.tableRows)) : number("vocab_size");
    }

    OptionalInt headLength(OptionalInt embedding, OptionalInt heads, String name) {
        OptionalInt said = number(name);
        if (said.isPresent() || embedding.isEmpty() || heads.isEmpty()) {
            return said;
        }
        return heads.getAsInt() == 0 ? OptionalInt.of(0) : OptionalInt.of(embedding.getAsInt() / heads.getAsInt());
    }

    OptionalInt required(String name) {
        OptionalInt found = number(name);
        if (found.isEmpty()) {
            missing.add(key(name));
        }
        return found;
    }

    /** Of values per layer the largest. */
    OptionalInt number(String name) {
        return switch (values.get(key(name))) {
            case Long one -> OptionalInt.of(clamp(one));
            case List<?> many ->
                many.stream()
                        .filter(Long.class::isInstance)
                        .mapToInt(element -> clamp((Long) element))
                        .max();
            case null, default -> OptionalInt.empty();
        };
    }

    /** The value for one layer: of a list the one at its place, else the one for all. */
    OptionalInt number(String name, int layer) {
        if (values.get(key(name)) instanceof List<?> many) {
            return layer < many.size() && many.get(layer) instanceof Long one
                    ? OptionalInt.of(clamp(one))
                    : OptionalInt.empty();
        }
        return number(name);
    }

    /** Whether a list of flags says yes to this layer; absent where there is no such list. Numbers other than 0 are a yes. */
    Optional<Boolean> flag(String name, int layer) {
        if (!(values.get(key(name)) instanceof List<?> many) || layer >= many.size()) {
            return Optional.empty();
        }
        return switch (many.get(layer)) {
            case Boolean flag -> Optional.of(flag);
            case Long one -> Optional.of(one != 0);
            case null, default -> Optional.empty();
        };
    }

    boolean has(String name) {
        return values.containsKey(key(name));
    }

    private String key(String name) {
        return architecture + "." + name;
    }

    private static int clamp(long number) {
        return (int) Math.max(0, Math.min(Integer.MAX_VALUE, number));
    }
}
