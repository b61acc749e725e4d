/* The secrets of a data folder: DATA/secrets/ (mode 0700), one file each (mode 0600), 64 hex
 * digits and a line feed. Made at the first start, each complete and fsynced before it has
 * its name.
 *
 *   chain          key of the hash chain of every conversation (store/chain.c)
 *   region         wraps the keys that the bodies of conversations are sealed with (store/seal.c)
 *   reference      site secret: enquiry references and ids are derived with it
 *   token-<kid>    keys of resume tokens; the newest seals, all open
 *
 * Thread: the main thread; hl_secrets_derive from any (it only reads). */
#ifndef HL_GATEWAY_SECRETS_H
#define HL_GATEWAY_SECRETS_H

#include "base/bytes.h"
#include "base/clock.h"
#include "session/token.h"

enum { HL_SECRET_SIZE = 32 };

enum {
    HL_SECRETS_OPEN_TO_OTHERS = 1, /* permissions: somebody else could read them */
    HL_SECRETS_DAMAGED,            /* a file is not 64 hex digits, or is missing */
};

struct hl_secrets {
    uint8_t chain[HL_SECRET_SIZE];
    uint8_t reference[HL_SECRET_SIZE];
    uint8_t region[HL_SECRET_SIZE];
    bool has_region; /* data folders from before bodies were sealed have none */
    struct hl_token_keys tokens;
};

/* `folder` is DATA/secrets. Makes what is missing if `may_make`; a data folder that already
 * holds a log must not get a new chain key, so its caller says false. `why` gets one line.
 * 0, HL_SECRETS_*, -errno. */
int hl_secrets_load(const char *folder, bool may_make, const struct hl_clock *clock,
                    const struct hl_random *random, char *why, size_t why_size,
                    struct hl_secrets *out_secrets);
void hl_secrets_wipe(struct hl_secrets *secrets);

/* For a log from before bodies were sealed: makes the region's key and reads it. 0, -errno. */
int hl_secrets_make_region(const char *folder, const struct hl_random *random,
                           struct hl_secrets *secrets);
/* Takes back what was made for a log that has had another one. */
void hl_secrets_drop_region(const char *folder);

/* Adds a token key that is the newest; keys beyond HL_TOKEN_KEYS_MAX, oldest first, are
 * removed. 0, -errno. */
int hl_secrets_rotate_token(const char *folder, const struct hl_clock *clock,
                            const struct hl_random *random, char out_kid[HL_TOKEN_KID_SIZE + 1]);

/* 64 bytes that only the holder of the reference key can compute from (label, site, key). */
void hl_secrets_derive(const uint8_t reference[HL_SECRET_SIZE], const char *label,
                       struct hl_bytes site, struct hl_bytes key, uint8_t out_hash[64]);

#endif
