#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_views(void **state)
{
    (void)state;
    assert_true(hl_bytes_is(hl_bytes_of("abc"), "abc"));
    assert_false(hl_bytes_is(hl_bytes_of("abc"), "abd"));
    assert_false(hl_bytes_is(hl_bytes_of("abc"), "ab"));
    assert_true(hl_bytes_is(hl_bytes_trim(hl_bytes_of(" \t a b\t ")), "a b"));
    assert_true(hl_bytes_is(hl_bytes_trim(hl_bytes_of(" \t ")), ""));
    assert_int_equal(hl_bytes_trim((struct hl_bytes){0}).size, 0);
    assert_true(hl_bytes_equal((struct hl_bytes){NULL, 0}, hl_bytes_of("")));
}

static void test_appends(void **state)
{
    struct hl_buffer buffer;

    (void)state;
    hl_buffer_init(&buffer, 1000);
    hl_buffer_append_text(&buffer, "a");
    hl_buffer_append(&buffer, NULL, 0);
    hl_buffer_append_u64(&buffer, 0);
    hl_buffer_append_u64(&buffer, UINT64_MAX);
    hl_buffer_append_i64(&buffer, INT64_MIN);
    hl_buffer_append_i64(&buffer, 7);
    hl_buffer_printf(&buffer, "<%s %d>", "x", -3);
    assert_true(
        hl_bytes_is(hl_buffer_bytes(&buffer), "a018446744073709551615-92233720368547758087<x -3>"));
    char longer[400];
    memset(longer, 'y', sizeof(longer));
    hl_buffer_clear(&buffer);
    hl_buffer_printf(&buffer, "%.*s", (int)sizeof(longer), longer);
    assert_int_equal(buffer.size, sizeof(longer));
    hl_buffer_fini(&buffer);
    hl_buffer_fini(&buffer);
}

static void test_failure_is_sticky(void **state)
{
    struct hl_buffer buffer;

    (void)state;
    hl_buffer_init(&buffer, 100);
    for (int i = 0; i < 100; i++)
        hl_buffer_append(&buffer, "z", 1);
    assert_false(hl_buffer_failed(&buffer));
    hl_buffer_append(&buffer, "z", 1);
    assert_true(hl_buffer_failed(&buffer));
    assert_int_equal(buffer.size, 100);
    hl_buffer_clear(&buffer);
    assert_false(hl_buffer_failed(&buffer));
    char large[101] = {0};
    hl_buffer_append(&buffer, large, sizeof(large));
    hl_buffer_append(&buffer, "z", 1);
    assert_true(hl_buffer_failed(&buffer));
    assert_int_equal(buffer.size, 0);
    hl_buffer_fini(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_appends),
        cmocka_unit_test(test_failure_is_sticky),
    };

    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
