#include "agent-api/online.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"

enum { AGENTS_MAX = 8192 };

struct presence {
    struct hl_id agent;
    unsigned n_feeds;
};

struct hl_online {
    pthread_mutex_t lock; /* over the rest */
    struct presence *items;
    size_t n_items;
    size_t capacity;
};

struct hl_online *hl_online_create(void)
{
    struct hl_online *online = calloc(1, sizeof(*online));
    if (online != NULL)
        HL_CHECK(pthread_mutex_init(&online->lock, NULL) == 0);
    return online;
}

void hl_online_destroy(struct hl_online *online)
{
    if (online == NULL)
        return;
    pthread_mutex_destroy(&online->lock);
    free(online->items);
    free(online);
}

static struct presence *find_presence(struct hl_online *online, const struct hl_id *agent)
{
    for (size_t i = 0; i < online->n_items; i++) {
        if (hl_id_equal(&online->items[i].agent, agent))
            return &online->items[i];
    }
    return NULL;
}

static void add_presence(struct hl_online *online, const struct hl_id *agent)
{
    if (online->n_items == online->capacity) {
        size_t capacity = online->capacity == 0 ? 16 : online->capacity * 2;
        struct presence *items = NULL;
        if (capacity <= AGENTS_MAX)
            items = reallocarray(online->items, capacity, sizeof(*items));
        if (items == NULL)
            return;
        online->items = items;
        online->capacity = capacity;
    }
    online->items[online->n_items++] = (struct presence){*agent, 1};
}

void hl_online_enter(struct hl_online *online, const struct hl_id *agent)
{
    pthread_mutex_lock(&online->lock);
    struct presence *presence = find_presence(online, agent);
    if (presence != NULL)
        presence->n_feeds++;
    else
        add_presence(online, agent);
    pthread_mutex_unlock(&online->lock);
}

void hl_online_leave(struct hl_online *online, const struct hl_id *agent)
{
    pthread_mutex_lock(&online->lock);
    struct presence *presence = find_presence(online, agent);
    if (presence != NULL && --presence->n_feeds == 0)
        *presence = online->items[--online->n_items];
    pthread_mutex_unlock(&online->lock);
}

bool hl_online_has(struct hl_online *online, const struct hl_id *agent)
{
    pthread_mutex_lock(&online->lock);
    bool is_there = find_presence(online, agent) != NULL;
    pthread_mutex_unlock(&online->lock);
    return is_there;
}
