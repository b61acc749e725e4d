/* Bodies at rest: each conversation has a key of its own, kept wrapped by the region's key. Who
 * destroys the wrapped key has destroyed every body of the conversation, in every copy of the
 * log that does not hold it.
 * XChaCha20-Poly1305: 24 bytes of nonce, what was sealed, 16 bytes of tag. What is sealed is
 * bound to its place: it opens nowhere else. Thread: any. */
#ifndef HL_STORE_SEAL_H
#define HL_STORE_SEAL_H

#include "store/entry.h"

enum {
    HL_SEAL_KEY_SIZE = 32,
    HL_SEAL_NONCE_SIZE = 24,
    HL_SEAL_OVERHEAD = 40,
    HL_SEAL_WRAPPED_SIZE = HL_SEAL_KEY_SIZE + HL_SEAL_OVERHEAD,
    HL_SEAL_FINGERPRINT_SIZE = 32
};

/* The key of a conversation. */
enum hl_seal_state {
    HL_SEAL_NONE,      /* none yet: all of it is from before there were keys */
    HL_SEAL_OPEN,      /* here */
    HL_SEAL_DESTROYED, /* for ever */
    HL_SEAL_ELSEWHERE, /* in the side file of a backup */
};
struct hl_seal {
    uint8_t state; /* enum hl_seal_state */
    uint8_t key[HL_SEAL_KEY_SIZE];
};

/* Nonces that never repeat: random once, then counted. One owner. */
struct hl_seal_nonces {
    uint8_t next[HL_SEAL_NONCE_SIZE];
};
void hl_seal_nonces_init(struct hl_seal_nonces *nonces);

/* A new key. */
void hl_seal_draw(struct hl_seal *out_seal);
void hl_seal_wrap(const uint8_t region_key[HL_SEAL_KEY_SIZE], const struct hl_id *conversation,
                  const struct hl_seal *seal, uint8_t out_wrapped[HL_SEAL_WRAPPED_SIZE]);
/* Empty: NONE. 0, -EBADMSG (damaged, or another region's). */
int hl_seal_unwrap(const uint8_t region_key[HL_SEAL_KEY_SIZE], const struct hl_id *conversation,
                   struct hl_bytes wrapped, struct hl_seal *out_seal);
/* What stands in the place of a wrapped key that is not there. */
extern const uint8_t hl_seal_destroyed[HL_SEAL_WRAPPED_SIZE];
extern const uint8_t hl_seal_elsewhere[HL_SEAL_WRAPPED_SIZE];
/* The state of a wrapped key, without opening it: OPEN stands for any that is there. */
enum hl_seal_state hl_seal_look(struct hl_bytes wrapped);

/* The body of an entry whose offset is set; out has body_size + HL_SEAL_OVERHEAD bytes. */
void hl_seal_body(const struct hl_seal *seal, struct hl_seal_nonces *nonces,
                  const struct hl_entry *entry, uint8_t *out);
/* Into entry->body, which has the size for it. 0, -EBADMSG. */
int hl_seal_open_body(const struct hl_seal *seal, struct hl_bytes sealed, struct hl_entry *entry);

/* The identity of a conversation's visitor; out has size + HL_SEAL_OVERHEAD bytes. */
void hl_seal_identity(const struct hl_seal *seal, struct hl_seal_nonces *nonces,
                      const struct hl_id *conversation, struct hl_bytes identity, uint8_t *out);
/* out has sealed.size - HL_SEAL_OVERHEAD bytes. 0, -EBADMSG. */
int hl_seal_open_identity(const struct hl_seal *seal, const struct hl_id *conversation,
                          struct hl_bytes sealed, char *out);

/* Differs between region keys: kept in the data file to find out a wrong one early. */
void hl_seal_fingerprint(const uint8_t region_key[HL_SEAL_KEY_SIZE],
                         uint8_t out_fingerprint[HL_SEAL_FINGERPRINT_SIZE]);

/* A plain BLAKE2b of something, to name it without telling it to who does not know it. */
enum { HL_SEAL_DIGEST_SIZE = 32 };
void hl_seal_digest(struct hl_bytes what, uint8_t out_digest[HL_SEAL_DIGEST_SIZE]);

void hl_seal_forget(void *secret, size_t size); /* zeroes, whatever the compiler thinks */

#endif
