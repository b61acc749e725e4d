/* What a browser carries while its agent is away at the identity provider: which sign-in this
 * is, what must come back, and where it then goes. Sealed (PASETO v4.local) in a cookie, so that
 * an answer of the provider is only good in the browser that asked for it. Pure. */
#ifndef HL_GATEWAY_SIGNIN_TICKET_H
#define HL_GATEWAY_SIGNIN_TICKET_H

#include "session/token.h"

enum {
    HL_TICKET_LIFE_S = 600,
    HL_TICKET_TEXT_SIZE_MAX = 2048,
    HL_TICKET_RETURN_SIZE = 513,
    HL_TICKET_NONCE_SIZE = 2 * 16 + 1,
    HL_TICKET_VERIFIER_SIZE = 2 * 32 + 1,
    HL_TICKET_CHALLENGE_SIZE = 43 + 1
};

#define HL_TICKET_STATE_PREFIX "sin_"

struct hl_ticket {
    struct hl_id state; /* names this sign-in */
    char nonce[HL_TICKET_NONCE_SIZE];
    char verifier[HL_TICKET_VERIFIER_SIZE]; /* PKCE (RFC 7636) */
    char back_to[HL_TICKET_RETURN_SIZE];    /* a path of ours */
    int64_t ends_ms;
};

void hl_ticket_make(const struct hl_random *random, int64_t now_ms, const char *back_to,
                    struct hl_ticket *out_ticket);
/* Whether it is a path of this gateway and no address of somebody else's in disguise. */
bool hl_ticket_is_path(const char *text);
/* S256 of the verifier. */
void hl_ticket_challenge(const struct hl_ticket *ticket, char out_text[HL_TICKET_CHALLENGE_SIZE]);

/* Appends. 0, -ENOMEM. */
int hl_ticket_seal(const struct hl_token_keys *keys, const struct hl_random *random,
                   const struct hl_ticket *ticket, struct hl_buffer *out_text);
enum { HL_TICKET_INVALID = 1, HL_TICKET_EXPIRED };
/* 0, HL_TICKET_INVALID, HL_TICKET_EXPIRED, -ENOMEM. */
int hl_ticket_open(const struct hl_token_keys *keys, int64_t now_ms, struct hl_bytes text,
                   struct hl_ticket *out_ticket);

#endif
