package dev.hal0.models;

import java.util.Optional;
import java.util.OptionalInt;

/** Will it fit? The one answer for the command line, the API and the web pages. Stateless. */
public final class ModelFit {
    /** Contexts are proposed in steps of this: the cache is that coarse ({@link MemoryFormula}). */
    public static final int STEP = 256;

    /** Share of the headroom, in percent, up to which a model fits with ease. */
    private static final int EASY = 85;

    private ModelFit() {}

    /** Empty where the file does not say enough, or says sizes that no memory has. */
    public static Optional<MemoryNeed> need(ModelShape shape, FitRequest request) {
        if (!shape.missing().isEmpty()
                || shape.weightsBytes().isEmpty()
                || (request.vision() && shape.projectorBytes().isEmpty())) {
            return Optional.empty();
        }
        try {
            return Optional.of(new MemoryFormula(shape, request).need());
        } catch (ArithmeticException overflow) {
            return Optional.empty();
        }
    }

    public static FitVerdict judge(ModelShape shape, FitRequest request, Headroom headroom) {
        Optional<MemoryNeed> need = need(shape, request);
        var missing = new java.util.ArrayList<>(shape.missing());
        if (shape.weightsBytes().isEmpty()) {
            missing.add("the size of all files of the model");
        }
        if (request.vision() && shape.projectorBytes().isEmpty()) {
            missing.add("the size of the projector file");
        }
        FitVerdict.Fit fit = FitVerdict.Fit.UNKNOWN;
        OptionalInt largest = OptionalInt.empty();
        if (headroom.bytes().isPresent()) {
            long bytes = headroom.bytes().getAsLong();
            fit = need.isPresent() ? compare(need.get().total(), bytes) : byWeights(shape, bytes);
            largest = need.isPresent() ? largestContext(shape, request, bytes) : largest;
        }
        return new FitVerdict(fit, need, headroom.bytes(), headroom.limit(), largest, missing);
    }

    /**
     * Tokens of one request with which the model needs no more than so many bytes: the largest multiple of {@link #STEP}
     * that is not above the trained window, or above the context asked for where the file names no window.
     *
     * @return empty where even {@link #STEP} tokens need more, or the need is not known
     */
    public static OptionalInt largestContext(ModelShape shape, FitRequest request, long bytes) {
        int most = shape.contextLength().orElse(request.context()) / STEP;
        int least = 0;
        // The need never falls when the context grows, so the steps that fit are all before those that do not.
        while (least < most) {
            int middle = least + (most - least + 1) / 2;
            if (fits(shape, request.withContext(middle * STEP), bytes)) {
                least = middle;
            } else {
                most = middle - 1;
            }
        }
        return least == 0 ? OptionalInt.empty() : OptionalInt.of(least * STEP);
    }

    private static boolean fits(ModelShape shape, FitRequest request, long bytes) {
        return need(shape, request).filter(need -> need.total() <= bytes).isPresent();
    }

    private static FitVerdict.Fit compare(long need, long headroom) {
        if (need <= headroom / 100 * EASY + headroom % 100 * EASY / 100) {
            return FitVerdict.Fit.FITS;
        }
        return need <= headroom ? FitVerdict.Fit.TIGHT : FitVerdict.Fit.EXCEEDS;
    }

    /** Where the rest is not known, the files alone can be too much. */
    private static FitVerdict.Fit byWeights(ModelShape shape, long headroom) {
        return shape.weightsBytes().orElse(0) > headroom ? FitVerdict.Fit.EXCEEDS : FitVerdict.Fit.UNKNOWN;
    }
}
