#include "gateway/signin/spent.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/idmap.h"
#include "base/result.h"

struct item {
    struct hl_id_node node;
    int64_t until_ms;
};

struct hl_spent {
    pthread_mutex_t lock;
    struct hl_id_map by_id;
    size_t n_items; /* those in use are in by_id; a free one has until_ms 0 */
    struct item items[HL_SPENT_MAX];
};

int hl_spent_create(struct hl_spent **out_spent)
{
    uint64_t seed = 0;
    struct hl_spent *spent = calloc(1, sizeof(*spent));
    if (spent == NULL)
        return -ENOMEM;
    hl_random_fill(hl_random_system(), &seed, sizeof(seed));
    int r = hl_id_map_init(&spent->by_id, seed);
    if (r != 0) {
        free(spent);
        return r;
    }
    HL_CHECK(pthread_mutex_init(&spent->lock, NULL) == 0);
    *out_spent = spent;
    return 0;
}

static void forget(struct hl_spent *spent, struct item *item)
{
    hl_id_map_remove(&spent->by_id, &item->node);
    item->until_ms = 0;
}

void hl_spent_destroy(struct hl_spent *spent)
{
    if (spent == NULL)
        return;
    for (size_t i = 0; i < spent->n_items; i++) {
        if (spent->items[i].until_ms != 0)
            forget(spent, &spent->items[i]);
    }
    hl_id_map_fini(&spent->by_id);
    pthread_mutex_destroy(&spent->lock);
    free(spent);
}

/* A place for one more: one never used, one that is over, or else the one that ends soonest. */
static struct item *find_room(struct hl_spent *spent, int64_t now_ms)
{
    struct item *soonest = NULL;
    if (spent->n_items < HL_SPENT_MAX)
        return &spent->items[spent->n_items++];
    for (size_t i = 0; i < HL_SPENT_MAX; i++) {
        struct item *item = &spent->items[i];
        if (item->until_ms != 0 && item->until_ms <= now_ms)
            forget(spent, item);
        if (soonest == NULL || item->until_ms < soonest->until_ms)
            soonest = item;
    }
    if (soonest->until_ms != 0)
        forget(spent, soonest);
    return soonest;
}

bool hl_spent_add(struct hl_spent *spent, const struct hl_id *id, int64_t until_ms, int64_t now_ms)
{
    HL_CHECK(until_ms > 0);
    pthread_mutex_lock(&spent->lock);
    bool is_new = hl_id_map_find(&spent->by_id, id) == NULL;
    if (is_new) {
        struct item *item = find_room(spent, now_ms);
        item->node = (struct hl_id_node){.id = *id};
        item->until_ms = until_ms;
        hl_id_map_add(&spent->by_id, &item->node);
    }
    pthread_mutex_unlock(&spent->lock);
    return is_new;
}

bool hl_spent_has(struct hl_spent *spent, const struct hl_id *id)
{
    pthread_mutex_lock(&spent->lock);
    bool is_there = hl_id_map_find(&spent->by_id, id) != NULL;
    pthread_mutex_unlock(&spent->lock);
    return is_there;
}
