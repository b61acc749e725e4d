/* What an answer of the index points to: pieces that are freed together.
 * Thread: one at a time. */
#ifndef HL_STORE_INDEX_MEMORY_H
#define HL_STORE_INDEX_MEMORY_H

#include "base/bytes.h"

struct hl_index_memory;

struct hl_index_memory *hl_index_memory_create(void);      /* NULL: no memory */
void hl_index_memory_free(struct hl_index_memory *memory); /* accepts NULL */
/* Zeroed; NULL: no memory. */
void *hl_index_memory_take(struct hl_index_memory *memory, size_t size);
/* A copy; false: no memory. */
bool hl_index_memory_copy(struct hl_index_memory *memory, struct hl_bytes bytes,
                          struct hl_bytes *out_copy);

#endif
