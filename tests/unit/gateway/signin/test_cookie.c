/* gateway/signin/cookie.h */
#include "gateway/signin/cookie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/fake_exchange.h"

static void finds(const char *header, const char *wanted)
{
    struct hl_bytes value = hl_cookie_find(hl_bytes_of(header), "session");
    assert_true(hl_bytes_is(value, wanted));
}

static void test_find(void **state)
{
    (void)state;
    finds("", "");
    finds("session=abc", "abc");
    finds("a=1; session=abc; b=2", "abc");
    finds("a=1;session=abc", "abc");
    finds(" session = \"abc\" ;", "abc");
    finds("session=a=b==", "a=b==");
    finds("Session=abc", "");
    finds("xsession=abc; session2=x; =session; session", "");
    finds("session=one; session=two", ""); /* planted beside it */
    finds("session=one; a; session=one", "");
    finds("session=", "");
    finds(";;;session=x;;;", "x");
    finds("session=\"", "\"");
}

static void test_set(void **state)
{
    struct hl_fake_exchange exchange;
    struct hl_cookie cookie = {.name = "__Host-session",
                               .value = hl_bytes_of("v4.local.x"),
                               .life_s = 60,
                               .is_secure = true};
    (void)state;
    hl_fake_exchange_init(&exchange, HL_GET, "/");
    hl_cookie_set(&exchange.exchange, &cookie);
    assert_string_equal(
        hl_fake_exchange_header(&exchange, "set-cookie"),
        "__Host-session=v4.local.x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure");
    hl_fake_exchange_fini(&exchange);

    cookie = (struct hl_cookie){.name = "signin", .comes_from_links = true, .life_s = 9};
    hl_fake_exchange_init(&exchange, HL_GET, "/");
    hl_cookie_set(&exchange.exchange, &cookie);
    assert_string_equal(hl_fake_exchange_header(&exchange, "set-cookie"),
                        "signin=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    hl_fake_exchange_fini(&exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
