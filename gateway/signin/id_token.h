/* What an ID token must say before its bearer is believed (OpenID Connect Core 1.0 section
 * 3.1.3.7). The signature is jose.h's. Pure. */
#ifndef HL_GATEWAY_SIGNIN_ID_TOKEN_H
#define HL_GATEWAY_SIGNIN_ID_TOKEN_H

#include "base/json.h"

enum { HL_ID_TOKEN_SKEW_S = 60, HL_ID_TOKEN_AGE_MAX_S = 600 };

struct hl_id_token_wanted {
    const char *issuer;
    const char *client;
    const char *nonce;
    int64_t now_s;
};

struct hl_id_token_person { /* views into the claims */
    const char *subject;
    const char *email; /* verified by the provider */
    const char *name;  /* NULL: not told */
};

/* Outcomes. */
enum {
    HL_ID_TOKEN_REFUSED = 1, /* out_why says what is wrong, for the operator */
    HL_ID_TOKEN_NO_EMAIL,    /* genuine, but without a verified e-mail address */
};

/* 0, HL_ID_TOKEN_…. `out_why` is static text. */
int hl_id_token_check(const json_t *claims, const struct hl_id_token_wanted *wanted,
                      struct hl_id_token_person *out_person, const char **out_why);

#endif
