package dev.hal0.models;

import dev.hal0.models.CapabilityGuess.Confidence;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Decides what a GGUF file is for. The order is by strength of evidence: what the file is (a projector, an adapter), what
 * its converter declared (pooling, tags), what it is built like (an encoder, a classification head), what it is called.
 */
final class CapabilityRules {
    /** The facts a decision may use. */
    record Facts(
            String type,
            String architecture,
            OptionalInt pooling,
            boolean classifier,
            boolean projectorKeys,
            boolean tokenizer,
            boolean chatTemplate,
            List<String> tags,
            String fileName) {}

    private static final int NONE = 0;
    private static final int RANK = 4;

    private static final Set<String> NOT_A_MODEL = Set.of("adapter", "imatrix", "mmproj", "vocab");
    private static final Pattern RERANK_WORD = word("rerank|reranker|reranking");
    private static final Pattern EMBED_WORD = word("embed|embedding|embeddings");
    private static final Pattern EMBED_FAMILY = word("bge|e5|gte|nomic-embed|minilm|arctic-embed");

    private CapabilityRules() {}

    static CapabilityGuess decide(Facts facts) {
        if (facts.architecture().equals("clip") || facts.type().equals("mmproj") || facts.projectorKeys()) {
            return CapabilityGuess.none(
                    "it is a projector (mmproj), which is loaded beside a model and not on its own");
        }
        if (NOT_A_MODEL.contains(facts.type()) || facts.architecture().equals("imatrix")) {
            return CapabilityGuess.none("its type is '" + (facts.type().isEmpty() ? facts.architecture() : facts.type())
                    + "', which is not a model");
        }
        if (!facts.tokenizer()) {
            return CapabilityGuess.none(
                    "it has no tokenizer, so no text can be sent to it (architecture '" + facts.architecture() + "')");
        }
        boolean encoder = isEncoder(facts.architecture());
        if (facts.pooling().isPresent()) {
            int pooling = facts.pooling().getAsInt();
            if (pooling == RANK) {
                return guess(ModelCapability.RERANKING, Confidence.HIGH, "pooling type is rank");
            }
            if (pooling != NONE) {
                return guess(ModelCapability.EMBEDDING, Confidence.HIGH, "pooling type is " + poolingName(pooling));
            }
            if (!encoder) {
                return guess(ModelCapability.CHAT, Confidence.HIGH, "pooling type is none");
            }
        }
        if (facts.classifier()) {
            return guess(ModelCapability.RERANKING, Confidence.MEDIUM, "it has a classification head");
        }
        if (encoder) {
            return byName(RERANK_WORD, facts)
                    ? guess(ModelCapability.RERANKING, Confidence.MEDIUM, "an encoder named as a reranker")
                    : guess(
                            ModelCapability.EMBEDDING,
                            Confidence.HIGH,
                            "architecture '" + facts.architecture() + "' is an encoder");
        }
        for (String tag : facts.tags()) {
            String word = tag.toLowerCase(Locale.ROOT);
            if (word.contains("rerank") || word.equals("text-ranking")) {
                return guess(ModelCapability.RERANKING, Confidence.HIGH, "tagged '" + tag + "'");
            }
            if (word.contains("embed") || word.equals("sentence-similarity") || word.equals("feature-extraction")) {
                return guess(ModelCapability.EMBEDDING, Confidence.HIGH, "tagged '" + tag + "'");
            }
        }
        if (byName(RERANK_WORD, facts)) {
            return guess(ModelCapability.RERANKING, Confidence.MEDIUM, "its file name says reranker");
        }
        // A family's name is in the names of chat models, too; those carry a template.
        if (byName(EMBED_WORD, facts) || (byName(EMBED_FAMILY, facts) && !facts.chatTemplate())) {
            return guess(ModelCapability.EMBEDDING, Confidence.MEDIUM, "its file name says embedding");
        }
        return facts.chatTemplate()
                ? guess(ModelCapability.CHAT, Confidence.HIGH, "a decoder with a chat template")
                : guess(ModelCapability.CHAT, Confidence.MEDIUM, "a decoder without a chat template");
    }

    private static CapabilityGuess guess(ModelCapability capability, Confidence confidence, String reason) {
        return CapabilityGuess.of(capability, confidence, reason);
    }

    /** The architectures of llama.cpp that cannot generate text. */
    private static boolean isEncoder(String architecture) {
        return architecture.contains("bert")
                || architecture.endsWith("-embedding")
                || architecture.endsWith("-embed")
                || architecture.equals("t5encoder");
    }

    private static String poolingName(int pooling) {
        return switch (pooling) {
            case 1 -> "mean";
            case 2 -> "cls";
            case 3 -> "last";
            default -> String.valueOf(pooling);
        };
    }

    private static boolean byName(Pattern word, Facts facts) {
        return word.matcher(facts.fileName().toLowerCase(Locale.ROOT)).find();
    }

    /** Whole words only: {@code embF16} or {@code bridge5} say nothing. */
    private static Pattern word(String alternatives) {
        return Pattern.compile("(?<![a-z0-9])(?:" + alternatives + ")(?![a-z0-9])");
    }
}
