/* gateway/signin/jose.h: what a signature is believed for, and what is not. */
#include "gateway/signin/jose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjose/cjose.h>
#include <cmocka.h>

enum { SET_SIZE = 16384, TOKEN_SIZE = 4096 };

static const char claims_text[] = "{\"sub\":\"s-1\"}";

struct fixture {
    cjose_jwk_t *rsa, *other_rsa, *ec, *small;
    struct hl_jose_keys *keys; /* rsa as "r", ec as "e", small as "s" */
    char set[SET_SIZE];
};

static void add_key(char *set, cjose_jwk_t *jwk, const char *kid, const char *more)
{
    cjose_err error;
    char *text = cjose_jwk_to_json(jwk, false, &error);
    size_t size = strlen(set);
    assert_non_null(text);
    assert_int_equal(text[0], '{');
    int n = snprintf(set + size, SET_SIZE - size, "%s{\"kid\":\"%s\",%s%s",
                     size > strlen("{\"keys\":[") ? "," : "", kid, more, text + 1);
    assert_true(n > 0 && (size_t)n < SET_SIZE - size);
    cjose_get_dealloc()(text);
}

static int make_fixture(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    cjose_err error;
    const uint8_t exponent[] = {1, 0, 1};
    assert_non_null(f);
    f->rsa = cjose_jwk_create_RSA_random(2048, exponent, sizeof(exponent), &error);
    f->other_rsa = cjose_jwk_create_RSA_random(2048, exponent, sizeof(exponent), &error);
    f->small = cjose_jwk_create_RSA_random(1024, exponent, sizeof(exponent), &error);
    f->ec = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &error);
    assert_true(f->rsa != NULL && f->other_rsa != NULL && f->small != NULL && f->ec != NULL);
    strncat(f->set, "{\"keys\":[", SET_SIZE - 1);
    add_key(f->set, f->rsa, "r", "\"use\":\"sig\",");
    add_key(f->set, f->ec, "e", "\"alg\":\"ES256\",");
    add_key(f->set, f->small, "s", "");
    add_key(f->set, f->other_rsa, "encryption", "\"use\":\"enc\",");
    strncat(f->set, ",{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"o\"},{},7]}", 48);
    assert_int_equal(hl_jose_keys_parse(hl_bytes_of(f->set), &f->keys), 0);
    assert_int_equal(hl_jose_n_keys(f->keys), 2);
    *state = f;
    return 0;
}

static int drop_fixture(void **state)
{
    struct fixture *f = *state;
    hl_jose_keys_free(f->keys);
    cjose_jwk_release(f->rsa);
    cjose_jwk_release(f->other_rsa);
    cjose_jwk_release(f->small);
    cjose_jwk_release(f->ec);
    free(f);
    return 0;
}

static void sign(cjose_jwk_t *jwk, const char *algorithm, const char *kid, char *out_token)
{
    cjose_err error;
    const char *text = NULL;
    cjose_header_t *header = cjose_header_new(&error);
    assert_true(cjose_header_set(header, CJOSE_HDR_ALG, algorithm, &error));
    if (kid != NULL)
        assert_true(cjose_header_set(header, CJOSE_HDR_KID, kid, &error));
    cjose_jws_t *jws =
        cjose_jws_sign(jwk, header, (const uint8_t *)claims_text, strlen(claims_text), &error);
    assert_non_null(jws);
    assert_true(cjose_jws_export(jws, &text, &error));
    (void)snprintf(out_token, TOKEN_SIZE, "%s", text);
    cjose_jws_release(jws);
    cjose_header_release(header);
}

static int verify(const struct fixture *f, const char *token)
{
    json_t *claims = NULL;
    int r = hl_jose_verify(f->keys, hl_bytes_of(token), &claims);
    if (r == 0)
        assert_string_equal(json_string_value(json_object_get(claims, "sub")), "s-1");
    json_decref(claims);
    return r;
}

