package dev.hal0.models;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Whether a model fits. A warning, never a refusal.
 *
 * @param need absent where the file does not say enough; then {@code missing} says what
 * @param headroom bytes, with what a replaced model gives back; absent when unknown
 * @param limit what bounds the headroom
 * @param largestContext tokens of one request with which it would just fit, a multiple of 256 and not above the trained
 *     window; absent where not even 256 fit, and where need or headroom are unknown
 * @param missing what is not known of the model, as keys or in words
 */
public record FitVerdict(
        Fit fit,
        Optional<MemoryNeed> need,
        OptionalLong headroom,
        Headroom.Limit limit,
        OptionalInt largestContext,
        List<String> missing) {

    /** In the order of severity, but for the last. */
    public enum Fit {
        /** With 15 % to spare. */
        FITS,
        TIGHT,
        EXCEEDS,
        UNKNOWN
    }

    public FitVerdict {
        missing = List.copyOf(missing);
    }
}
