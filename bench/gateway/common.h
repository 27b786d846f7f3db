/* What the upstream and the load generator share: the clock, fatal errors, and the words of their private protocol. */
#ifndef COMMON_H
#define COMMON_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define MILLISECOND 1000000ULL
#define SECOND 1000000000ULL

/* Fields of a request's body. A gateway passes unknown fields on, so they reach the upstream through every candidate. */
#define FIELD_CHUNKS "\"bench_chunks\":"
#define FIELD_SPACING "\"bench_spacing_ms\":"
#define FIELD_SILENCE "\"bench_silence_ms\":"
#define FIELD_REPORT "\"bench_report_port\":"

/* Fields of an answer. */
#define FIELD_INDEX "\"bench_index\":"
#define FIELD_STAMP "\"bench_stamp\":"
#define JSON_END "\"bench_end\":true}"

/* CLOCK_MONOTONIC is one clock for all processes of a machine, so a stamp of one can be compared in the other. */
static inline uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

__attribute__((format(printf, 1, 2))) _Noreturn static inline void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

/* 4,000 streams need more descriptors than the usual soft limit of 1,024. */
static inline void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

#endif
