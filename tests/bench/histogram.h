/* Latencies in microseconds, log-linear: 64 steps per power of two, error below 1.6 %. */
#ifndef HL_TESTS_BENCH_HISTOGRAM_H
#define HL_TESTS_BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 64, HISTOGRAM_POWERS = 34 };

struct histogram {
    uint64_t n, max_us;
    uint64_t counts[HISTOGRAM_POWERS * HISTOGRAM_STEPS];
};

void histogram_add(struct histogram *histogram, uint64_t us);
/* Upper edge of the step that holds the given share (0 … 1); 0 if empty. */
uint64_t histogram_at(const struct histogram *histogram, double share);

#endif
