package dev.hal0.hardware.live;

import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Numbers as sources give them, in the units of a sample. */
final class Values {
    private Values() {}

    static @Nullable Long mebibytes(OptionalLong bytes) {
        return bytes.isPresent() ? bytes.getAsLong() >> 20 : null;
    }

    static @Nullable Double scaled(OptionalLong value, double unit) {
        return value.isPresent() ? value.getAsLong() / unit : null;
    }

    /** Null above 100: firmware has answered 65535 for "not now". */
    static @Nullable Double percent(OptionalLong value) {
        return value.isPresent() && value.getAsLong() <= 100 ? (double) value.getAsLong() : null;
    }

    /** A decimal number as tools print it; empty for {@code [N/A]} and all other words. */
    static OptionalDouble decimal(String text) {
        return text.matches("\\d{1,12}(\\.\\d{1,6})?")
                ? OptionalDouble.of(Double.parseDouble(text))
                : OptionalDouble.empty();
    }
}
