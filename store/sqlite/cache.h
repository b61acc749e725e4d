/* The conversations that the writer knows by heart: a bounded table, least recently used out
 * first. What a group touched is dropped if the group is rolled back.
 * Thread: the writer's. */
#ifndef HL_STORE_SQLITE_CACHE_H
#define HL_STORE_SQLITE_CACHE_H

#include "base/list.h"
#include "store/chain.h"
#include "store/mid_set.h"
#include "store/seal.h"

struct hl_sqlite_conversation {
    struct hl_conversation state;
    uint64_t number;          /* key of its row */
    struct hl_id first_inbox; /* until its row is written */
    struct hl_chain chain;
    struct hl_seal seal;
    uint64_t key; /* number of its key; until its row is written */
    struct hl_mid_set mids;
    struct hl_author last_author;
    uint64_t last_foreign; /* offset of the last entry that is not last_author's */
    bool last_foreign_known;
    /* the cache's */
    struct hl_list lru;
    struct hl_sqlite_conversation *next_in_bucket;
    uint64_t group;
    size_t memory;
};

struct hl_sqlite_cache {
    struct hl_sqlite_conversation **buckets;
    size_t n_buckets; /* a power of two */
    size_t n_conversations, conversations_max;
    size_t memory, memory_max;
    struct hl_list lru; /* used last comes last */
    uint64_t group;
};

/* 0, -ENOMEM. */
int hl_sqlite_cache_init(struct hl_sqlite_cache *cache, size_t conversations_max,
                         size_t memory_max);
void hl_sqlite_cache_fini(struct hl_sqlite_cache *cache); /* accepts a zeroed cache */

/* NULL if it is not here. What is found or added stays until the next begin_group. */
struct hl_sqlite_conversation *hl_sqlite_cache_find(struct hl_sqlite_cache *cache,
                                                    const struct hl_id *id);
/* Takes over a conversation made with calloc; frees others to keep within the bounds. */
void hl_sqlite_cache_add(struct hl_sqlite_cache *cache,
                         struct hl_sqlite_conversation *conversation);
void hl_sqlite_conversation_destroy(struct hl_sqlite_conversation *conversation);

/* Also evicts: what a group touched is not freed while it lasts. */
void hl_sqlite_cache_begin_group(struct hl_sqlite_cache *cache);
void hl_sqlite_cache_drop_group(struct hl_sqlite_cache *cache);

#endif
