#include "base/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

static void test_known_moments(void **state)
{
    char text[HL_MOMENT_TEXT_SIZE];

    (void)state;
    hl_moment_format(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    hl_moment_format(1709210096789, text);
    assert_string_equal(text, "2024-02-29T12:34:56.789Z");
    hl_moment_format(-1, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    hl_moment_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void test_agrees_with_the_c_library(void **state)
{
    (void)state;
    for (int64_t day = 0; day < 366 * 500; day += 13) {
        char text[HL_MOMENT_TEXT_SIZE];
        char expected[40];
        time_t seconds = (time_t)(day * 86400 + 86399);
        struct tm parts;
        hl_moment_format((int64_t)seconds * 1000 + 7, text);
        assert_non_null(gmtime_r(&seconds, &parts));
        assert_true(strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.007Z", &parts) > 0);
        assert_string_equal(text, expected);
    }
}

static void test_reads_what_it_writes(void **state)
{
    (void)state;
    for (int64_t ms = 12345; ms < INT64_C(253402300799999); ms += INT64_C(86399876543)) {
        char text[HL_MOMENT_TEXT_SIZE];
        int64_t read = 0;
        hl_moment_format(ms, text);
        assert_int_equal(hl_moment_parse(hl_bytes_of(text), &read), 0);
        assert_int_equal(read, ms);
    }
}

static void test_reads_offsets_and_refuses_the_rest(void **state)
{
    static const char *const wrong[] = {
        "",
        "2026-11-23",
        "2026-11-23T13:37:05",
        "2026-11-23 13:37:05Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-11-00T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T13:37:05.Z",
        "2026-11-23T13:37:05Z ",
        "2026-11-23T13:37:05+1:00",
        "2026-11-23T13:37:05+01:00Z",
    };
    int64_t ms = 0;
    (void)state;
    assert_int_equal(hl_moment_parse(hl_bytes_of("1970-01-01T01:00:00.5+01:00"), &ms), 0);
    assert_int_equal(ms, 500);
    assert_int_equal(hl_moment_parse(hl_bytes_of("1970-01-01t00:00:00.123456-00:30"), &ms), 0);
    assert_int_equal(ms, 1800123);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(hl_moment_parse(hl_bytes_of(wrong[i]), &ms), HL_MOMENT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_moments),
        cmocka_unit_test(test_agrees_with_the_c_library),
        cmocka_unit_test(test_reads_what_it_writes),
        cmocka_unit_test(test_reads_offsets_and_refuses_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