static void test_good_tokens(void **state)
{
    struct fixture *f = *state;
    char token[TOKEN_SIZE];
    sign(f->rsa, "RS256", "r", token);
    assert_int_equal(verify(f, token), 0);
    sign(f->rsa, "RS256", NULL, token); /* the only RSA key there is */
    assert_int_equal(verify(f, token), 0);
    sign(f->ec, "ES256", "e", token);
    assert_int_equal(verify(f, token), 0);
}

static void test_wrong_keys(void **state)
{
    struct fixture *f = *state;
    char token[TOKEN_SIZE];
    sign(f->other_rsa, "RS256", "r", token); /* says it is another's */
    assert_int_equal(verify(f, token), HL_JOSE_SIGNATURE);
    sign(f->rsa, "RS256", "new", token);
    assert_int_equal(verify(f, token), HL_JOSE_NO_KEY);
    sign(f->rsa, "RS256", "e", token); /* that name is an EC key's */
    assert_int_equal(verify(f, token), HL_JOSE_NO_KEY);
    sign(f->small, "RS256", "s", token);
    assert_int_equal(verify(f, token), HL_JOSE_NO_KEY);
    sign(f->other_rsa, "RS256", "encryption", token);
    assert_int_equal(verify(f, token), HL_JOSE_NO_KEY);
}

static void test_other_algorithms(void **state)
{
    struct fixture *f = *state;
    char token[TOKEN_SIZE];
    cjose_err error;
    /* the published key as the secret of an HMAC */
    cjose_jwk_t *shared = cjose_jwk_create_oct_spec((const uint8_t *)f->set, 64, &error);
    sign(shared, "HS256", "r", token);
    assert_int_equal(verify(f, token), HL_JOSE_ALGORITHM);
    cjose_jwk_release(shared);
    sign(f->rsa, "RS512", "r", token);
    assert_int_equal(verify(f, token), HL_JOSE_ALGORITHM);
    sign(f->rsa, "PS256", "r", token);
    assert_int_equal(verify(f, token), HL_JOSE_ALGORITHM);
    /* {"alg":"none"} . {"sub":"s-1"} */
    assert_int_equal(verify(f, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzLTEifQ."), HL_JOSE_ALGORITHM);
    /* {"alg":"RS256","crit":["x"]} */
    assert_int_equal(verify(f, "eyJhbGciOiJSUzI1NiIsImNyaXQiOlsieCJdfQ.e30.AAAA"),
                     HL_JOSE_ALGORITHM);
}

static void test_any_change_is_seen(void **state)
{
    struct fixture *f = *state;
    char token[TOKEN_SIZE];
    sign(f->ec, "ES256", "e", token);
    size_t size = strlen(token);
    for (size_t i = 0; i < size; i++) {
        char before = token[i];
        token[i] = before == 'A' ? 'B' : 'A';
        /* of the last character two bits are padding */
        assert_true(verify(f, token) != 0 || i == size - 1);
        token[i] = before;
    }
    for (size_t cut = 0; cut < size; cut++) {
        json_t *claims = NULL;
        assert_true(hl_jose_verify(f->keys, (struct hl_bytes){token, cut}, &claims) > 0);
    }
    strncat(token, ".AAAA", 8);
    assert_int_equal(verify(f, token), HL_JOSE_INVALID);
}

static void test_key_sets(void **state)
{
    static const char *const bad[] = {"", "{}", "[]", "{\"keys\":{}}", "{\"keys\":[}", "null"};
    struct hl_jose_keys *keys = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(hl_jose_keys_parse(hl_bytes_of(bad[i]), &keys), HL_JOSE_INVALID);
    assert_int_equal(hl_jose_keys_parse(hl_bytes_of("{\"keys\":[]}"), &keys), 0);
    json_t *claims = NULL;
    assert_int_equal(hl_jose_verify(keys, hl_bytes_of("eyJhbGciOiJSUzI1NiJ9.e30.AAAA"), &claims),
                     HL_JOSE_NO_KEY);
    hl_jose_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_tokens),      cmocka_unit_test(test_wrong_keys),
        cmocka_unit_test(test_other_algorithms), cmocka_unit_test(test_any_change_is_seen),
        cmocka_unit_test(test_key_sets),
    };
    return cmocka_run_group_tests(tests, make_fixture, drop_fixture);
}
