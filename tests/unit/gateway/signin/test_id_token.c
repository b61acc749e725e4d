/* gateway/signin/id_token.h: each claim that must be right, wrong once. */
#include "gateway/signin/id_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct hl_id_token_wanted wanted = {
    .issuer = "https://id.example", .client = "holdline", .nonce = "n-1", .now_s = 1700000000};

static const char good[] =
    "{\"iss\":\"https://id.example\",\"aud\":\"holdline\",\"nonce\":\"n-1\",\"sub\":\"s-1\","
    "\"exp\":1700000300,\"iat\":1699999990,\"email\":\"Ann@Example.com\",\"email_verified\":true}";

/* The good claims with one member replaced by JSON text, or (NULL) left out. */
static int check_with(const char *name, const char *value, struct hl_id_token_person *person)
{
    json_t *claims = NULL;
    json_t *member = NULL;
    const char *why = NULL;
    assert_int_equal(hl_json_parse(hl_bytes_of(good), NULL, 0, &claims), 0);
    if (value != NULL) {
        assert_int_equal(hl_json_parse(hl_bytes_of(value), NULL, 0, &member), 0);
        assert_int_equal(json_object_set_new(claims, name, member), 0);
    } else {
        json_object_del(claims, name);
    }
    int r = hl_id_token_check(claims, &wanted, person, &why);
    assert_true((r == 0) == (why == NULL));
    json_decref(claims);
    return r;
}

static void test_good(void **state)
{
    static const char *const fine[][2] = {
        {"aud", "[\"holdline\"]"}, {"azp", "\"holdline\""}, {"nbf", "1700000050"},
        {"exp", "1699999941"}, /* clocks differ by less than a minute */
        {"iat", "1700000059"},     {"name", "\"Ann\""},     {"more", "{}"},
    };
    struct hl_id_token_person person;
    (void)state;
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
        assert_int_equal(check_with(fine[i][0], fine[i][1], &person), 0);
}

static void test_refused(void **state)
{
    static const char *const bad[][2] = {
        {"iss", NULL},
        {"iss", "\"https://id.example/\""},
        {"iss", "\"https://evil.example\""},
        {"aud", NULL},
        {"aud", "\"other\""},
        {"aud", "[]"},
        {"aud", "[\"other\"]"},
        {"aud", "[\"holdline\",\"other\"]"}, /* several, and nobody says for whom */
        {"aud", "{\"holdline\":true}"},
        {"azp", "\"other\""},
        {"azp", "7"},
        {"nonce", NULL},
        {"nonce", "\"n-2\""},
        {"nonce", "\"\""},
        {"sub", NULL},
        {"sub", "\"\""},
        {"sub", "17"},
        {"exp", NULL},
        {"exp", "1699999940"},
        {"exp", "\"1700000300\""},
        {"exp", "-1"},
        {"exp", "1e300"},
        {"iat", NULL},
        {"iat", "1700000061"},
        {"iat", "1699999399"}, /* of an older sign-in */
        {"nbf", "1700000061"},
        {"nbf", "\"soon\""},
    };
    struct hl_id_token_person person;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(check_with(bad[i][0], bad[i][1], &person), HL_ID_TOKEN_REFUSED);
}

static void test_addresses(void **state)
{
    struct hl_id_token_person person;
    (void)state;
    assert_int_equal(check_with("email", NULL, &person), HL_ID_TOKEN_NO_EMAIL);
    assert_int_equal(check_with("email", "\"\"", &person), HL_ID_TOKEN_NO_EMAIL);
    assert_int_equal(check_with("email_verified", NULL, &person), HL_ID_TOKEN_NO_EMAIL);
    assert_int_equal(check_with("email_verified", "false", &person), HL_ID_TOKEN_NO_EMAIL);
    assert_int_equal(check_with("email_verified", "\"true\"", &person), HL_ID_TOKEN_NO_EMAIL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
