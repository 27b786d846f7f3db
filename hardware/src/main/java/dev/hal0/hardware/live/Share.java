package dev.hal0.hardware.live;

import org.jspecify.annotations.Nullable;

/** @param percent 0 to 100; null when the counters were read and give no share, as at first */
record Share(@Nullable Double percent) {}
