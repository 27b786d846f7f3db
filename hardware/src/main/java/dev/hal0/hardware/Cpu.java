package dev.hal0.hardware;

import org.jspecify.annotations.Nullable;

/**
 * The processor as this process may use it. Immutable; null means unknown.
 *
 * @param model marketing name
 * @param cores physical cores, never more than {@code threads}
 * @param threads logical processors that this container or machine was given
 * @param architecture {@code x86_64}, {@code aarch64}
 */
public record Cpu(
        @Nullable String model,
        @Nullable Integer cores,
        @Nullable Integer threads,
        @Nullable String architecture) {
    static final Cpu UNKNOWN = new Cpu(null, null, null, null);
}
