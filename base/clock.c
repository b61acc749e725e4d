#include "base/clock.h"

#include <time.h>

#include <sodium.h>

#include "base/check.h"

static int64_t read_clock_ms(clockid_t id)
{
    struct timespec now;

    HL_CHECK(clock_gettime(id, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t read_wall_ms(void *arg)
{
    (void)arg;
    return read_clock_ms(CLOCK_REALTIME);
}

static uint64_t read_mono_ms(void *arg)
{
    (void)arg;
    return (uint64_t)read_clock_ms(CLOCK_MONOTONIC);
}

static void fill_random(void *arg, void *out, size_t size)
{
    (void)arg;
    randombytes_buf(out, size);
}

const struct hl_clock *hl_clock_system(void)
{
    static const struct hl_clock clock = {.wall_ms = read_wall_ms, .mono_ms = read_mono_ms};

    return &clock;
}

const struct hl_random *hl_random_system(void)
{
    static const struct hl_random random = {.fill = fill_random};

    /* makes the generator safe from any thread; repeated calls cost nothing */
    HL_CHECK(sodium_init() >= 0);
    return &random;
}
