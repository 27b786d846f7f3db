package dev.hal0.models;

import java.util.Locale;
import java.util.Optional;

/** How llama.cpp stores a cache of keys or values ({@code --cache-type-k}, {@code --cache-type-v}). */
public enum CacheType {
    F32(1, 4),
    F16(1, 2),
    BF16(1, 2),
    Q8_0(32, 34),
    Q5_1(32, 24),
    Q5_0(32, 22),
    Q4_1(32, 20),
    Q4_0(32, 18),
    IQ4_NL(32, 18);

    private final int block;
    private final int bytes;

    CacheType(int block, int bytes) {
        this.block = block;
        this.bytes = bytes;
    }

    /** @param name as the option takes it, in any case; empty for one that is none of these */
    public static Optional<CacheType> named(String name) {
        for (CacheType type : values()) {
            if (type.label().equals(name.toLowerCase(Locale.ROOT))) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    /** As the option takes it. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Of one row, which is a whole number of blocks. @throws ArithmeticException when no memory is that large */
    long bytesOf(long numbers) {
        return Math.multiplyExact(Math.ceilDiv(numbers, block), (long) bytes);
    }
}
