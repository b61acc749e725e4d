/* gateway/signin/pass.h */
#include "gateway/signin/pass.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const int64_t now = INT64_C(1700000000000);
static const struct hl_token_keys keys = {.n_keys = 1, .keys = {{.kid = "k1", .secret = {7}}}};

static struct hl_pass make_pass(void)
{
    struct hl_pass pass = {.began_ms = now, .sealed_ms = now};
    memset(pass.session.b, 1, sizeof(pass.session.b));
    memset(pass.agent.b, 2, sizeof(pass.agent.b));
    return pass;
}

static struct hl_buffer seal(const struct hl_pass *pass)
{
    struct hl_buffer text;
    hl_buffer_init(&text, HL_PASS_TEXT_SIZE_MAX);
    assert_int_equal(hl_pass_seal(&keys, hl_random_system(), pass, &text), 0);
    return text;
}

static void test_comes_back(void **state)
{
    struct hl_pass pass = make_pass();
    struct hl_pass got;
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct hl_buffer text = seal(&pass);
        assert_int_equal(hl_pass_open(&keys, now, hl_buffer_bytes(&text), &got), 0);
        assert_memory_equal(&got, &pass, sizeof(pass));
        hl_buffer_fini(&text);
        memset(pass.key.b, 3, sizeof(pass.key.b)); /* and with a key */
    }
}

static void test_ends(void **state)
{
    const int64_t life_ms = (int64_t)HL_PASS_LIFE_S * 1000;
    const int64_t longest_ms = (int64_t)HL_PASS_LONGEST_S * 1000;
    struct hl_pass pass = make_pass();
    struct hl_pass got;
    (void)state;
    struct hl_buffer text = seal(&pass);
    struct hl_bytes view = hl_buffer_bytes(&text);
    assert_int_equal(hl_pass_open(&keys, now + life_ms - 1, view, &got), 0);
    assert_int_equal(hl_pass_open(&keys, now + life_ms, view, &got), HL_PASS_EXPIRED);
    hl_buffer_fini(&text);

    pass.sealed_ms = now + longest_ms - 1000; /* renewed over and over */
    assert_int_equal(hl_pass_end_ms(&pass), now + longest_ms);
    text = seal(&pass);
    view = hl_buffer_bytes(&text);
    assert_int_equal(hl_pass_open(&keys, now + longest_ms, view, &got), HL_PASS_EXPIRED);
    hl_buffer_fini(&text);
}

/* A visitor's resume token is made with the same keys and must not open a console. */
static void test_what_is_none(void **state)
{
    struct hl_claims claims = {.site = "shop", .generation = 1, .expires_ms = now + 1000};
    struct hl_pass pass = make_pass();
    struct hl_pass got;
    struct hl_buffer token;
    (void)state;
    hl_buffer_init(&token, HL_TOKEN_SIZE_MAX);
    assert_int_equal(hl_token_seal(&keys, hl_random_system(), &claims, &token), 0);
    assert_int_equal(hl_pass_open(&keys, now, hl_buffer_bytes(&token), &got), HL_PASS_INVALID);
    hl_buffer_fini(&token);

    token = seal(&pass);
    assert_int_equal(hl_token_open(&keys, now, hl_buffer_bytes(&token), &claims), HL_TOKEN_INVALID);
    for (size_t i = 0; i < token.size; i++) {
        token.data[i] ^= 1;
        assert_int_equal(hl_pass_open(&keys, now, hl_buffer_bytes(&token), &got), HL_PASS_INVALID);
        token.data[i] ^= 1;
    }
    hl_buffer_fini(&token);
    assert_int_equal(hl_pass_open(&keys, now, hl_bytes_of(""), &got), HL_PASS_INVALID);
    assert_int_equal(hl_pass_open(&keys, now, hl_bytes_of("hlk_x"), &got), HL_PASS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_back),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
