#include "tests/support/fake_clock.h"

static int64_t read_wall_ms(void *arg)
{
    return atomic_load(&((struct hl_fake_clock *)arg)->wall_ms);
}

static uint64_t read_mono_ms(void *arg)
{
    return atomic_load(&((struct hl_fake_clock *)arg)->mono_ms);
}

void hl_fake_clock_init(struct hl_fake_clock *clock, int64_t wall_ms)
{
    clock->clock =
        (struct hl_clock){.wall_ms = read_wall_ms, .mono_ms = read_mono_ms, .arg = clock};
    atomic_init(&clock->wall_ms, wall_ms);
    atomic_init(&clock->mono_ms, 1000);
}

void hl_fake_clock_advance(struct hl_fake_clock *clock, uint64_t ms)
{
    atomic_fetch_add(&clock->wall_ms, (int64_t)ms);
    atomic_fetch_add(&clock->mono_ms, ms);
}
