#include "agent-api/feed/presence_table.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"

struct hl_presence {
    pthread_mutex_t lock; /* over the rest */
    size_t n_items;
    struct hl_presence_item items[HL_PRESENCE_MAX];
};

struct hl_presence *hl_presence_create(void)
{
    struct hl_presence *presence = calloc(1, sizeof(*presence));
    if (presence != NULL)
        HL_CHECK(pthread_mutex_init(&presence->lock, NULL) == 0);
    return presence;
}

void hl_presence_destroy(struct hl_presence *presence)
{
    if (presence == NULL)
        return;
    pthread_mutex_destroy(&presence->lock);
    free(presence);
}

static struct hl_presence_item *find_item(struct hl_presence *presence, const struct hl_id *agent,
                                          const struct hl_id *conversation)
{
    for (size_t i = 0; i < presence->n_items; i++) {
        struct hl_presence_item *item = &presence->items[i];
        if (hl_id_equal(&item->agent, agent) && hl_id_equal(&item->conversation, conversation))
            return item;
    }
    return NULL;
}

static void remove_item(struct hl_presence *presence, struct hl_presence_item *item)
{
    *item = presence->items[--presence->n_items];
}

bool hl_presence_put(struct hl_presence *presence, const struct hl_presence_item *item)
{
    pthread_mutex_lock(&presence->lock);
    struct hl_presence_item *old = find_item(presence, &item->agent, &item->conversation);
    bool is_empty = item->viewing_until_ms == 0 && item->typing_until_ms == 0;
    bool is_kept = is_empty || old != NULL || presence->n_items < HL_PRESENCE_MAX;
    if (is_empty && old != NULL)
        remove_item(presence, old);
    else if (old != NULL)
        *old = *item;
    else if (!is_empty && is_kept)
        presence->items[presence->n_items++] = *item;
    pthread_mutex_unlock(&presence->lock);
    return is_kept;
}

bool hl_presence_get(struct hl_presence *presence, const struct hl_id *agent,
                     const struct hl_id *conversation, struct hl_presence_item *out_item)
{
    pthread_mutex_lock(&presence->lock);
    const struct hl_presence_item *item = find_item(presence, agent, conversation);
    if (item != NULL)
        *out_item = *item;
    pthread_mutex_unlock(&presence->lock);
    return item != NULL;
}

/* Moves a time that is over from `from` to `to`. */
static bool take_over(uint64_t *from, uint64_t *to, uint64_t now_ms)
{
    bool is_over = *from != 0 && *from <= now_ms;
    *to = is_over ? *from : 0;
    *from = is_over ? 0 : *from;
    return is_over;
}

bool hl_presence_expire(struct hl_presence *presence, uint64_t now_ms,
                        struct hl_presence_item *out_item)
{
    bool is_found = false;
    pthread_mutex_lock(&presence->lock);
    for (size_t i = 0; i < presence->n_items && !is_found; i++) {
        struct hl_presence_item *item = &presence->items[i];
        *out_item = *item;
        bool viewing = take_over(&item->viewing_until_ms, &out_item->viewing_until_ms, now_ms);
        bool typing = take_over(&item->typing_until_ms, &out_item->typing_until_ms, now_ms);
        is_found = viewing || typing;
        if (item->viewing_until_ms == 0 && item->typing_until_ms == 0)
            remove_item(presence, item);
    }
    pthread_mutex_unlock(&presence->lock);
    return is_found;
}

size_t hl_presence_list(struct hl_presence *presence, struct hl_presence_item *out_items,
                        size_t max)
{
    pthread_mutex_lock(&presence->lock);
    size_t n = presence->n_items < max ? presence->n_items : max;
    for (size_t i = 0; i < n; i++)
        out_items[i] = presence->items[i];
    pthread_mutex_unlock(&presence->lock);
    return n;
}
