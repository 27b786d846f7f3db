package dev.hal0.models;

import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Which layer of a model keeps what. Where a file does not say (which layers have a window, which are recurrent), the
 * tables are those of llama.cpp 0.7.0: {@code load_arch_hparams} of each architecture, {@code llama_model::create_memory},
 * and the sizes of {@code llama_hparams::n_embd_r} and {@code n_embd_s}.
 */
final class LayerRules {
    /** Look at a whole text at once and keep nothing. */
    static final Set<String> ENCODERS = Set.of(
            "bert",
            "modern-bert",
            "nomic-bert",
            "nomic-bert-moe",
            "neo-bert",
            "jina-bert-v2",
            "jina-bert-v3",
            "eurobert",
            "gemma-embedding",
            "dream",
            "llada",
            "llada-moe",
            "rnd1");

    /** Keep more than keys, values and the states known here. */
    static final Set<String> UNKNOWN =
            Set.of("clip", "t5", "t5encoder", "wavtokenizer-dec", "kimi-linear", "deepseek32", "deepseek4", "glm-dsa");

    private static final Set<String> RECURRENT = Set.of("mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7");

    /** Attention in every fourth layer, unless the file says otherwise. */
    private static final Set<String> INTERVAL = Set.of("qwen3next", "qwen35", "qwen35moe");

    /** Every layer is both. */
    private static final Set<String> BOTH = Set.of("falcon-h1");

    /**
     * Of so many layers all but one have the window. An architecture that is not here has none, whatever its file says:
     * llama.cpp gives it the whole cache.
     */
    private static final Map<String, Integer> PERIODS = Map.ofEntries(
            Map.entry("gemma2", 2),
            Map.entry("gemma3", 6),
            Map.entry("gemma3n", 5),
            Map.entry("gemma4", 6),
            Map.entry("gpt-oss", 2),
            Map.entry("cohere2", 4),
            Map.entry("llama4", 4),
            Map.entry("exaone4", 4),
            Map.entry("exaone-moe", 4),
            Map.entry("olmo2", 4),
            Map.entry("smallthinker", 4),
            Map.entry("afmoe", 4));

    /** The one layer without a window comes first in its period, not last. */
    private static final Set<String> DENSE_FIRST = Set.of("smallthinker");

    /** llama4 attends in chunks of this many tokens and its files need not say so. */
    private static final int LLAMA4_CHUNK = 8192;

    /** Layers of gemma3n behind this one use the cache of those before. */
    private static final int GEMMA3N_OWN = 20;

    private final ShapeKeys keys;
    private final String architecture;
    private final int count;
    private final int embedding;
    private final int heads;

    LayerRules(ShapeKeys keys, String architecture, int count, int embedding, int heads) {
        this.keys = keys;
        this.architecture = architecture;
        this.count = count;
        this.embedding = embedding;
        this.heads = heads;
    }

    /** @throws ArithmeticException for sizes that no model has */
    LayerCache layer(int layer) {
        boolean recurrent = isRecurrent(layer);
        long state = recurrent ? stateNumbers() : 0;
        if (layer >= ownCaches() || (recurrent && !BOTH.contains(architecture))) {
            return new LayerCache(0, 0, 0, state);
        }
        int window = window(layer);
        int layerHeads = keys.number("attention.head_count", layer).orElse(heads);
        // llama.cpp: as many as there are heads for queries.
        long keyHeads = keys.number("attention.head_count_kv", layer).orElse(layerHeads);
        if (keyHeads == 0) {
            return new LayerCache(0, 0, 0, state);
        }
        boolean latent = keys.has("attention.key_length_mla") && keys.has("attention.value_length_mla");
        long key = headLength("attention.key_length", window);
        // Values are read out of the same compressed vector.
        long value = latent ? 0 : headLength("attention.value_length", window);
        return new LayerCache(keyHeads * key, keyHeads * value, window, state);
    }

    private int headLength(String name, int window) {
        OptionalInt narrow = window > 0 ? keys.number(name + "_swa") : OptionalInt.empty();
        return narrow.orElseGet(() -> keys.headLength(OptionalInt.of(embedding), OptionalInt.of(heads), name)
                .orElse(0));
    }

    private int ownCaches() {
        if (architecture.equals("gemma3n")) {
            return Math.min(count, GEMMA3N_OWN);
        }
        return count - Math.min(count, keys.number("attention.shared_kv_layers").orElse(0));
    }

    private int window(int layer) {
        Integer usual = PERIODS.get(architecture);
        OptionalInt length = keys.number("attention.sliding_window");
        if (architecture.equals("llama4") && length.isEmpty()) {
            length = OptionalInt.of(LLAMA4_CHUNK);
        }
        int tokens = length.orElse(0);
        var flag = keys.flag("attention.sliding_window_pattern", layer);
        if (flag.isPresent()) {
            return flag.get() ? tokens : 0;
        }
        if (usual == null) {
            return 0;
        }
        int period = keys.number("attention.sliding_window_pattern").orElse(usual);
        boolean windowed =
                period == 0 || (DENSE_FIRST.contains(architecture) ? layer % period != 0 : layer % period < period - 1);
        return windowed ? tokens : 0;
    }

    private boolean isRecurrent(int layer) {
        if (RECURRENT.contains(architecture) || BOTH.contains(architecture)) {
            return true;
        }
        var flag = keys.flag("attention.recurrent_layers", layer);
        if (flag.isPresent()) {
            return flag.get();
        }
        if (INTERVAL.contains(architecture)) {
            int interval = keys.number("full_attention_interval").orElse(4);
            return interval == 0 || (layer + 1) % interval != 0;
        }
        boolean keepsState = keys.has("ssm.conv_kernel") || keys.has("shortconv.l_cache");
        boolean attends = keys.number("attention.head_count_kv", layer).orElse(1) > 0;
        // nemotron_h has layers that are neither: they only feed forward.
        boolean onlyFeeds = architecture.startsWith("nemotron_h")
                && keys.number("feed_forward_length", layer).orElse(0) > 0;
        return keepsState && !attends && !onlyFeeds;
    }

    /** @throws ArithmeticException for sizes that no model has */
    private long stateNumbers() {
        if (keys.has("wkv.head_size")) {
            long shifts = keys.number("token_shift_count").orElse(2);
            return shifts * embedding
                    + (long) embedding * keys.number("wkv.head_size").orElse(0);
        }
        if (keys.has("shortconv.l_cache")) {
            return (long) embedding
                    * Math.max(0, keys.number("shortconv.l_cache").orElse(0) - 1);
        }
        long kernel = keys.required("ssm.conv_kernel").orElse(0);
        long inner = keys.required("ssm.inner_size").orElse(0);
        long state = keys.required("ssm.state_size").orElse(0);
        long groups = keys.number("ssm.group_count").orElse(0);
        // Exact: a hostile file must not make a small number of a large one.
        long convolved = Math.addExact(inner, Math.multiplyExact(2 * groups, state));
        return Math.addExact(Math.multiplyExact(state, inner), Math.multiplyExact(Math.max(0, kernel - 1), convolved));
    }
}
