/* Resume tokens: PASETO v4.local (github paseto-standard/paseto-spec, Version4) sealed with
 * libsodium. Bearer secrets: never in a URL, log or trace. The footer carries the key id, so
 * that several keys can be valid while one is being replaced. */
#ifndef HL_SESSION_TOKEN_H
#define HL_SESSION_TOKEN_H

#include "base/bytes.h"
#include "base/clock.h"
#include "base/id.h"
#include "store/conversation.h"

enum {
    HL_TOKEN_KEYS_MAX = 8,
    HL_TOKEN_KEY_SIZE = 32,
    HL_TOKEN_KID_SIZE = 16,
    HL_TOKEN_SIZE_MAX = 1024
};

struct hl_token_key {
    char kid[HL_TOKEN_KID_SIZE + 1]; /* public name of the key, [a-z0-9] */
    uint8_t secret[HL_TOKEN_KEY_SIZE];
};
struct hl_token_keys { /* [0] seals; all open */
    size_t n_keys;
    struct hl_token_key keys[HL_TOKEN_KEYS_MAX];
};

struct hl_claims {
    char site[65];
    char region[33];
    struct hl_id session;
    struct hl_id conversation;
    struct hl_id participant;
    struct hl_id inbox;                      /* zero: none */
    char identity[HL_IDENTITY_SIZE_MAX + 1]; /* verified; empty: none */
    uint64_t generation;
    int64_t expires_ms;
};

enum { HL_TOKEN_INVALID = 1, HL_TOKEN_EXPIRED };

/* Any text, sealed under the first key. `purpose` ties it to its use: what was sealed for one
 * does not open for another. 0, -ENOMEM. Appends the token. */
int hl_token_seal_text(const struct hl_token_keys *keys, const struct hl_random *random,
                       const char *purpose, struct hl_bytes text, struct hl_buffer *out_token);
/* Appends the text, which is a secret as long as the token is one. Constant work for every forged
 * token of one length. 0, HL_TOKEN_INVALID, -ENOMEM. */
int hl_token_open_text(const struct hl_token_keys *keys, const char *purpose, struct hl_bytes token,
                       struct hl_buffer *out_text);

/* 0, -ENOMEM. Appends the token text. */
int hl_token_seal(const struct hl_token_keys *keys, const struct hl_random *random,
                  const struct hl_claims *claims, struct hl_buffer *out_token);
/* 0, HL_TOKEN_INVALID (forged, foreign
 * key, malformed), HL_TOKEN_EXPIRED (genuine, out_claims filled), -ENOMEM. */
int hl_token_open(const struct hl_token_keys *keys, int64_t now_ms, struct hl_bytes token,
                  struct hl_claims *out_claims);

#endif
