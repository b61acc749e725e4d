/* What a signed-in agent's browser carries: a sealed note of who it is (PASETO v4.local, under
 * the keys of resume tokens, for a purpose of its own). Nothing of it is stored here; what it says
 * is only good as long as the directory says so too. Pure. */
#ifndef HL_GATEWAY_SIGNIN_PASS_H
#define HL_GATEWAY_SIGNIN_PASS_H

#include "session/token.h"

enum {
    HL_PASS_LIFE_S = 12 * 3600,    /* since it was sealed */
    HL_PASS_RENEW_S = 3600,        /* then a new one is given */
    HL_PASS_LONGEST_S = 7 * 86400, /* since the agent signed in */
    HL_PASS_TEXT_SIZE_MAX = 1024
};

struct hl_pass {
    struct hl_id session; /* this sign-in */
    struct hl_id agent;
    struct hl_id key; /* it signed in with; zero: at an identity provider */
    int64_t began_ms;
    int64_t sealed_ms;
};

/* Appends the sealed pass. 0, -ENOMEM. */
int hl_pass_seal(const struct hl_token_keys *keys, const struct hl_random *random,
                 const struct hl_pass *pass, struct hl_buffer *out_text);

enum { HL_PASS_INVALID = 1, HL_PASS_EXPIRED };
/* 0, HL_PASS_INVALID, HL_PASS_EXPIRED, -ENOMEM. */
int hl_pass_open(const struct hl_token_keys *keys, int64_t now_ms, struct hl_bytes text,
                 struct hl_pass *out_pass);
/* Until when it may be used. */
int64_t hl_pass_end_ms(const struct hl_pass *pass);

#endif
