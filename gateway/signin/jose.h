/* JSON Web Signatures as far as ID tokens need them: RS256 and ES256 under the keys that a
 * provider publishes (RFC 7515, 7517, 7518). What the token's own head says is only believed as
 * far as it picks one of these two and one of these keys. Pure.
 * Thread: any; a key set belongs to one thread at a time. */
#ifndef HL_GATEWAY_SIGNIN_JOSE_H
#define HL_GATEWAY_SIGNIN_JOSE_H

#include "base/json.h"

struct hl_jose_keys;

enum { HL_JOSE_KEYS_MAX = 64, HL_JOSE_TOKEN_SIZE_MAX = 16384 };

/* Outcomes. */
enum {
    HL_JOSE_INVALID = 1, /* no key set; no signed token */
    HL_JOSE_ALGORITHM,   /* another algorithm, or none */
    HL_JOSE_NO_KEY,      /* no key of that name, or none that fits alone */
    HL_JOSE_SIGNATURE,   /* not made with that key */
};

/* A JWK set (RFC 7517 section 5). Keys that are of no use here are left out: for encryption,
 * shared secrets, other curves, RSA below 2048 bits. 0, HL_JOSE_INVALID, -ENOMEM. */
int hl_jose_keys_parse(struct hl_bytes text, struct hl_jose_keys **out_keys);
void hl_jose_keys_free(struct hl_jose_keys *keys); /* accepts NULL */
size_t hl_jose_n_keys(const struct hl_jose_keys *keys);

/* A compact token; its payload is the caller's, an object. 0, HL_JOSE_…, -ENOMEM. */
int hl_jose_verify(const struct hl_jose_keys *keys, struct hl_bytes token, json_t **out_claims);

#endif
