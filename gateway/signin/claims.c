#include "gateway/signin/claims.h"

#include <sodium.h>

int hl_claims_open(const struct hl_token_keys *keys, const char *purpose, size_t size_max,
                   struct hl_bytes text, json_t **out_claims)
{
    struct hl_buffer opened;
    *out_claims = NULL;
    if (text.size > size_max)
        return HL_CLAIMS_INVALID;
    hl_buffer_init(&opened, size_max);
    int r = hl_token_open_text(keys, purpose, text, &opened);
    if (r == 0)
        r = hl_json_parse(hl_buffer_bytes(&opened), NULL, 0, out_claims);
    if (opened.data != NULL)
        sodium_memzero(opened.data, opened.size);
    hl_buffer_fini(&opened);
    return r > 0 ? HL_CLAIMS_INVALID : r;
}
