#include "agent-api/hours.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

enum { MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY };

static int64_t at(const char *text)
{
    struct tm utc = {0};
    assert_non_null(strptime(text, "%Y-%m-%dT%H:%M:%SZ", &utc));
    return (int64_t)timegm(&utc) * 1000;
}

#define assert_moment(ms, text) assert_int_equal(ms, at(text))

/* Monday to Friday, nine to five. */
static struct hl_inbox make_office(const char *time_zone)
{
    struct hl_inbox inbox = {.has_hours = true, .time_zone = time_zone, .n_week = 5};
    for (uint8_t day = MONDAY; day <= FRIDAY; day++)
        inbox.week[day] = (struct hl_open_range){day, 9 * 60, 17 * 60};
    return inbox;
}

static void no_hours_mean_always_open(void **state)
{
    struct hl_inbox inbox = {0};
    (void)state;
    assert_true(hl_hours_is_open(&inbox, 5));
    assert_int_equal(hl_hours_opens(&inbox, 5), 5);
    assert_int_equal(hl_hours_due(&inbox, 0, 10), 600000);
}

static void zones_are_checked(void **state)
{
    (void)state;
    assert_true(hl_hours_is_zone("Europe/Berlin"));
    assert_true(hl_hours_is_zone("UTC"));
    assert_true(hl_hours_is_zone("Asia/Kolkata"));
    assert_false(hl_hours_is_zone("Mars/Olympus"));
    assert_false(hl_hours_is_zone("GMT+5:17"));
    assert_false(hl_hours_is_zone(""));
}

static void a_working_day(void **state)
{
    struct hl_inbox inbox = make_office("Europe/Berlin"); /* UTC+1 in March, before the 29th */
    (void)state;
    assert_false(hl_hours_is_open(&inbox, at("2026-03-02T07:59:59Z")));
    assert_true(hl_hours_is_open(&inbox, at("2026-03-02T08:00:00Z")));
    assert_true(hl_hours_is_open(&inbox, at("2026-03-02T15:59:59Z")));
    assert_false(hl_hours_is_open(&inbox, at("2026-03-02T16:00:00Z")));
    assert_moment(hl_hours_opens(&inbox, at("2026-03-02T16:00:00Z")), "2026-03-03T08:00:00Z");
    assert_moment(hl_hours_opens(&inbox, at("2026-03-06T16:00:00Z")), "2026-03-09T08:00:00Z");
    assert_moment(hl_hours_due(&inbox, at("2026-03-02T09:00:00Z"), 30), "2026-03-02T09:30:00Z");
    /* half an hour before the end of Friday: the rest on Monday */
    assert_moment(hl_hours_due(&inbox, at("2026-03-06T15:30:00Z"), 60), "2026-03-09T08:30:00Z");
    assert_moment(hl_hours_due(&inbox, at("2026-03-07T12:00:00Z"), 15), "2026-03-09T08:15:00Z");
    /* exactly to the end of the day */
    assert_moment(hl_hours_due(&inbox, at("2026-03-02T08:00:00Z"), 480), "2026-03-02T16:00:00Z");
}

static void the_clock_is_put_forward(void **state)
{
    struct hl_inbox inbox = {.has_hours = true, .time_zone = "Europe/Berlin", .n_week = 1};
    inbox.week[0] = (struct hl_open_range){SUNDAY, 0, 1440};
    (void)state;
    /* 29 March 2026 has 23 hours, from 28 March 23:00 UTC on */
    assert_moment(hl_hours_opens(&inbox, at("2026-03-28T12:00:00Z")), "2026-03-28T23:00:00Z");
    assert_moment(hl_hours_due(&inbox, at("2026-03-28T12:00:00Z"), 23 * 60),
                  "2026-03-29T22:00:00Z");
    assert_moment(hl_hours_due(&inbox, at("2026-03-28T12:00:00Z"), 23 * 60 + 1),
                  "2026-04-04T22:01:00Z");
    /* an hour that does not exist on that day gives no time */
    inbox.week[0] = (struct hl_open_range){SUNDAY, 2 * 60, 3 * 60};
    assert_moment(hl_hours_due(&inbox, at("2026-03-28T12:00:00Z"), 10), "2026-04-05T00:10:00Z");
}

