#include "session/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const int64_t now_ms = 1700000000000;

static struct hl_token_keys make_keys(const char *kid, uint8_t seed)
{
    struct hl_token_keys keys = {.n_keys = 1};

    memcpy(keys.keys[0].kid, kid, strlen(kid) + 1);
    memset(keys.keys[0].secret, seed, HL_TOKEN_KEY_SIZE);
    return keys;
}

static struct hl_claims make_claims(void)
{
    struct hl_claims claims = {.site = "shop", .region = "eu", .generation = 7};

    claims.session = hl_id_v7(now_ms, (const uint8_t[10]){1});
    claims.conversation = hl_id_v7(now_ms, (const uint8_t[10]){2});
    claims.participant = hl_id_v7(now_ms, (const uint8_t[10]){3});
    claims.expires_ms = now_ms + 1000;
    return claims;
}

static void seal(const struct hl_token_keys *keys, struct hl_buffer *out_token)
{
    struct hl_claims claims = make_claims();

    hl_buffer_init(out_token, HL_TOKEN_SIZE_MAX);
    assert_int_equal(hl_token_seal(keys, hl_random_system(), &claims, out_token), 0);
}

static void test_comes_back_whole(void **state)
{
    struct hl_token_keys keys = make_keys("k1", 1);
    struct hl_claims want = make_claims();
    struct hl_claims got;
    struct hl_buffer token;

    (void)state;
    seal(&keys, &token);
    assert_int_equal(hl_token_open(&keys, now_ms, hl_buffer_bytes(&token), &got), 0);
    assert_memory_equal(&got, &want, sizeof(want));
    hl_buffer_fini(&token);
}

/* Where a visitor will open a conversation, and as who; both or neither. */
static void test_more_claims(void **state)
{
    struct hl_token_keys keys = make_keys("k1", 1);
    struct hl_claims want = make_claims();
    struct hl_claims got;
    struct hl_buffer token;

    (void)state;
    memset(want.inbox.b, 7, sizeof(want.inbox.b));
    memset(want.identity, '"', HL_IDENTITY_SIZE_MAX); /* as long as its text can get */
    memset(want.site, 's', 64);
    hl_buffer_init(&token, HL_TOKEN_SIZE_MAX);
    assert_int_equal(hl_token_seal(&keys, hl_random_system(), &want, &token), 0);
    assert_int_equal(hl_token_open(&keys, now_ms, hl_buffer_bytes(&token), &got), 0);
    assert_memory_equal(&got, &want, sizeof(want));
    hl_buffer_fini(&token);
}

static void test_no_flipped_bit_passes(void **state)
{
    struct hl_token_keys keys = make_keys("k1", 1);
    struct hl_claims got;
    struct hl_buffer token;
    int n_accepted = 0;

    (void)state;
    seal(&keys, &token);
    for (size_t i = 0; i < 1000; i++) {
        size_t bit = i * 7919 % (token.size * 8);
        token.data[bit / 8] = (char)(token.data[bit / 8] ^ 1 << bit % 8);
        n_accepted += hl_token_open(&keys, now_ms, hl_buffer_bytes(&token), &got) == 0;
        token.data[bit / 8] = (char)(token.data[bit / 8] ^ 1 << bit % 8);
    }
    assert_int_equal(n_accepted, 0);
    assert_int_equal(hl_token_open(&keys, now_ms, hl_buffer_bytes(&token), &got), 0);
    hl_buffer_fini(&token);
}

static void test_rotation(void **state)
{
    struct hl_token_keys old = make_keys("k1", 1);
    struct hl_token_keys both = make_keys("k2", 2);
    struct hl_token_keys fresh = make_keys("k2", 2);
    struct hl_claims got;
    struct hl_buffer token;

    (void)state;
    both.keys[1] = old.keys[0];
    both.n_keys = 2;
    seal(&old, &token);
    assert_int_equal(hl_token_open(&both, now_ms, hl_buffer_bytes(&token), &got), 0);
    assert_int_equal(hl_token_open(&fresh, now_ms, hl_buffer_bytes(&token), &got),
                     HL_TOKEN_INVALID);
    hl_buffer_fini(&token);
    seal(&both, &token);
    assert_int_equal(hl_token_open(&fresh, now_ms, hl_buffer_bytes(&token), &got), 0);
    hl_buffer_fini(&token);
}

static void test_foreign_key_of_the_same_name(void **state)
{
    struct hl_token_keys ours = make_keys("k1", 1);
    struct hl_token_keys theirs = make_keys("k1", 9);
    struct hl_claims got;
    struct hl_buffer token;

    (void)state;
    seal(&theirs, &token);
    assert_int_equal(hl_token_open(&ours, now_ms, hl_buffer_bytes(&token), &got), HL_TOKEN_INVALID);
    hl_buffer_fini(&token);
}

static void test_expiry(void **state)
{
    struct hl_token_keys keys = make_keys("k1", 1);
    struct hl_claims got;
    struct hl_buffer token;

    (void)state;
    seal(&keys, &token);
    assert_int_equal(hl_token_open(&keys, now_ms + 999, hl_buffer_bytes(&token), &got), 0);
    assert_int_equal(hl_token_open(&keys, now_ms + 1000, hl_buffer_bytes(&token), &got),
                     HL_TOKEN_EXPIRED);
    assert_int_equal(got.generation, 7);
    hl_buffer_fini(&token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_back_whole),
        cmocka_unit_test(test_more_claims),
        cmocka_unit_test(test_no_flipped_bit_passes),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_foreign_key_of_the_same_name),
        cmocka_unit_test(test_expiry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
