#include "gateway/signin/ticket.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/result.h"
#include "gateway/signin/claims.h"

static const char purpose[] = "holdline-signin-1";

bool hl_ticket_is_path(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size >= HL_TICKET_RETURN_SIZE || text[0] != '/' || text[1] == '/')
        return false;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= 0x20 || c >= 0x7f || c == '\\' || c == '"' || c == '<' || c == '>')
            return false;
    }
    return true;
}

static void make_text(const struct hl_random *random, char *out_text, size_t n_bytes)
{
    uint8_t bytes[32];
    hl_random_fill(random, bytes, n_bytes);
    sodium_bin2hex(out_text, 2 * n_bytes + 1, bytes, n_bytes);
    sodium_memzero(bytes, sizeof(bytes));
}

void hl_ticket_make(const struct hl_random *random, int64_t now_ms, const char *back_to,
                    struct hl_ticket *out_ticket)
{
    memset(out_ticket, 0, sizeof(*out_ticket));
    hl_random_fill(random, out_ticket->state.b, sizeof(out_ticket->state.b));
    make_text(random, out_ticket->nonce, 16);
    make_text(random, out_ticket->verifier, 32);
    (void)snprintf(out_ticket->back_to, sizeof(out_ticket->back_to), "%s", back_to);
    out_ticket->ends_ms = now_ms + (int64_t)HL_TICKET_LIFE_S * 1000;
}

void hl_ticket_challenge(const struct hl_ticket *ticket, char out_text[HL_TICKET_CHALLENGE_SIZE])
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const uint8_t *)ticket->verifier, strlen(ticket->verifier));
    sodium_bin2base64(out_text, HL_TICKET_CHALLENGE_SIZE, hash, sizeof(hash),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

int hl_ticket_seal(const struct hl_token_keys *keys, const struct hl_random *random,
                   const struct hl_ticket *ticket, struct hl_buffer *out_text)
{
    struct hl_buffer claims;
    char state[HL_ID_TEXT_SIZE];
    hl_buffer_init(&claims, HL_TICKET_TEXT_SIZE_MAX);
    hl_id_format(&ticket->state, HL_TICKET_STATE_PREFIX, state);
    hl_buffer_printf(&claims,
                     "{\"state\":\"%s\",\"nonce\":\"%s\",\"verifier\":\"%s\",\"back_to\":", state,
                     ticket->nonce, ticket->verifier);
    hl_json_append_string(&claims, hl_bytes_of(ticket->back_to));
    hl_buffer_append_text(&claims, ",\"ends_ms\":");
    hl_buffer_append_i64(&claims, ticket->ends_ms);
    hl_buffer_append_text(&claims, "}");
    int r = -ENOMEM;
    if (!hl_buffer_failed(&claims))
        r = hl_token_seal_text(keys, random, purpose, hl_buffer_bytes(&claims), out_text);
    hl_buffer_fini(&claims);
    return r;
}

static bool copy_text(const json_t *claims, const char *name, char *out, size_t out_size)
{
    const json_t *value = json_object_get(claims, name);
    if (!json_is_string(value) || json_string_length(value) >= out_size)
        return false;
    memcpy(out, json_string_value(value), json_string_length(value) + 1);
    return true;
}

static bool read_claims(const json_t *claims, struct hl_ticket *out_ticket)
{
    char state[HL_ID_TEXT_SIZE];
    memset(out_ticket, 0, sizeof(*out_ticket));
    out_ticket->ends_ms = json_integer_value(json_object_get(claims, "ends_ms"));
    return copy_text(claims, "state", state, sizeof(state)) &&
           hl_id_parse(hl_bytes_of(state), HL_TICKET_STATE_PREFIX, &out_ticket->state) == 0 &&
           copy_text(claims, "nonce", out_ticket->nonce, sizeof(out_ticket->nonce)) &&
           copy_text(claims, "verifier", out_ticket->verifier, sizeof(out_ticket->verifier)) &&
           copy_text(claims, "back_to", out_ticket->back_to, sizeof(out_ticket->back_to)) &&
           hl_ticket_is_path(out_ticket->back_to);
}

int hl_ticket_open(const struct hl_token_keys *keys, int64_t now_ms, struct hl_bytes text,
                   struct hl_ticket *out_ticket)
{
    json_t *claims = NULL;
    int r = hl_claims_open(keys, purpose, HL_TICKET_TEXT_SIZE_MAX, text, &claims);
    if (r == 0 && !read_claims(claims, out_ticket))
        r = HL_CLAIMS_INVALID;
    json_decref(claims);
    if (r != 0)
        return r > 0 ? HL_TICKET_INVALID : r;
    return now_ms >= out_ticket->ends_ms ? HL_TICKET_EXPIRED : 0;
}
