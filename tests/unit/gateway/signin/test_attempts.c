/* gateway/signin/attempts.h */
#include "gateway/signin/attempts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_waits_after_many(void **state)
{
    struct hl_attempts *attempts;
    struct hl_bytes address = hl_bytes_of("192.0.2.1");
    struct hl_bytes other = hl_bytes_of("192.0.2.2");
    uint64_t now = 1000000;
    (void)state;
    assert_int_equal(hl_attempts_create(&attempts), 0);
    for (int i = 0; i < HL_ATTEMPTS_AT_ONCE; i++) {
        assert_int_equal(hl_attempts_wait_ms(attempts, address, now), 0);
        hl_attempts_fail(attempts, address, now);
    }
    assert_int_equal(hl_attempts_wait_ms(attempts, address, now), HL_ATTEMPTS_EVERY_MS);
    for (int i = 0; i < 100; i++) /* what is refused does not make the wait longer for ever */
        hl_attempts_fail(attempts, address, now);
    assert_int_equal(hl_attempts_wait_ms(attempts, address, now), HL_ATTEMPTS_EVERY_MS);
    assert_int_equal(hl_attempts_wait_ms(attempts, other, now), 0);
    now += HL_ATTEMPTS_EVERY_MS;
    assert_int_equal(hl_attempts_wait_ms(attempts, address, now), 0);
    hl_attempts_destroy(attempts);
}

static void test_a_network_is_one_address(void **state)
{
    struct hl_attempts *attempts;
    (void)state;
    assert_int_equal(hl_attempts_create(&attempts), 0);
    for (int i = 0; i < HL_ATTEMPTS_AT_ONCE; i++)
        hl_attempts_fail(attempts, hl_bytes_of("2001:db8:1:2::1"), 5);
    assert_true(hl_attempts_wait_ms(attempts, hl_bytes_of("2001:db8:1:2:ffff::9"), 5) > 0);
    assert_int_equal(hl_attempts_wait_ms(attempts, hl_bytes_of("2001:db8:1:3::1"), 5), 0);
    hl_attempts_destroy(attempts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_after_many),
        cmocka_unit_test(test_a_network_is_one_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
