package dev.hal0.runtime.engine;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The flags of llama-server. */
final class LlamaArguments {
    /** Other spellings of flags that more than one source sets; from the {@code --help} of version 0.7.0. */
    private static final Map<String, String> CANONICAL = canonical();

    /** What hal0 must own to reach, identify and protect the engine. */
    private static final Set<String> OWNED = Set.of(
            "--host",
            "--port",
            "--model",
            "--model-url",
            "--hf-repo",
            "--hf-file",
            "--docker-repo",
            "--alias",
            "--api-key",
            "--api-key-file",
            "--ssl-key-file",
            "--ssl-cert-file",
            "--path",
            "--api-prefix",
            "--models-dir",
            "--models-preset",
            "--slots",
            "--no-slots",
            "--fit",
            "--log-file",
            "--log-disable");

    /** Off-switches of the same decision replace each other. */
    private static final Map<String, String> OPPOSITES = Map.of("--jinja", "--no-jinja", "--no-jinja", "--jinja");

    /** Each mention adds one more; from the {@code --help} of version 0.7.0. */
    private static final Set<String> REPEATABLE = Set.of(
            "--lora",
            "--lora-scaled",
            "--control-vector",
            "--control-vector-scaled",
            "--override-kv",
            "--override-tensor",
            "--logit-bias");

    private static final EngineArguments.Flags FLAGS =
            new EngineArguments.Flags(CANONICAL, OWNED, OPPOSITES, REPEATABLE);

    private LlamaArguments() {}

    static EngineArguments empty() {
        return new EngineArguments(FLAGS);
    }

    private static Map<String, String> canonical() {
        var names = new TreeMap<String, String>();
        names.put("-c", "--ctx-size");
        names.put("-np", "--parallel");
        names.put("-ngl", "--n-gpu-layers");
        names.put("--gpu-layers", "--n-gpu-layers");
        names.put("-m", "--model");
        names.put("-mu", "--model-url");
        names.put("-hf", "--hf-repo");
        names.put("-hfr", "--hf-repo");
        names.put("-hff", "--hf-file");
        names.put("-dr", "--docker-repo");
        names.put("-a", "--alias");
        names.put("-t", "--threads");
        names.put("-tb", "--threads-batch");
        names.put("-b", "--batch-size");
        names.put("-ub", "--ubatch-size");
        names.put("-fa", "--flash-attn");
        names.put("-dev", "--device");
        names.put("-fit", "--fit");
        names.put("-ctk", "--cache-type-k");
        names.put("-ctv", "--cache-type-v");
        names.put("-kvu", "--kv-unified");
        names.put("-no-kvu", "--no-kv-unified");
        names.put("-cram", "--cache-ram");
        names.put("-ot", "--override-tensor");
        names.put("-l", "--logit-bias");
        names.put("--embedding", "--embeddings");
        names.put("--rerank", "--reranking");
        names.put("--webui", "--ui");
        names.put("--no-webui", "--no-ui");
        return names;
    }
}
