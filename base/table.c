#include "base/table.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/hash.h"

static uint8_t table_key[HL_HASH_KEY_SIZE];
static pthread_once_t table_key_once = PTHREAD_ONCE_INIT;

static void draw_key(void)
{
    hl_random_fill(hl_random_system(), table_key, sizeof(table_key));
}

unsigned hl_table_hash(const void *key, size_t size)
{
    (void)pthread_once(&table_key_once, draw_key);
    return (unsigned)hl_hash(table_key, key, size);
}
