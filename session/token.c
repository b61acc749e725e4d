#include "session/token.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/check.h"
#include "base/json.h"
#include "base/result.h"
#include "session/paseto.h"

enum { CLAIMS_SIZE_MAX = 640, FOOTER_SIZE_MAX = 64 };

static const char resume[] = "holdline-resume-1";

static void append_id(struct hl_buffer *out, const char *name, const char *prefix,
                      const struct hl_id *id)
{
    char text[HL_ID_TEXT_SIZE];

    hl_id_format(id, prefix, text);
    hl_buffer_append_text(out, name);
    hl_buffer_append_text(out, text);
    hl_buffer_append(out, "\"", 1);
}

static void append_claims(struct hl_buffer *out, const struct hl_claims *claims)
{
    hl_buffer_append_text(out, "{\"site\":");
    hl_json_append_string(out, hl_bytes_of(claims->site));
    hl_buffer_append_text(out, ",\"region\":");
    hl_json_append_string(out, hl_bytes_of(claims->region));
    append_id(out, ",\"sid\":\"", HL_ID_SESSION, &claims->session);
    append_id(out, ",\"c\":\"", HL_ID_CONVERSATION, &claims->conversation);
    append_id(out, ",\"p\":\"", HL_ID_VISITOR, &claims->participant);
    if (!hl_id_is_zero(&claims->inbox))
        append_id(out, ",\"inbox\":\"", HL_ID_INBOX, &claims->inbox);
    if (claims->identity[0] != '\0') {
        hl_buffer_append_text(out, ",\"identity\":");
        hl_json_append_string(out, hl_bytes_of(claims->identity));
    }
    hl_buffer_append_text(out, ",\"gen\":");
    hl_buffer_append_u64(out, claims->generation);
    hl_buffer_append_text(out, ",\"expires_ms\":");
    hl_buffer_append_i64(out, claims->expires_ms);
    hl_buffer_append(out, "}", 1);
}

/* The footer is compared as text, so that a stranger's JSON is never parsed. */
static struct hl_bytes format_footer(const struct hl_token_key *key, char out_text[FOOTER_SIZE_MAX])
{
    int size = snprintf(out_text, FOOTER_SIZE_MAX, "{\"kid\":\"%s\"}", key->kid);

    HL_CHECK(size > 0 && size < FOOTER_SIZE_MAX);
    return (struct hl_bytes){out_text, (size_t)size};
}

int hl_token_seal_text(const struct hl_token_keys *keys, const struct hl_random *random,
                       const char *purpose, struct hl_bytes text, struct hl_buffer *out_token)
{
    char footer[FOOTER_SIZE_MAX];
    uint8_t nonce[HL_PASETO_NONCE_SIZE];

    HL_CHECK(keys->n_keys > 0 && keys->n_keys <= HL_TOKEN_KEYS_MAX);
    hl_random_fill(random, nonce, sizeof(nonce));
    struct hl_paseto_context context = {.footer = format_footer(&keys->keys[0], footer),
                                        .implicit = hl_bytes_of(purpose)};
    return hl_paseto_encrypt(keys->keys[0].secret, nonce, text, &context, out_token);
}

int hl_token_seal(const struct hl_token_keys *keys, const struct hl_random *random,
                  const struct hl_claims *claims, struct hl_buffer *out_token)
{
    struct hl_buffer text;

    hl_buffer_init(&text, CLAIMS_SIZE_MAX);
    append_claims(&text, claims);
    int r = -ENOMEM;
    if (!hl_buffer_failed(&text))
        r = hl_token_seal_text(keys, random, resume, hl_buffer_bytes(&text), out_token);
    hl_buffer_fini(&text);
    return r;
}

static int copy_text(const json_t *object, const char *name, char *out_text, size_t out_size)
{
    const json_t *value = json_object_get(object, name);

    if (!json_is_string(value) || json_string_length(value) >= out_size)
        return HL_TOKEN_INVALID;
    memcpy(out_text, json_string_value(value), json_string_length(value) + 1);
    return 0;
}

static int read_id(const json_t *object, const char *name, const char *prefix, struct hl_id *out_id)
{
    const json_t *value = json_object_get(object, name);

    if (!json_is_string(value))
        return HL_TOKEN_INVALID;
    struct hl_bytes text = {json_string_value(value), json_string_length(value)};
    return hl_id_parse(text, prefix, out_id) == 0 ? 0 : HL_TOKEN_INVALID;
}

