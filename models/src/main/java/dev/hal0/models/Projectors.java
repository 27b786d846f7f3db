package dev.hal0.models;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Finds the projector of a model among those in its folder. "The first one found" gives a model its neighbour's eyes, so a
 * projector must share the model's name, or be the only choice there is; of several that fit, the most precise wins.
 */
final class Projectors {
    /** @param quantization as its header says; empty when unknown */
    record Candidate(Sighting file, String quantization) {}

    /** @param reason why this one, or why none; empty where there are none */
    record Match(Optional<Candidate> projector, String reason) {
        static final Match NONE = new Match(Optional.empty(), "");
    }

    private static final Pattern BREAKS = Pattern.compile("[^a-z0-9.]+|\\.(?!\\d)|(?<!\\d)\\.");

    /** Words of file names that name no model. */
    private static final Set<String> FILLERS =
            Set.of("mmproj", "model", "proj", "projector", "vision", "encoder", "clip", "gguf", "ud");

    private static final Pattern PRECISION =
            Pattern.compile("f32|fp32|f16|fp16|bf16|mxfp4|i?q\\d.*|tq\\d.*|k|m|s|l|xl|xs|xxs|\\d|nl");

    private static final List<String> BEST_FIRST = List.of("F32", "F16", "BF16", "Q8_0");

    private Projectors() {}

    /** @param models names of all models in the folder, this one included */
    static Match match(String model, List<String> models, List<Candidate> projectors) {
        if (projectors.isEmpty()) {
            return Match.NONE;
        }
        Set<String> words = words(model);
        boolean alone = models.stream().map(Projectors::words).distinct().count() <= 1;
        var fitting = new ArrayList<Candidate>();
        for (Candidate projector : projectors) {
            Set<String> named = words(projector.file().fileName());
            if (named.isEmpty() ? alone : words.containsAll(named) || (alone && isSimilar(words, named))) {
                fitting.add(projector);
            }
        }
        if (fitting.isEmpty()) {
            return new Match(
                    Optional.empty(),
                    "of " + projectors.size() + " in its folder none shares its name"
                            + (alone ? "" : ", and the folder has several models"));
        }
        fitting.sort(Comparator.comparingInt((Candidate one) -> -affinity(words, one))
                .thenComparingInt(Projectors::rank)
                .thenComparing(one -> one.file().path()));
        Candidate best = fitting.getFirst();
        int shared = affinity(words, best);
        String why = shared == 0
                ? "the folder has no other model"
                : "it shares " + shared + (shared == 1 ? " word" : " words") + " of its name";
        long rivals =
                fitting.stream().filter(one -> affinity(words, one) == shared).count();
        return new Match(
                Optional.of(best),
                rivals > 1 ? why + "; " + precision(best) + " is the most precise of " + rivals : why);
    }

    private static int affinity(Set<String> words, Candidate projector) {
        var shared = new HashSet<>(words(projector.file().fileName()));
        shared.retainAll(words);
        return shared.size();
    }

    /** Half of its words: enough where there is no other model to be mistaken for. */
    private static boolean isSimilar(Set<String> words, Set<String> named) {
        var shared = new HashSet<>(named);
        shared.retainAll(words);
        return shared.size() * 2 >= named.size();
    }

    private static int rank(Candidate projector) {
        int rank = BEST_FIRST.indexOf(precision(projector));
        return rank < 0 ? BEST_FIRST.size() : rank;
    }

    private static String precision(Candidate projector) {
        if (!projector.quantization().isEmpty()) {
            return projector.quantization();
        }
        String name = projector.file().fileName().toUpperCase(Locale.ROOT);
        return BEST_FIRST.stream()
                .filter(one -> Pattern.compile("(?<![A-Z0-9])" + one + "(?![A-Z0-9])")
                        .matcher(name)
                        .find())
                .findFirst()
                .orElse("");
    }

    /** The words that say which model it is, without its precision. */
    private static Set<String> words(String fileName) {
        String stem = ScanNames.stem(fileName)
                .toLowerCase(Locale.ROOT)
                .replaceFirst("-\\d{5}-of-\\d{5}$", "")
                .replaceAll("(?<![a-z0-9])(?:iq|tq|q)\\d[a-z0-9_]*", " ");
        return Arrays.stream(BREAKS.split(stem))
                .filter(word -> !word.isEmpty() && !FILLERS.contains(word))
                .filter(word -> !PRECISION.matcher(word).matches() || isVersion(word))
                .collect(Collectors.toSet());
    }

    /** {@code gemma-3}: a lone digit is a part of the name. */
    private static boolean isVersion(String word) {
        return word.length() == 1 && Character.isDigit(word.charAt(0));
    }
}
