package dev.hal0.models;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.models.CapabilityGuess.Confidence;
import dev.hal0.models.CapabilityRules.Facts;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CapabilityRulesTest {
    @ParameterizedTest
    @CsvSource({
        "llama,            -1, CHAT,      HIGH",
        "qwen3,             3, EMBEDDING, HIGH",
        "qwen3,             4, RERANKING, HIGH",
        "llama,             0, CHAT,      HIGH",
        "bert,              2, EMBEDDING, HIGH",
        "bert,              0, EMBEDDING, HIGH",
        "nomic-bert-moe,   -1, EMBEDDING, HIGH",
        "gemma-embedding,  -1, EMBEDDING, HIGH",
        "t5encoder,        -1, EMBEDDING, HIGH",
    })
    void architecture_and_pooling_decide(
            String architecture, int pooling, ModelCapability expected, Confidence confidence) {
        var guess = CapabilityRules.decide(facts(
                "model",
                architecture,
                pooling < 0 ? OptionalInt.empty() : OptionalInt.of(pooling),
                List.of(),
                "model.gguf",
                true));

        assertThat(guess.capability()).hasValue(expected);
        assertThat(guess.confidence()).isEqualTo(confidence);
        assertThat(guess.reason()).isNotBlank();
    }

    @ParameterizedTest
    @CsvSource({
        "Qwen3-Embedding-0.6B-Q8_0.gguf,   true,  EMBEDDING",
        "my_reranker.gguf,                 true,  RERANKING",
        "bge-en-icl.gguf,                  false, EMBEDDING",
        "e5-mistral-7b-instruct.gguf,      false, EMBEDDING",
        "gte-flavoured-chat.gguf,          true,  CHAT",
        "qwen3-embF16.gguf,                false, CHAT",
        "bridge5.gguf,                     false, CHAT",
    })
    void a_name_decides_only_by_whole_words(String fileName, boolean template, ModelCapability expected) {
        var guess = CapabilityRules.decide(facts("model", "llama", OptionalInt.empty(), List.of(), fileName, template));

        assertThat(guess.capability()).hasValue(expected);
    }

    @Test
    void declared_pooling_outweighs_the_name() {
        var guess = CapabilityRules.decide(
                facts("model", "llama", OptionalInt.of(0), List.of("feature-extraction"), "embed.gguf", true));

        assertThat(guess.capability()).hasValue(ModelCapability.CHAT);
    }

    @Test
    void tags_decide_where_nothing_stronger_is_declared() {
        assertThat(CapabilityRules.decide(facts(
                                "model", "qwen2", OptionalInt.empty(), List.of("sentence-similarity"), "x.gguf", true))
                        .capability())
                .hasValue(ModelCapability.EMBEDDING);
        assertThat(CapabilityRules.decide(
                                facts("model", "qwen2", OptionalInt.empty(), List.of("text-ranking"), "x.gguf", true))
                        .capability())
                .hasValue(ModelCapability.RERANKING);
    }

    @Test
    void encoder_with_a_classification_head_reranks() {
        var guess = CapabilityRules.decide(new Facts(
                "", "bert", OptionalInt.empty(), true, false, true, false, List.of(), "bge-reranker-v2-m3.gguf"));

        assertThat(guess.capability()).hasValue(ModelCapability.RERANKING);
        assertThat(guess.confidence()).isEqualTo(Confidence.MEDIUM);
    }

    @ParameterizedTest
    @CsvSource({"model, clip, projector", "mmproj, llama, projector", "adapter, llama, adapter", "imatrix, x, imatrix"})
    void file_beside_a_model_is_no_model(String type, String architecture, String word) {
        var guess = CapabilityRules.decide(facts(type, architecture, OptionalInt.empty(), List.of(), "x.gguf", false));

        assertThat(guess.capability()).isEmpty();
        assertThat(guess.reason()).contains(word);
    }

    @Test
    void model_without_a_tokenizer_is_no_text_model() {
        var guess = CapabilityRules.decide(new Facts(
                "model", "flux", OptionalInt.empty(), false, false, false, false, List.of(), "flux1-dev-Q8_0.gguf"));

        assertThat(guess.capability()).isEmpty();
        assertThat(guess.reason()).contains("no tokenizer").contains("flux");
    }

    private static Facts facts(
            String type, String architecture, OptionalInt pooling, List<String> tags, String name, boolean template) {
        return new Facts(type, architecture, pooling, false, false, true, template, tags, name);
    }
}
