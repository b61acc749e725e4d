/* gateway/wire_limits.h: who is let in, and who must wait. */
#include "gateway/wire_limits.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct hl_limits_key key_of(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return hl_limits_key_of((struct sockaddr *)&v4);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return hl_limits_key_of((struct sockaddr *)&v6);
}

static bool is_one_address(const char *a, const char *b)
{
    struct hl_limits_key x = key_of(a);
    struct hl_limits_key y = key_of(b);

    return memcmp(&x, &y, sizeof(x)) == 0;
}

static void counts_networks_of_ipv6(void **state)
{
    (void)state;
    assert_true(is_one_address("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
    assert_false(is_one_address("2001:db8:1:2::1", "2001:db8:1:3::1"));
    assert_false(is_one_address("192.0.2.1", "192.0.2.2"));
    assert_true(is_one_address("192.0.2.1", "::ffff:192.0.2.1"));
    assert_false(is_one_address("::ffff:192.0.2.1", "::ffff:192.0.2.2"));
}

static void tells_addresses_as_text(void **state)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    char text[46];

    (void)state;
    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.1", &v6.sin6_addr), 1);
    hl_limits_address_text((struct sockaddr *)&v6, text, sizeof(text));
    assert_string_equal(text, "192.0.2.1");
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &v6.sin6_addr), 1);
    hl_limits_address_text((struct sockaddr *)&v6, text, sizeof(text));
    assert_string_equal(text, "2001:db8::1");
}

static struct hl_wire_shared *create_shared(const struct hl_wire_limits *limits)
{
    struct hl_wire_shared *shared = NULL;

    assert_int_equal(hl_wire_shared_create(limits, &shared), 0);
    return shared;
}

static void refuses_the_newcomer(void **state)
{
    struct hl_wire_limits limits = hl_wire_limits_default;
    struct hl_wire_shared *shared;
    struct hl_limits_key a = key_of("192.0.2.1");
    struct hl_limits_key b = key_of("192.0.2.2");
    struct hl_wire_stats stats;

    (void)state;
    limits.connections_max = 3;
    limits.connections_per_address_max = 2;
    shared = create_shared(&limits);
    assert_int_equal(hl_limits_admit(shared, &a, false, 1), HL_ADMITTED);
    assert_int_equal(hl_limits_admit(shared, &a, false, 1), HL_ADMITTED);
    assert_int_equal(hl_limits_admit(shared, &a, false, 1), HL_ADMISSION_ADDRESS);
    assert_int_equal(hl_limits_admit(shared, &b, false, 1), HL_ADMITTED);
    assert_int_equal(hl_limits_admit(shared, &b, false, 1), HL_ADMISSION_TOTAL);
    hl_limits_release(shared, &a);
    assert_int_equal(hl_limits_admit(shared, &b, false, 1), HL_ADMITTED);
    hl_wire_shared_stats(shared, &stats);
    assert_int_equal(stats.connections, 3);
    assert_int_equal(stats.accepted, 4);
    assert_int_equal(stats.refused_address, 1);
    assert_int_equal(stats.refused_total, 1);
    hl_wire_shared_destroy(shared);
}

static void bounds_the_rate_of_connections(void **state)
{
    struct hl_wire_limits limits = hl_wire_limits_default;
    struct hl_wire_shared *shared;
    struct hl_limits_key a = key_of("192.0.2.1");

    (void)state;
    limits.accepts_per_s = 10;
    shared = create_shared(&limits);
    for (int i = 0; i < 10; i++)
        assert_int_equal(hl_limits_admit(shared, &a, false, 1000), HL_ADMITTED);
    assert_int_equal(hl_limits_admit(shared, &a, false, 1000), HL_ADMISSION_RATE);
    assert_int_equal(hl_limits_admit(shared, &a, false, 1099), HL_ADMISSION_RATE);
    assert_int_equal(hl_limits_admit(shared, &a, false, 1100), HL_ADMITTED);
    assert_int_equal(hl_limits_admit(shared, &a, false, 1100), HL_ADMISSION_RATE);
    hl_wire_shared_destroy(shared);
}

static void bounds_requests_across_connections(void **state)
{
    struct hl_wire_limits limits = hl_wire_limits_default;
    struct hl_wire_shared *shared;
    struct hl_limits_key a = key_of("192.0.2.1");
    uint32_t retry_ms = 0;

    (void)state;
    limits.requests_per_address_per_s = 10;
    limits.requests_burst = 3;
    shared = create_shared(&limits);
    assert_int_equal(hl_limits_admit(shared, &a, false, 1000), HL_ADMITTED);
    for (int i = 0; i < 3; i++)
        assert_int_equal(hl_limits_request(shared, &a, 1000, &retry_ms), 0);
    assert_int_equal(hl_limits_request(shared, &a, 1000, &retry_ms), HL_LIMITS_TOO_FAST);
    assert_int_equal(retry_ms, 100);
    hl_limits_release(shared, &a); /* coming back does not fill the bucket */
    assert_int_equal(hl_limits_admit(shared, &a, false, 1001), HL_ADMITTED);
    assert_int_equal(hl_limits_request(shared, &a, 1001, &retry_ms), HL_LIMITS_TOO_FAST);
    assert_int_equal(hl_limits_request(shared, &a, 1001 + retry_ms, &retry_ms), 0);
    assert_int_equal(hl_limits_request(shared, &a, 999999, &retry_ms), 0);
    hl_wire_shared_destroy(shared);
}

static void forgets_the_oldest_addresses(void **state)
{
    struct hl_wire_limits limits = hl_wire_limits_default;
    struct hl_wire_shared *shared;
    struct hl_wire_stats stats;

    (void)state;
    limits.accepts_per_s = 0;
    shared = create_shared(&limits);
    for (uint32_t i = 0; i < 100000; i++) {
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr = {htonl(i)}};
        struct hl_limits_key key = hl_limits_key_of((struct sockaddr *)&v4);

        assert_int_equal(hl_limits_admit(shared, &key, false, i), HL_ADMITTED);
        hl_limits_release(shared, &key);
    }
    hl_wire_shared_stats(shared, &stats);
    assert_int_equal(stats.connections, 0);
    assert_int_equal(stats.accepted, 100000);
    hl_wire_shared_destroy(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_networks_of_ipv6),
        cmocka_unit_test(tells_addresses_as_text),
        cmocka_unit_test(refuses_the_newcomer),
        cmocka_unit_test(bounds_the_rate_of_connections),
        cmocka_unit_test(bounds_requests_across_connections),
        cmocka_unit_test(forgets_the_oldest_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
