#include "store/sqlite/cache.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/result.h"
#include "base/table.h"

int hl_sqlite_cache_init(struct hl_sqlite_cache *cache, size_t conversations_max, size_t memory_max)
{
    *cache =
        (struct hl_sqlite_cache){.conversations_max = conversations_max, .memory_max = memory_max};
    hl_list_init(&cache->lru);
    cache->n_buckets = 1;
    while (cache->n_buckets < conversations_max)
        cache->n_buckets *= 2;
    cache->buckets = calloc(cache->n_buckets, sizeof(struct hl_sqlite_conversation *));
    return cache->buckets != NULL ? 0 : -ENOMEM;
}

static struct hl_sqlite_conversation **find_link(struct hl_sqlite_cache *cache,
                                                 const struct hl_id *id)
{
    size_t bucket = hl_table_hash(id->b, sizeof(id->b)) & (cache->n_buckets - 1);
    struct hl_sqlite_conversation **link = &cache->buckets[bucket];

    while (*link != NULL && !hl_id_equal(&(*link)->state.id, id))
        link = &(*link)->next_in_bucket;
    return link;
}

static void drop_conversation(struct hl_sqlite_cache *cache,
                              struct hl_sqlite_conversation *conversation)
{
    struct hl_sqlite_conversation **link = find_link(cache, &conversation->state.id);

    HL_CHECK(*link == conversation);
    *link = conversation->next_in_bucket;
    hl_list_remove(&conversation->lru);
    cache->n_conversations--;
    cache->memory -= conversation->memory;
    hl_sqlite_conversation_destroy(conversation);
}

void hl_sqlite_cache_fini(struct hl_sqlite_cache *cache)
{
    while (cache->n_conversations > 0)
        drop_conversation(cache,
                          HL_CONTAINER_OF(cache->lru.next, struct hl_sqlite_conversation, lru));
    free(cache->buckets);
    *cache = (struct hl_sqlite_cache){.buckets = NULL};
}

void hl_sqlite_conversation_destroy(struct hl_sqlite_conversation *conversation)
{
    if (conversation == NULL)
        return;
    hl_mid_set_fini(&conversation->mids);
    hl_seal_forget(&conversation->seal, sizeof(conversation->seal));
    free(conversation);
}

static void use_conversation(struct hl_sqlite_cache *cache,
                             struct hl_sqlite_conversation *conversation)
{
    conversation->group = cache->group;
    hl_list_remove(&conversation->lru);
    hl_list_add(&cache->lru, &conversation->lru);
}

struct hl_sqlite_conversation *hl_sqlite_cache_find(struct hl_sqlite_cache *cache,
                                                    const struct hl_id *id)
{
    struct hl_sqlite_conversation *conversation = *find_link(cache, id);

    if (conversation != NULL)
        use_conversation(cache, conversation);
    return conversation;
}

static size_t measure_conversation(const struct hl_sqlite_conversation *conversation)
{
    return sizeof(*conversation) + hl_mid_set_memory(&conversation->mids);
}

/* Frees the least recently used, but nothing that the group has touched. */
static void evict_conversations(struct hl_sqlite_cache *cache)
{
    while (cache->n_conversations > cache->conversations_max || cache->memory > cache->memory_max) {
        struct hl_sqlite_conversation *oldest =
            HL_CONTAINER_OF(cache->lru.next, struct hl_sqlite_conversation, lru);
        if (cache->n_conversations == 0 || oldest->group == cache->group)
            return;
        drop_conversation(cache, oldest);
    }
}

void hl_sqlite_cache_add(struct hl_sqlite_cache *cache, struct hl_sqlite_conversation *conversation)
{
    struct hl_sqlite_conversation **link = find_link(cache, &conversation->state.id);

    HL_CHECK(*link == NULL);
    *link = conversation;
    cache->n_conversations++;
    conversation->memory = measure_conversation(conversation);
    cache->memory += conversation->memory;
    use_conversation(cache, conversation);
    evict_conversations(cache);
}

void hl_sqlite_cache_begin_group(struct hl_sqlite_cache *cache)
{
    /* those of the last group are the tail: weigh again what grew */
    for (struct hl_list *at = cache->lru.prev; at != &cache->lru; at = at->prev) {
        struct hl_sqlite_conversation *used =
            HL_CONTAINER_OF(at, struct hl_sqlite_conversation, lru);
        if (used->group != cache->group)
            break;
        cache->memory -= used->memory;
        used->memory = measure_conversation(used);
        cache->memory += used->memory;
    }
    cache->group++;
    evict_conversations(cache);
}

void hl_sqlite_cache_drop_group(struct hl_sqlite_cache *cache)
{
    while (cache->n_conversations > 0) {
        struct hl_sqlite_conversation *last =
            HL_CONTAINER_OF(cache->lru.prev, struct hl_sqlite_conversation, lru);
        if (last->group != cache->group)
            return;
        drop_conversation(cache, last);
    }
}
