/* A keyed hash for tables and tags (SipHash-2-4): who does not know the key cannot aim. Not a
 * proof of anything; proofs are store/chain.h. Thread: any. */
#ifndef HL_BASE_HASH_H
#define HL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { HL_HASH_KEY_SIZE = 16 };

uint64_t hl_hash(const uint8_t key[HL_HASH_KEY_SIZE], const void *data, size_t size);

#endif
