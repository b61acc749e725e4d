/* The hash chain of a conversation: keyed BLAKE2b over the previous link and every stored
 * field of the entry. Who does not hold the key cannot change, drop or swap an entry and have
 * the chain still close. Thread: any. */
#ifndef HL_STORE_CHAIN_H
#define HL_STORE_CHAIN_H

#include "store/conversation.h"

enum { HL_CHAIN_KEY_SIZE = 32, HL_CHAIN_SIZE = 32 };

struct hl_chain {
    uint8_t b[HL_CHAIN_SIZE];
};

/* The link before the first entry: binds the conversation's id, site, reference, the inbox it
 * was opened in and the bytes that are stored of the identity. */
void hl_chain_begin(const uint8_t key[HL_CHAIN_KEY_SIZE], const struct hl_conversation *opened,
                    struct hl_bytes identity, struct hl_chain *out_chain);

/* The link of an entry whose offset, position and wall_ms are set. `stored` is its body as it
 * lies on the disk, sealed or plain: the chain is checked without keys. */
void hl_chain_next(const uint8_t key[HL_CHAIN_KEY_SIZE], const struct hl_chain *previous,
                   const struct hl_entry *entry, struct hl_bytes stored, bool is_sealed,
                   struct hl_chain *out_chain);

/* Closes a whole log: says which entry is the last one. */
void hl_chain_seal(const uint8_t key[HL_CHAIN_KEY_SIZE], uint64_t position,
                   const struct hl_chain *last, struct hl_chain *out_seal);

/* A value that differs between keys: kept in the data file to find out a wrong key early. */
void hl_chain_fingerprint(const uint8_t key[HL_CHAIN_KEY_SIZE], struct hl_chain *out_chain);

bool hl_chain_equal(const struct hl_chain *a, const struct hl_chain *b);

#endif
