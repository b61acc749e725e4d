/* uthash with a keyed hash, so that nobody outside can aim keys at one bucket. Tables keep
 * the order of insertion when walked: deterministic whatever the key is. Include this, never
 * uthash.h. Running out of memory while a table grows is a failed check; where that must not
 * happen, use a table of fixed size. */
#ifndef HL_BASE_TABLE_H
#define HL_BASE_TABLE_H

#include <stddef.h>

#include "base/check.h"

/* hl_hash with a key drawn once for the process; any thread. */
unsigned hl_table_hash(const void *key, size_t size);

#define HASH_FUNCTION(key, size, out_hash) ((out_hash) = hl_table_hash((key), (size)))
#define uthash_fatal(message) hl_check_failed((message), __FILE__, __LINE__)

#include <uthash.h>

#endif
