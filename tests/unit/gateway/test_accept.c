/* gateway/web/accept.h: lists as browsers, caches and careless clients send them. */
#include "gateway/web/accept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool takes_gzip(const char *value)
{
    return hl_accept_has(hl_bytes_of(value), "gzip");
}

static void test_codings(void **state)
{
    (void)state;
    assert_true(takes_gzip("gzip"));
    assert_true(takes_gzip("gzip, deflate, br, zstd"));
    assert_true(takes_gzip("br;q=1.0, GZIP;q=0.5"));
    assert_true(takes_gzip("br,\tgzip ; q=0.001"));
    assert_false(takes_gzip(""));
    assert_false(takes_gzip("br"));
    assert_false(takes_gzip("x-gzip"));
    assert_false(takes_gzip("gzip;q=0"));
    assert_false(takes_gzip("gzip; q=0.000, br"));
    assert_false(takes_gzip("identity;q=1, *;q=0"));
    assert_false(takes_gzip(";gzip,,"));
}

static void test_versions(void **state)
{
    (void)state;
    assert_true(hl_accept_etag(hl_bytes_of("\"a\""), "\"a\""));
    assert_true(hl_accept_etag(hl_bytes_of("\"b\", \"a\""), "\"a\""));
    assert_true(hl_accept_etag(hl_bytes_of("W/\"a\""), "\"a\""));
    assert_true(hl_accept_etag(hl_bytes_of(" * "), "\"a\""));
    assert_false(hl_accept_etag(hl_bytes_of(""), "\"a\""));
    assert_false(hl_accept_etag(hl_bytes_of("a"), "\"a\""));
    assert_false(hl_accept_etag(hl_bytes_of("\"a-gz\""), "\"a\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codings),
        cmocka_unit_test(test_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
