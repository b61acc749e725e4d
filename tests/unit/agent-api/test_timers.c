#include "agent-api/timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MINUTE = 60000 };

static const struct hl_inbox inbox = {.first_response_minutes = 10, .response_minutes = 60};

static void who_waits_for_the_first_answer(void **state)
{
    struct hl_index_wait wait = {.opened_ms = 1000, .waiting_since_ms = 1000};
    struct hl_timers timers;
    (void)state;
    hl_timers_make(&inbox, &wait, 1000 + 7 * MINUTE, &timers);
    assert_int_equal(timers.first_response_due_ms, 1000 + 10 * MINUTE);
    assert_int_equal(timers.response_due_ms, 1000 + 60 * MINUTE);
    assert_string_equal(timers.sla, "ok");
    assert_int_equal(hl_timers_due(&inbox, &wait), 1000 + 10 * MINUTE);
    hl_timers_make(&inbox, &wait, 1000 + 8 * MINUTE + 1, &timers);
    assert_string_equal(timers.sla, "due_soon");
    hl_timers_make(&inbox, &wait, 1000 + 10 * MINUTE, &timers);
    assert_string_equal(timers.sla, "breached");
}

static void who_waits_for_another_answer(void **state)
{
    struct hl_index_wait wait = {
        .opened_ms = 1000, .first_response_ms = 5000, .waiting_since_ms = 9 * MINUTE};
    struct hl_timers timers;
    (void)state;
    hl_timers_make(&inbox, &wait, 20 * MINUTE, &timers);
    assert_string_equal(timers.sla, "ok");
    assert_int_equal(timers.response_due_ms, 69 * MINUTE);
    assert_int_equal(hl_timers_due(&inbox, &wait), 69 * MINUTE);
    hl_timers_make(&inbox, &wait, 69 * MINUTE, &timers);
    assert_string_equal(timers.sla, "breached");
}

static void nobody_waits(void **state)
{
    struct hl_index_wait wait = {.opened_ms = 1000, .first_response_ms = 5000};
    struct hl_timers timers;
    (void)state;
    hl_timers_make(&inbox, &wait, 20 * MINUTE, &timers);
    assert_string_equal(timers.sla, "met");
    assert_int_equal(timers.response_due_ms, 0);
    assert_int_equal(hl_timers_due(&inbox, &wait), 0);
    wait.first_response_ms = 1001 + 10 * MINUTE;
    hl_timers_make(&inbox, &wait, 20 * MINUTE, &timers);
    assert_string_equal(timers.sla, "breached");
    wait.first_response_ms = 0;
    hl_timers_make(&inbox, &wait, 20 * MINUTE, &timers);
    assert_string_equal(timers.sla, "none");
}

static void no_goal_no_verdict(void **state)
{
    struct hl_index_wait wait = {.opened_ms = 1000, .waiting_since_ms = 1000};
    struct hl_timers timers;
    (void)state;
    hl_timers_make(NULL, &wait, 20 * MINUTE, &timers);
    assert_string_equal(timers.sla, "none");
    assert_int_equal(timers.first_response_due_ms, 0);
    assert_int_equal(hl_timers_due(NULL, &wait), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waits_for_the_first_answer),
        cmocka_unit_test(who_waits_for_another_answer),
        cmocka_unit_test(nobody_waits),
        cmocka_unit_test(no_goal_no_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
