#include "session/paseto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

enum { N_VECTORS = 17 };

static struct hl_bytes text_of(const json_t *test, const char *name)
{
    const char *text = json_string_value(json_object_get(test, name));

    return hl_bytes_of(text == NULL ? "" : text);
}

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

static bool read_hex(const json_t *test, const char *name, uint8_t *out, size_t size)
{
    struct hl_bytes text = text_of(test, name);

    if (text.size != 2 * size)
        return false;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(hex_digit(text.data[2 * i]) << 4 | hex_digit(text.data[2 * i + 1]));
    return true;
}

/* Encrypts or signs the payload again: the text must be the vector's. */
static void check_making(const json_t *test, const struct hl_paseto_context *context, bool is_local)
{
    struct hl_buffer token;
    uint8_t key[64], nonce[32];
    int r;

    hl_buffer_init(&token, 4096);
    if (is_local) {
        assert_true(read_hex(test, "key", key, 32));
        assert_true(read_hex(test, "nonce", nonce, 32));
        r = hl_paseto_encrypt(key, nonce, text_of(test, "payload"), context, &token);
    } else {
        assert_true(read_hex(test, "secret-key", key, 64));
        r = hl_paseto_sign(key, text_of(test, "payload"), context, &token);
    }
    assert_int_equal(r, 0);
    assert_true(hl_bytes_equal(hl_buffer_bytes(&token), text_of(test, "token")));
    hl_buffer_fini(&token);
}

static void check_vector(const json_t *test)
{
    struct hl_paseto_context context = {.footer = text_of(test, "footer"),
                                        .implicit = text_of(test, "implicit-assertion")};
    bool must_fail = json_is_true(json_object_get(test, "expect-fail"));
    bool is_local = json_object_get(test, "key") != NULL;
    uint8_t key[32];
    struct hl_buffer message;
    int r;

    hl_buffer_init(&message, 4096);
    if (is_local) {
        assert_true(read_hex(test, "key", key, 32));
        r = hl_paseto_decrypt(key, text_of(test, "token"), &context, &message);
    } else {
        assert_true(read_hex(test, "public-key", key, 32));
        r = hl_paseto_verify(key, text_of(test, "token"), &context, &message);
    }
    assert_int_equal(r, must_fail ? HL_PASETO_INVALID : 0);
    assert_true(
        hl_bytes_equal(hl_buffer_bytes(&message), text_of(test, must_fail ? "" : "payload")));
    hl_buffer_fini(&message);
    if (!must_fail)
        check_making(test, &context, is_local);
}

static void test_official_vectors(void **state)
{
    const char *folder = getenv("HOLDLINE_VECTORS");
    char path[1024];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/paseto-v4/v4.json", folder == NULL ? "." : folder);
    json_t *file = json_load_file(path, 0, NULL);
    if (file == NULL) {
        print_message("0 of %d vectors tried: no %s\n", N_VECTORS, path);
        skip();
    }
    const json_t *tests = json_object_get(file, "tests");
    assert_int_equal(json_array_size(tests), N_VECTORS);
    for (size_t i = 0; i < json_array_size(tests); i++)
        check_vector(json_array_get(tests, i));
    print_message("%zu of %d vectors hold\n", json_array_size(tests), N_VECTORS);
    json_decref(file);
}

static void test_footer_is_told_and_bound(void **state)
{
    static const uint8_t key[32] = {1}, nonce[32] = {2};
    struct hl_paseto_context context = {.footer = hl_bytes_of("k7")};
    struct hl_paseto_context other = {.footer = hl_bytes_of("k8")};
    struct hl_buffer token, out;

    (void)state;
    hl_buffer_init(&token, 4096);
    hl_buffer_init(&out, 4096);
    assert_int_equal(hl_paseto_encrypt(key, nonce, hl_bytes_of("{}"), &context, &token), 0);
    assert_int_equal(hl_paseto_footer(hl_buffer_bytes(&token), &out), 0);
    assert_true(hl_bytes_is(hl_buffer_bytes(&out), "k7"));
    hl_buffer_clear(&out);
    assert_int_equal(hl_paseto_decrypt(key, hl_buffer_bytes(&token), &other, &out),
                     HL_PASETO_INVALID);
    hl_buffer_fini(&out);
    hl_buffer_fini(&token);
}

static void test_malformed_text_is_refused(void **state)
{
    static const char *const tokens[] = {"",
                                         "v4.local.",
                                         "v4.local.AA",
                                         "v4.local.A=",
                                         "v4.local..",
                                         "v4.local.AAAA.",
                                         "v4.local.!",
                                         "v4.public.A",
                                         "v3.local.AA",
                                         "v4.local.AB",
                                         "v4.local.A.A.A",
                                         "v4.local.AAA\xff"};
    static const uint8_t key[32] = {1};
    struct hl_paseto_context context = {.footer = {NULL, 0}};
    struct hl_buffer out;

    (void)state;
    hl_buffer_init(&out, 4096);
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        struct hl_bytes token = hl_bytes_of(tokens[i]);
        assert_int_equal(hl_paseto_decrypt(key, token, &context, &out), HL_PASETO_INVALID);
        assert_int_equal(hl_paseto_verify(key, token, &context, &out), HL_PASETO_INVALID);
    }
    hl_buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_official_vectors),
        cmocka_unit_test(test_footer_is_told_and_bound),
        cmocka_unit_test(test_malformed_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
