#include "gateway/signin/pass.h"

#include "base/result.h"
#include "gateway/signin/claims.h"
#include "store/directory_snapshot.h"

enum { CLAIMS_SIZE_MAX = 512 };

static const char purpose[] = "holdline-session-1";

static void append_id(struct hl_buffer *out, const char *name, const char *prefix,
                      const struct hl_id *id)
{
    char text[HL_ID_TEXT_SIZE];
    if (hl_id_is_zero(id))
        return;
    hl_id_format(id, prefix, text);
    hl_buffer_printf(out, "\"%s\":\"%s\",", name, text);
}

int hl_pass_seal(const struct hl_token_keys *keys, const struct hl_random *random,
                 const struct hl_pass *pass, struct hl_buffer *out_text)
{
    struct hl_buffer claims;
    hl_buffer_init(&claims, CLAIMS_SIZE_MAX);
    hl_buffer_append_text(&claims, "{");
    append_id(&claims, "session", HL_ID_SESSION, &pass->session);
    append_id(&claims, "agent", HL_ID_AGENT, &pass->agent);
    append_id(&claims, "key", HL_ID_KEY, &pass->key);
    hl_buffer_append_text(&claims, "\"began_ms\":");
    hl_buffer_append_i64(&claims, pass->began_ms);
    hl_buffer_append_text(&claims, ",\"sealed_ms\":");
    hl_buffer_append_i64(&claims, pass->sealed_ms);
    hl_buffer_append_text(&claims, "}");
    int r = -ENOMEM;
    if (!hl_buffer_failed(&claims))
        r = hl_token_seal_text(keys, random, purpose, hl_buffer_bytes(&claims), out_text);
    hl_buffer_fini(&claims);
    return r;
}

static bool read_id(const json_t *claims, const char *name, const char *prefix,
                    struct hl_id *out_id)
{
    const json_t *value = json_object_get(claims, name);
    struct hl_bytes text = {json_string_value(value), json_string_length(value)};
    return json_is_string(value) && hl_id_parse(text, prefix, out_id) == 0;
}

static bool read_claims(const json_t *claims, struct hl_pass *out_pass)
{
    const json_t *began = json_object_get(claims, "began_ms");
    const json_t *sealed = json_object_get(claims, "sealed_ms");
    bool has_key = json_object_get(claims, "key") != NULL;
    *out_pass = (struct hl_pass){.began_ms = json_integer_value(began),
                                 .sealed_ms = json_integer_value(sealed)};
    return json_is_integer(began) && json_is_integer(sealed) &&
           read_id(claims, "session", HL_ID_SESSION, &out_pass->session) &&
           read_id(claims, "agent", HL_ID_AGENT, &out_pass->agent) &&
           (!has_key || read_id(claims, "key", HL_ID_KEY, &out_pass->key));
}

int64_t hl_pass_end_ms(const struct hl_pass *pass)
{
    int64_t end_ms = pass->sealed_ms + (int64_t)HL_PASS_LIFE_S * 1000;
    int64_t longest_ms = pass->began_ms + (int64_t)HL_PASS_LONGEST_S * 1000;
    return end_ms < longest_ms ? end_ms : longest_ms;
}

int hl_pass_open(const struct hl_token_keys *keys, int64_t now_ms, struct hl_bytes text,
                 struct hl_pass *out_pass)
{
    json_t *claims = NULL;
    int r = hl_claims_open(keys, purpose, HL_PASS_TEXT_SIZE_MAX, text, &claims);
    if (r == 0 && !read_claims(claims, out_pass))
        r = HL_CLAIMS_INVALID;
    json_decref(claims);
    if (r != 0)
        return r > 0 ? HL_PASS_INVALID : r;
    return now_ms >= hl_pass_end_ms(out_pass) ? HL_PASS_EXPIRED : 0;
}
