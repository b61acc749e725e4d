#include "base/wheel.h"

#include "base/check.h"

void hl_wheel_init(struct hl_wheel *wheel, uint64_t now_ms)
{
    wheel->tick = now_ms / HL_WHEEL_TICK_MS;
    wheel->n_timers = 0;
    for (size_t i = 0; i < HL_WHEEL_SLOTS; i++)
        hl_list_init(&wheel->slots[i]);
}

/* Rounded up: a timer never fires early. */
static uint64_t tick_of(uint64_t due_ms)
{
    return due_ms / HL_WHEEL_TICK_MS + (due_ms % HL_WHEEL_TICK_MS != 0);
}

void hl_wheel_add(struct hl_wheel *wheel, struct hl_timer *timer, uint64_t due_ms)
{
    uint64_t tick = tick_of(due_ms);

    HL_CHECK(timer->fire != NULL);
    hl_wheel_remove(wheel, timer);
    if (tick < wheel->tick)
        tick = wheel->tick;
    timer->due_ms = due_ms;
    hl_list_add(&wheel->slots[tick % HL_WHEEL_SLOTS], &timer->link);
    wheel->n_timers++;
}

void hl_wheel_remove(struct hl_wheel *wheel, struct hl_timer *timer)
{
    if (!hl_timer_is_running(timer))
        return;
    HL_CHECK(wheel->n_timers > 0);
    hl_list_remove(&timer->link);
    wheel->n_timers--;
}

bool hl_timer_is_running(const struct hl_timer *timer)
{
    return hl_list_is_linked(&timer->link);
}

/* Takes the slot's timers aside first, so that what fire() adds waits for its own turn. */
static void advance_slot(struct hl_wheel *wheel, struct hl_list *slot, uint64_t tick)
{
    struct hl_list passed;

    if (hl_list_is_empty(slot))
        return;
    hl_list_init(&passed);
    passed.next = slot->next;
    passed.prev = slot->prev;
    passed.next->prev = &passed;
    passed.prev->next = &passed;
    hl_list_init(slot);
    while (!hl_list_is_empty(&passed)) {
        struct hl_timer *timer = HL_CONTAINER_OF(passed.next, struct hl_timer, link);
        hl_list_remove(&timer->link);
        if (tick_of(timer->due_ms) > tick) {
            hl_list_add(slot, &timer->link);
            continue;
        }
        wheel->n_timers--;
        timer->fire(timer);
    }
}

void hl_wheel_advance(struct hl_wheel *wheel, uint64_t now_ms)
{
    uint64_t last = now_ms / HL_WHEEL_TICK_MS;

    /* after a long pause one turn passes every slot with the last tick */
    if (last >= wheel->tick + HL_WHEEL_SLOTS)
        wheel->tick = last - HL_WHEEL_SLOTS + 1;
    while (wheel->tick <= last) {
        uint64_t tick = wheel->tick++;
        advance_slot(wheel, &wheel->slots[tick % HL_WHEEL_SLOTS], tick);
    }
}
