/* A clock that a test moves by hand. Both hands may be set from any thread. */
#ifndef HL_TESTS_SUPPORT_FAKE_CLOCK_H
#define HL_TESTS_SUPPORT_FAKE_CLOCK_H

#include <stdatomic.h>

#include "base/clock.h"

struct hl_fake_clock {
    struct hl_clock clock; /* hand this out; its arg is the struct itself, so do not move it */
    _Atomic int64_t wall_ms;
    _Atomic uint64_t mono_ms;
};

void hl_fake_clock_init(struct hl_fake_clock *clock, int64_t wall_ms);
void hl_fake_clock_advance(struct hl_fake_clock *clock, uint64_t ms); /* both hands */

#endif
