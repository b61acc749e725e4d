/* gateway/forwarded.h: whose word is taken, and what of it. */
#include "gateway/forwarded.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct in6_addr address_of(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return hl_forwarded_peer((struct sockaddr *)&v4);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return hl_forwarded_peer((struct sockaddr *)&v6);
}

static struct hl_networks networks_of(const char *text)
{
    struct hl_networks networks;
    assert_int_equal(hl_networks_parse(text, &networks), 0);
    return networks;
}

static bool has(const char *networks, const char *address)
{
    struct hl_networks parsed = networks_of(networks);
    struct in6_addr at = address_of(address);
    return hl_networks_has(&parsed, &at);
}

static void test_networks(void **state)
{
    (void)state;
    assert_true(has("127.0.0.1", "127.0.0.1"));
    assert_true(has("127.0.0.1", "::ffff:127.0.0.1"));
    assert_false(has("127.0.0.1", "127.0.0.2"));
    assert_true(has("10.0.0.0/8", "10.255.1.2"));
    assert_false(has("10.0.0.0/8", "11.0.0.1"));
    assert_true(has("192.0.2.128/25", "192.0.2.200"));
    assert_false(has("192.0.2.128/25", "192.0.2.100"));
    assert_true(has("::1, 2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(has("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(has("0.0.0.0/0", "203.0.113.9"));
    assert_false(has("0.0.0.0/0", "2001:db8::1"));
    assert_true(has("::/0", "203.0.113.9"));
    assert_false(has("", "127.0.0.1"));
}

static void test_what_is_no_network(void **state)
{
    static const char *const bad[] = {",",
                                      "x",
                                      "10.0.0.0/33",
                                      "10.0.0.0/",
                                      "10.0.0.0/a",
                                      "10.0.0",
                                      "::/129",
                                      "10.0.0.0/-1",
                                      "127.0.0.1,,::1",
                                      "/8",
                                      "10.0.0.0/8/8",
                                      "localhost",
                                      "10.0.0.0/1000"};
    struct hl_networks networks;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(hl_networks_parse(bad[i], &networks), HL_NETWORKS_INVALID);
    }
}

static void finds(enum hl_forwarded_header header, const char *line, const char *line_after,
                  const char *wanted)
{
    const struct hl_networks trusted = networks_of("127.0.0.1,10.0.0.0/8,2001:db8:ffff::/48");
    struct hl_forwarded forwarded = {.n_lines = line_after != NULL ? 2 : 1,
                                     .lines = {hl_bytes_of(line)}};
    char text[INET6_ADDRSTRLEN];
    if (line_after != NULL)
        forwarded.lines[1] = hl_bytes_of(line_after);
    struct in6_addr peer = address_of("127.0.0.1");
    struct in6_addr client = hl_forwarded_client(&trusted, &peer, header, &forwarded);
    struct in6_addr want = address_of(wanted);
    assert_non_null(inet_ntop(AF_INET6, &client, text, sizeof(text)));
    if (memcmp(&client, &want, sizeof(want)) != 0)
        fail_msg("%s: %s, not %s", line, text, wanted);
}

static void test_x_forwarded_for(void **state)
{
    const enum hl_forwarded_header header = HL_FORWARDED_X_FORWARDED_FOR;
    (void)state;
    finds(header, "192.0.2.1", NULL, "192.0.2.1");
    finds(header, "198.51.100.7, 192.0.2.1", NULL, "192.0.2.1"); /* the left one is a claim */
    finds(header, "192.0.2.1, 10.1.2.3", NULL, "192.0.2.1");     /* two proxies of ours */
    finds(header, "192.0.2.1, 10.1.2.3,10.9.9.9", "127.0.0.1", "192.0.2.1");
    finds(header, "6.6.6.6", "192.0.2.1", "192.0.2.1"); /* the client's own line comes first */
    finds(header, "10.1.2.3", NULL, "10.1.2.3");        /* a client within the network */
    finds(header, "192.0.2.1:4711", NULL, "192.0.2.1");
    finds(header, "2001:db8::7", NULL, "2001:db8::7");
    finds(header, "[2001:db8::7]:443", NULL, "2001:db8::7");
    finds(header, "2001:db8::7, 2001:db8:ffff::1", NULL, "2001:db8::7");
    /* what cannot be read: then the proxy that wrote it is all that is known */
    finds(header, "", NULL, "127.0.0.1");
    finds(header, "unknown", NULL, "127.0.0.1");
    finds(header, "192.0.2.1, unknown, 10.1.2.3", NULL, "10.1.2.3");
    finds(header, "192.0.2.1,", NULL, "127.0.0.1");
    finds(header, "[2001:db8::7", NULL, "127.0.0.1");
    finds(header, "192.0.2.1 10.0.0.1", NULL, "127.0.0.1");
    finds(header, "for=192.0.2.1", NULL, "127.0.0.1");
}

static void test_forwarded(void **state)
{
    const enum hl_forwarded_header header = HL_FORWARDED_FORWARDED;
    (void)state;
    finds(header, "for=192.0.2.1", NULL, "192.0.2.1");
    finds(header, "For=\"192.0.2.1:80\";proto=https;by=10.0.0.1", NULL, "192.0.2.1");
    finds(header, "proto=http; for=\"[2001:db8::7]:4711\"", NULL, "2001:db8::7");
    finds(header, "for=6.6.6.6, for=192.0.2.1, for=10.0.0.7", NULL, "192.0.2.1");
    finds(header, "for=192.0.2.1;x=\"a, for=6.6.6.6\"", NULL, "192.0.2.1"); /* within quotes */
    finds(header, "for=unknown", NULL, "127.0.0.1");
    finds(header, "for=_hidden", NULL, "127.0.0.1");
    finds(header, "proto=https", NULL, "127.0.0.1");
    finds(header, "192.0.2.1", NULL, "127.0.0.1");
    finds(header, "for=\"192.0.2.1", NULL, "127.0.0.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_what_is_no_network),
        cmocka_unit_test(test_x_forwarded_for),
        cmocka_unit_test(test_forwarded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
