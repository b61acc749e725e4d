/* Time and randomness come in as arguments, so that the core can be simulated. */
#ifndef HL_BASE_CLOCK_H
#define HL_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct hl_clock {
    int64_t (*wall_ms)(void *arg);  /* since 1970-01-01 UTC; may step either way */
    uint64_t (*mono_ms)(void *arg); /* never goes back; for deadlines and rates */
    void *arg;
};

struct hl_random {
    void (*fill)(void *arg, void *out, size_t size);
    void *arg;
};

/* The machine's clocks and libsodium's generator. Safe from any thread. */
const struct hl_clock *hl_clock_system(void);
const struct hl_random *hl_random_system(void);

static inline int64_t hl_clock_wall_ms(const struct hl_clock *clock)
{
    return clock->wall_ms(clock->arg);
}

static inline uint64_t hl_clock_mono_ms(const struct hl_clock *clock)
{
    return clock->mono_ms(clock->arg);
}

static inline void hl_random_fill(const struct hl_random *random, void *out, size_t size)
{
    random->fill(random->arg, out, size);
}

#endif
