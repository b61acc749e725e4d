#include "base/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct probe {
    struct hl_timer timer;
    struct hl_wheel *wheel;
    uint64_t again_ms; /* 0: does not run again */
    unsigned fired;
};

static void fire_probe(struct hl_timer *timer)
{
    struct probe *probe = HL_CONTAINER_OF(timer, struct probe, timer);

    probe->fired++;
    if (probe->again_ms != 0)
        hl_wheel_add(probe->wheel, timer, probe->again_ms);
}

static struct hl_wheel *create_wheel(uint64_t now_ms)
{
    struct hl_wheel *wheel = malloc(sizeof(*wheel));

    assert_non_null(wheel);
    hl_wheel_init(wheel, now_ms);
    return wheel;
}

static void test_never_early_and_within_a_tick(void **state)
{
    struct hl_wheel *wheel = create_wheel(1000);

    (void)state;
    for (uint64_t due_ms = 1000; due_ms < 1400; due_ms += 7) {
        struct probe probe = {.timer.fire = fire_probe};
        uint64_t now_ms = wheel->tick * HL_WHEEL_TICK_MS;
        uint64_t due = now_ms + due_ms;
        hl_wheel_add(wheel, &probe.timer, due);
        hl_wheel_advance(wheel, due - 1);
        assert_int_equal(probe.fired, 0);
        hl_wheel_advance(wheel, due + HL_WHEEL_TICK_MS);
        assert_int_equal(probe.fired, 1);
    }
    assert_int_equal(wheel->n_timers, 0);
    free(wheel);
}

static void test_many_turns_and_long_pause(void **state)
{
    enum { TURN_MS = HL_WHEEL_SLOTS * HL_WHEEL_TICK_MS };
    struct hl_wheel *wheel = create_wheel(0);
    struct probe far = {.timer.fire = fire_probe};
    struct probe near = {.timer.fire = fire_probe};

    (void)state;
    hl_wheel_add(wheel, &far.timer, 5 * TURN_MS + 10);
    hl_wheel_add(wheel, &near.timer, 10);
    for (uint64_t now = 0; now < 5 * TURN_MS; now += TURN_MS / 3)
        hl_wheel_advance(wheel, now);
    assert_int_equal(near.fired, 1);
    assert_int_equal(far.fired, 0);
    hl_wheel_advance(wheel, 100 * TURN_MS);
    assert_int_equal(far.fired, 1);
    free(wheel);
}

static void test_move_remove_and_add_while_firing(void **state)
{
    struct hl_wheel *wheel = create_wheel(0);
    struct probe moved = {.timer.fire = fire_probe};
    struct probe again = {.timer.fire = fire_probe, .wheel = wheel, .again_ms = 1};

    (void)state;
    hl_wheel_remove(wheel, &moved.timer);
    hl_wheel_add(wheel, &moved.timer, 100);
    hl_wheel_add(wheel, &moved.timer, 1000);
    assert_int_equal(wheel->n_timers, 1);
    hl_wheel_advance(wheel, 500);
    assert_int_equal(moved.fired, 0);
    hl_wheel_remove(wheel, &moved.timer);
    hl_wheel_advance(wheel, 2000);
    assert_int_equal(moved.fired, 0);
    assert_false(hl_timer_is_running(&moved.timer));

    /* one that adds itself in the past runs once a tick and never twice in one */
    hl_wheel_add(wheel, &again.timer, 0);
    hl_wheel_advance(wheel, 2000 + 10 * HL_WHEEL_TICK_MS);
    assert_true(again.fired >= 9 && again.fired <= 11);
    hl_wheel_remove(wheel, &again.timer);
    assert_int_equal(wheel->n_timers, 0);
    free(wheel);
}

static void test_hundred_thousand(void **state)
{
    enum { N = 100000 };
    struct hl_wheel *wheel = create_wheel(0);
    struct probe *probes = calloc(N, sizeof(*probes));

    (void)state;
    assert_non_null(probes);
    for (size_t i = 0; i < N; i++) {
        probes[i].timer.fire = fire_probe;
        hl_wheel_add(wheel, &probes[i].timer, i);
    }
    for (size_t i = 1; i < N; i += 2)
        hl_wheel_remove(wheel, &probes[i].timer);
    hl_wheel_advance(wheel, N + HL_WHEEL_TICK_MS);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(probes[i].fired, i % 2 == 0);
    free(probes);
    free(wheel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never_early_and_within_a_tick),
        cmocka_unit_test(test_many_turns_and_long_pause),
        cmocka_unit_test(test_move_remove_and_add_while_firing),
        cmocka_unit_test(test_hundred_thousand),
    };

    return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
