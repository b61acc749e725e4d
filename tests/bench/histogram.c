#include "tests/bench/histogram.h"

static unsigned find_step(uint64_t us)
{
    unsigned power = 0;
    while (us >= 2 * HISTOGRAM_STEPS && power < HISTOGRAM_POWERS - 2) {
        us >>= 1;
        power++;
    }
    unsigned top = 2 * HISTOGRAM_STEPS - 1;
    return power * HISTOGRAM_STEPS + (us > top ? top : (unsigned)us);
}

static uint64_t upper_edge(unsigned step)
{
    if (step < 2 * HISTOGRAM_STEPS)
        return step;
    unsigned power = step / HISTOGRAM_STEPS - 1;
    return ((uint64_t)(step - power * HISTOGRAM_STEPS + 1) << power) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t us)
{
    histogram->counts[find_step(us)]++;
    histogram->n++;
    if (us > histogram->max_us)
        histogram->max_us = us;
}

uint64_t histogram_at(const struct histogram *histogram, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)histogram->n), seen = 0;
    for (unsigned step = 0; step < HISTOGRAM_POWERS * HISTOGRAM_STEPS; step++) {
        seen += histogram->counts[step];
        if (seen > wanted || (seen == histogram->n && seen > 0))
            return upper_edge(step) < histogram->max_us ? upper_edge(step) : histogram->max_us;
    }
    return 0;
}
