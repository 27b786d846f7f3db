/* A log-linear histogram: 64 buckets per power of two, so a figure is at most 1.6 % too low. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS (60 * 64)

struct histogram {
    uint64_t count, most;
    uint32_t buckets[HISTOGRAM_BUCKETS];
};

static inline void histogram_add(struct histogram *histogram, uint64_t value) {
    unsigned shift = value < 64 ? 0 : (unsigned)(63 - __builtin_clzll(value)) - 6;
    histogram->buckets[(value < 64 ? 0 : (shift + 1) * 64 - 64) + (value >> shift)]++;
    histogram->count++;
    if (value > histogram->most) {
        histogram->most = value;
    }
}

static inline uint64_t histogram_quantile(const struct histogram *histogram, double quantile) {
    uint64_t rank = (uint64_t)(quantile * (double)histogram->count), seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen > rank) {
            unsigned shift = i < 128 ? 0 : i / 64 - 1;
            return i < 128 ? i : (uint64_t)(i - shift * 64) << shift;
        }
    }
    return histogram->most;
}

#endif
