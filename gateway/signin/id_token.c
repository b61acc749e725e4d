#include "gateway/signin/id_token.h"

#include <string.h>

enum { SUBJECT_SIZE_MAX = 255, EMAIL_SIZE_MAX = 254 };

static const char *text_of(const json_t *claims, const char *name, size_t size_max)
{
    const json_t *value = json_object_get(claims, name);
    if (!json_is_string(value) || json_string_length(value) == 0 ||
        json_string_length(value) > size_max)
        return NULL;
    return json_string_value(value);
}

static bool is_text(const json_t *value, const char *wanted)
{
    return json_is_string(value) && strcmp(json_string_value(value), wanted) == 0;
}

/* One audience, which is us; or several, of which one is us, and then the party the token was
 * made for must be named and be us. */
static bool is_for(const json_t *claims, const char *client)
{
    const json_t *audience = json_object_get(claims, "aud");
    const json_t *party = json_object_get(claims, "azp");
    bool is_named = is_text(audience, client);
    for (size_t i = 0; i < json_array_size(audience); i++)
        is_named = is_named || is_text(json_array_get(audience, i), client);
    if (!is_named || (party == NULL && json_array_size(audience) > 1))
        return false;
    return party == NULL || is_text(party, client);
}

static bool read_time(const json_t *claims, const char *name, int64_t *out_s)
{
    const json_t *value = json_object_get(claims, name);
    double seconds = json_is_number(value) ? json_number_value(value) : -1;
    if (!(seconds >= 0 && seconds < 1e12))
        return false;
    *out_s = (int64_t)seconds;
    return true;
}

/* NULL: the times are right. */
static const char *find_time_fault(const json_t *claims, int64_t now_s)
{
    int64_t expires_s = 0;
    int64_t issued_s = 0;
    int64_t begins_s = 0;
    if (!read_time(claims, "exp", &expires_s) || expires_s + HL_ID_TOKEN_SKEW_S <= now_s)
        return "exp: the token has expired";
    if (!read_time(claims, "iat", &issued_s) || issued_s > now_s + HL_ID_TOKEN_SKEW_S)
        return "iat: the token is from the future; compare the clocks";
    if (issued_s + HL_ID_TOKEN_AGE_MAX_S < now_s)
        return "iat: the token was not made for this sign-in";
    if (json_object_get(claims, "nbf") != NULL &&
        (!read_time(claims, "nbf", &begins_s) || begins_s > now_s + HL_ID_TOKEN_SKEW_S))
        return "nbf: the token is not valid yet; compare the clocks";
    return NULL;
}

static const char *find_fault(const json_t *claims, const struct hl_id_token_wanted *wanted)
{
    if (!is_text(json_object_get(claims, "iss"), wanted->issuer))
        return "iss: the token is another issuer's";
    if (!is_for(claims, wanted->client))
        return "aud, azp: the token was made for somebody else";
    if (!is_text(json_object_get(claims, "nonce"), wanted->nonce))
        return "nonce: the token was made for another sign-in";
    if (text_of(claims, "sub", SUBJECT_SIZE_MAX) == NULL)
        return "sub: the token names nobody";
    return find_time_fault(claims, wanted->now_s);
}

int hl_id_token_check(const json_t *claims, const struct hl_id_token_wanted *wanted,
                      struct hl_id_token_person *out_person, const char **out_why)
{
    memset(out_person, 0, sizeof(*out_person));
    *out_why = find_fault(claims, wanted);
    if (*out_why != NULL)
        return HL_ID_TOKEN_REFUSED;
    out_person->subject = text_of(claims, "sub", SUBJECT_SIZE_MAX);
    out_person->email = text_of(claims, "email", EMAIL_SIZE_MAX);
    out_person->name = text_of(claims, "name", EMAIL_SIZE_MAX);
    if (out_person->email != NULL && json_is_true(json_object_get(claims, "email_verified")))
        return 0;
    *out_why = "email, email_verified: the provider vouches for no address";
    return HL_ID_TOKEN_NO_EMAIL;
}
