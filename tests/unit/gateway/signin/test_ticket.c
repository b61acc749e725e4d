/* gateway/signin/ticket.h */
#include "gateway/signin/ticket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const int64_t now = INT64_C(1700000000000);
static const struct hl_token_keys keys = {.n_keys = 1, .keys = {{.kid = "k1", .secret = {7}}}};

static void test_comes_back(void **state)
{
    char back_to[HL_TICKET_RETURN_SIZE];
    struct hl_ticket ticket;
    struct hl_ticket got;
    struct hl_buffer text;
    (void)state;
    memset(back_to, 'x', sizeof(back_to));
    back_to[0] = '/';
    back_to[sizeof(back_to) - 1] = '\0';
    hl_ticket_make(hl_random_system(), now, back_to, &ticket);
    hl_buffer_init(&text, HL_TICKET_TEXT_SIZE_MAX);
    assert_int_equal(hl_ticket_seal(&keys, hl_random_system(), &ticket, &text), 0);
    assert_int_equal(hl_ticket_open(&keys, now, hl_buffer_bytes(&text), &got), 0);
    assert_memory_equal(&got, &ticket, sizeof(ticket));
    assert_int_equal(hl_ticket_open(&keys, ticket.ends_ms, hl_buffer_bytes(&text), &got),
                     HL_TICKET_EXPIRED);
    text.data[text.size / 2] ^= 1;
    assert_int_equal(hl_ticket_open(&keys, now, hl_buffer_bytes(&text), &got), HL_TICKET_INVALID);
    hl_buffer_fini(&text);
}

/* RFC 7636 appendix B. */
static void test_challenge(void **state)
{
    struct hl_ticket ticket = {.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"};
    char challenge[HL_TICKET_CHALLENGE_SIZE];
    (void)state;
    hl_ticket_challenge(&ticket, challenge);
    assert_string_equal(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

static void test_paths(void **state)
{
    static const char *const bad[] = {
        "",
        "console",
        "//evil.example",
        "//evil.example/console/",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/console/\r\nset-cookie: a=b",
        "/con sole/",
        "/\tevil",
        "/k\xc3\xa4se",
        "/\"",
        "/console/\\..\\",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(hl_ticket_is_path(bad[i]));
    assert_true(hl_ticket_is_path("/"));
    assert_true(hl_ticket_is_path("/console/"));
    assert_true(hl_ticket_is_path("/console/#/queue?status=open&a=%20"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_back),
        cmocka_unit_test(test_challenge),
        cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
