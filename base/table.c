#include "base/table.h"

#include <pthread.h>
#include <stdint.h>

#include <sodium.h>

static uint8_t hash_key[crypto_shorthash_KEYBYTES];
static pthread_once_t hash_key_once = PTHREAD_ONCE_INIT;

static void draw_key(void)
{
    HL_CHECK(sodium_init() >= 0);
    randombytes_buf(hash_key, sizeof(hash_key));
}

unsigned hl_table_hash(const void *key, size_t size)
{
    union {
        uint8_t bytes[crypto_shorthash_BYTES];
        unsigned value;
    } hash;

    (void)pthread_once(&hash_key_once, draw_key);
    (void)crypto_shorthash(hash.bytes, key, size, hash_key);
    return hash.value;
}
