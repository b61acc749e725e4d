#include "base/hash.h"

#include <string.h>

#include <sodium.h>

_Static_assert(HL_HASH_KEY_SIZE == crypto_shorthash_KEYBYTES, "one key size");
_Static_assert(sizeof(uint64_t) == crypto_shorthash_BYTES, "one hash size");

uint64_t hl_hash(const uint8_t key[HL_HASH_KEY_SIZE], const void *data, size_t size)
{
    uint8_t bytes[sizeof(uint64_t)];
    uint64_t hash = 0;

    (void)crypto_shorthash(bytes, data, size, key); /* cannot fail */
    for (size_t i = sizeof(bytes); i > 0; i--)
        hash = hash << 8 | bytes[i - 1];
    return hash;
}
