/* session/token.h: nothing but an unchanged genuine token is opened. The input is a token, and
 * also says how a genuine one is spoilt. */
#include <string.h>

#include "base/check.h"
#include "session/paseto.h"
#include "session/token.h"
#include "tests/fuzz/fuzz.h"

static const struct hl_token_keys keys = {
    .n_keys = 2,
    .keys = {{.kid = "new", .secret = {1}}, {.kid = "old", .secret = {2}}},
};

static void fill_zero(void *arg, void *out, size_t size)
{
    (void)arg;
    memset(out, 0, size);
}

/* Xors the bytes of the input over the token, from a place the input names. */
static void open_spoilt(const uint8_t *data, size_t size)
{
    const struct hl_random random = {.fill = fill_zero};
    const struct hl_claims claims = {.site = "shop", .generation = 3, .expires_ms = 1000};
    struct hl_claims opened;
    struct hl_buffer token;
    bool is_spoilt = false;

    hl_buffer_init(&token, HL_TOKEN_SIZE_MAX);
    HL_CHECK(hl_token_seal(&keys, &random, &claims, &token) == 0);
    for (size_t i = 1; i < size; i++) {
        token.data[(data[0] + i) % token.size] ^= (char)data[i];
    }
    struct hl_buffer genuine;
    hl_buffer_init(&genuine, HL_TOKEN_SIZE_MAX);
    HL_CHECK(hl_token_seal(&keys, &random, &claims, &genuine) == 0);
    is_spoilt = !hl_bytes_equal(hl_buffer_bytes(&token), hl_buffer_bytes(&genuine));
    int r = hl_token_open(&keys, 0, hl_buffer_bytes(&token), &opened);
    HL_CHECK(r == (is_spoilt ? HL_TOKEN_INVALID : 0));
    hl_buffer_fini(&token);
    hl_buffer_fini(&genuine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hl_claims opened;
    struct hl_buffer footer;

    hl_buffer_init(&footer, HL_TOKEN_SIZE_MAX);
    (void)hl_paseto_footer(fuzz_text(data, size), &footer);
    hl_buffer_fini(&footer);
    (void)hl_token_open(&keys, 0, fuzz_text(data, size), &opened);
    if (size > 0)
        open_spoilt(data, size);
    return 0;
}
