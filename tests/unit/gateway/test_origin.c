/* gateway/origin.h */
#include "gateway/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool is_allowed(const char *const *origins, size_t n, const char *origin, const char *host)
{
    return hl_origin_is_allowed(origins, n, hl_bytes_of(origin), hl_bytes_of(host));
}

static void allows_what_is_listed(void **state)
{
    static const char *const list[] = {"https://shop.example", "http://localhost:3000"};

    (void)state;
    assert_true(is_allowed(list, 2, "https://shop.example", "chat.example"));
    assert_true(is_allowed(list, 2, "HTTPS://Shop.Example", "chat.example"));
    assert_true(is_allowed(list, 2, "http://localhost:3000", "chat.example"));
    assert_false(is_allowed(list, 2, "http://shop.example", "chat.example"));
    assert_false(is_allowed(list, 2, "https://shop.example.evil", "chat.example"));
    assert_false(is_allowed(list, 2, "https://evil.shop.example", "chat.example"));
    assert_false(is_allowed(list, 2, "http://localhost:3001", "chat.example"));
    assert_false(is_allowed(list, 2, "null", "chat.example"));
    assert_false(is_allowed(list, 2, "", "chat.example"));
}

static void allows_the_own_host(void **state)
{
    (void)state;
    assert_true(is_allowed(NULL, 0, "https://chat.example", "chat.example"));
    assert_true(is_allowed(NULL, 0, "http://127.0.0.1:8080", "127.0.0.1:8080"));
    assert_false(is_allowed(NULL, 0, "http://127.0.0.1:8081", "127.0.0.1:8080"));
    assert_false(is_allowed(NULL, 0, "https://", ""));
    assert_false(is_allowed(NULL, 0, "chat.example", "chat.example"));
}

static void allows_any_only_if_told(void **state)
{
    static const char *const any[] = {"*"};
    static const char *const among[] = {"*", "https://shop.example"};

    (void)state;
    assert_true(is_allowed(any, 1, "https://whoever.example", "chat.example"));
    assert_false(is_allowed(among, 2, "https://whoever.example", "chat.example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allows_what_is_listed),
        cmocka_unit_test(allows_the_own_host),
        cmocka_unit_test(allows_any_only_if_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
