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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_moments),
        cmocka_unit_test(test_agrees_with_the_c_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