static void the_clock_is_put_back(void **state)
{
    struct hl_inbox inbox = {.has_hours = true, .time_zone = "America/New_York", .n_week = 1};
    inbox.week[0] = (struct hl_open_range){SUNDAY, 0, 1440};
    (void)state;
    /* 1 November 2026 has 25 hours, from 04:00 UTC on */
    assert_moment(hl_hours_due(&inbox, at("2026-11-01T00:00:00Z"), 25 * 60),
                  "2026-11-02T05:00:00Z");
    assert_moment(hl_hours_due(&inbox, at("2026-11-01T00:00:00Z"), 60), "2026-11-01T05:00:00Z");
}

static void hours_over_midnight(void **state)
{
    struct hl_inbox inbox = {.has_hours = true, .time_zone = "Asia/Kolkata", .n_week = 2};
    inbox.week[0] = (struct hl_open_range){FRIDAY, 22 * 60, 1440};
    inbox.week[1] = (struct hl_open_range){SATURDAY, 0, 6 * 60};
    (void)state;
    /* UTC+5:30: from Friday 16:30 to Saturday 00:30 UTC */
    assert_true(hl_hours_is_open(&inbox, at("2026-03-06T18:29:59Z")));
    assert_true(hl_hours_is_open(&inbox, at("2026-03-06T18:30:00Z")));
    assert_moment(hl_hours_due(&inbox, at("2026-03-06T16:30:00Z"), 8 * 60), "2026-03-07T00:30:00Z");
    assert_moment(hl_hours_due(&inbox, at("2026-03-06T16:30:00Z"), 8 * 60 + 1),
                  "2026-03-13T16:31:00Z");
}

static void holidays_are_closed(void **state)
{
    struct hl_inbox inbox = make_office("UTC");
    inbox.n_holidays = 2;
    inbox.holidays[0] = 20261225; /* a Friday */
    inbox.holidays[1] = 20261228;
    (void)state;
    assert_false(hl_hours_is_open(&inbox, at("2026-12-25T10:00:00Z")));
    assert_moment(hl_hours_opens(&inbox, at("2026-12-24T17:00:00Z")), "2026-12-29T09:00:00Z");
    assert_moment(hl_hours_due(&inbox, at("2026-12-24T16:30:00Z"), 60), "2026-12-29T09:30:00Z");
}

static void a_search_has_an_end(void **state)
{
    struct hl_inbox inbox = {.has_hours = true, .time_zone = "UTC"};
    (void)state;
    assert_int_equal(hl_hours_opens(&inbox, at("2026-03-02T08:00:00Z")), 0);
    assert_int_equal(hl_hours_due(&inbox, at("2026-03-02T08:00:00Z"), 1), 0);
    inbox = make_office("UTC");
    inbox.n_week = 1; /* one short range a week does not come to a year's work in a year */
    inbox.week[0].closed_min = (uint16_t)(inbox.week[0].open_min + 1);
    assert_int_equal(hl_hours_due(&inbox, at("2026-03-02T08:00:00Z"), 500000), 0);
    inbox.time_zone = "Mars/Olympus-that-is-longer-than-the-name-of-any-time-zone-there-can-be";
    assert_int_equal(hl_hours_opens(&inbox, 0), 0);
}

static void ranges_that_overlap_count_once(void **state)
{
    struct hl_inbox inbox = {.has_hours = true, .time_zone = "UTC", .n_week = 3};
    inbox.week[0] = (struct hl_open_range){MONDAY, 10 * 60, 12 * 60};
    inbox.week[1] = (struct hl_open_range){MONDAY, 9 * 60, 11 * 60};
    inbox.week[2] = (struct hl_open_range){MONDAY, 13 * 60, 14 * 60};
    (void)state;
    assert_moment(hl_hours_due(&inbox, at("2026-03-02T00:00:00Z"), 181), "2026-03-02T13:01:00Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_hours_mean_always_open),
        cmocka_unit_test(zones_are_checked),
        cmocka_unit_test(a_working_day),
        cmocka_unit_test(the_clock_is_put_forward),
        cmocka_unit_test(the_clock_is_put_back),
        cmocka_unit_test(hours_over_midnight),
        cmocka_unit_test(holidays_are_closed),
        cmocka_unit_test(a_search_has_an_end),
        cmocka_unit_test(ranges_that_overlap_count_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
