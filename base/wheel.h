/* A hashed timer wheel: adding, removing and moving a timer costs O(1) however many there
 * are; a deadline is met within one tick after it, never before it. Time comes in as an
 * argument. Thread: none of its own; a wheel belongs to one thread. */
#ifndef HL_BASE_WHEEL_H
#define HL_BASE_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

/* 1024 slots of 64 ms: a turn takes 65 s; later timers are passed by once each turn. */
enum { HL_WHEEL_SLOTS = 1024, HL_WHEEL_TICK_MS = 64 };

/* Intrusive; a zeroed timer is idle. Set fire before the first add. */
struct hl_timer {
    struct hl_list link;
    uint64_t due_ms;
    void (*fire)(struct hl_timer *timer); /* idle again; may add, remove and free any timer */
};

struct hl_wheel {
    uint64_t tick; /* the first one not yet advanced over */
    size_t n_timers;
    struct hl_list slots[HL_WHEEL_SLOTS];
};

void hl_wheel_init(struct hl_wheel *wheel, uint64_t now_ms);
/* Moves the timer if it is running. A time that has passed fires with the next advance. */
void hl_wheel_add(struct hl_wheel *wheel, struct hl_timer *timer, uint64_t due_ms);
void hl_wheel_remove(struct hl_wheel *wheel, struct hl_timer *timer); /* accepts an idle one */
bool hl_timer_is_running(const struct hl_timer *timer);
/* Fires all that is due; timers of one tick fire in the order they were added. now_ms never
 * goes back. Not from within fire. */
void hl_wheel_advance(struct hl_wheel *wheel, uint64_t now_ms);

#endif