/* Members that only some tokens have. */
static int read_more_claims(const json_t *object, struct hl_claims *out_claims)
{
    int r = 0;

    if (json_object_get(object, "inbox") != NULL)
        r = read_id(object, "inbox", HL_ID_INBOX, &out_claims->inbox);
    if (r == 0 && json_object_get(object, "identity") != NULL)
        r = copy_text(object, "identity", out_claims->identity, sizeof(out_claims->identity));
    return r;
}

static int read_claims(const json_t *object, struct hl_claims *out_claims)
{
    const json_t *generation = json_object_get(object, "gen");
    const json_t *expires = json_object_get(object, "expires_ms");

    *out_claims = (struct hl_claims){.generation = 0};
    if (!json_is_integer(generation) || !json_is_integer(expires) ||
        json_integer_value(generation) < 0 ||
        copy_text(object, "site", out_claims->site, sizeof(out_claims->site)) != 0 ||
        copy_text(object, "region", out_claims->region, sizeof(out_claims->region)) != 0 ||
        read_id(object, "sid", HL_ID_SESSION, &out_claims->session) != 0 ||
        read_id(object, "c", HL_ID_CONVERSATION, &out_claims->conversation) != 0 ||
        read_id(object, "p", HL_ID_VISITOR, &out_claims->participant) != 0 ||
        read_more_claims(object, out_claims) != 0)
        return HL_TOKEN_INVALID;
    out_claims->generation = (uint64_t)json_integer_value(generation);
    out_claims->expires_ms = json_integer_value(expires);
    return 0;
}

/* The key the footer names, or the sealing key: then the footer differs and opening fails. */
static const struct hl_token_key *find_key(const struct hl_token_keys *keys, struct hl_bytes token)
{
    const struct hl_token_key *found = &keys->keys[0];
    char text[FOOTER_SIZE_MAX];
    struct hl_buffer footer;

    hl_buffer_init(&footer, FOOTER_SIZE_MAX);
    if (hl_paseto_footer(token, &footer) == 0) {
        for (size_t i = 0; i < keys->n_keys; i++) {
            if (hl_bytes_equal(format_footer(&keys->keys[i], text), hl_buffer_bytes(&footer)))
                found = &keys->keys[i];
        }
    }
    hl_buffer_fini(&footer);
    return found;
}

static int parse_claims(struct hl_bytes text, struct hl_claims *out_claims)
{
    json_t *object;
    int r = hl_json_parse(text, NULL, 0, &object);

    if (r < 0)
        return r;
    if (r != 0)
        return HL_TOKEN_INVALID;
    r = read_claims(object, out_claims);
    json_decref(object);
    return r;
}

int hl_token_open_text(const struct hl_token_keys *keys, const char *purpose, struct hl_bytes token,
                       struct hl_buffer *out_text)
{
    char footer[FOOTER_SIZE_MAX];

    if (keys->n_keys == 0 || token.size == 0)
        return HL_TOKEN_INVALID;
    const struct hl_token_key *key = find_key(keys, token);
    struct hl_paseto_context context = {.footer = format_footer(key, footer),
                                        .implicit = hl_bytes_of(purpose)};
    int r = hl_paseto_decrypt(key->secret, token, &context, out_text);
    return r > 0 ? HL_TOKEN_INVALID : r;
}

int hl_token_open(const struct hl_token_keys *keys, int64_t now_ms, struct hl_bytes token,
                  struct hl_claims *out_claims)
{
    struct hl_buffer text;

    if (token.size > HL_TOKEN_SIZE_MAX)
        return HL_TOKEN_INVALID;
    hl_buffer_init(&text, CLAIMS_SIZE_MAX);
    int r = hl_token_open_text(keys, resume, token, &text);
    if (r == 0)
        r = parse_claims(hl_buffer_bytes(&text), out_claims);
    if (text.data != NULL)
        sodium_memzero(text.data, text.size);
    hl_buffer_fini(&text);
    if (r == 0 && out_claims->expires_ms <= now_ms)
        return HL_TOKEN_EXPIRED;
    return r;
}
