#include "base/idmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/result.h"

enum { BUCKETS_MIN = 64 };

/* Ids of clients reach lookups: the seed keeps them from choosing a bucket. */
static size_t find_bucket(const struct hl_id_map *map, const struct hl_id *id)
{
    uint64_t a, b;

    memcpy(&a, id->b, sizeof(a));
    memcpy(&b, id->b + sizeof(a), sizeof(b));
    a ^= map->seed;
    a ^= a >> 32;
    a *= UINT64_C(0xd6e8feb86659fd93);
    a ^= b;
    a ^= a >> 32;
    a *= UINT64_C(0xd6e8feb86659fd93);
    a ^= a >> 32;
    return (size_t)a & (map->n_buckets - 1);
}

static struct hl_list *create_buckets(size_t n_buckets)
{
    struct hl_list *buckets = malloc(n_buckets * sizeof(*buckets));

    for (size_t i = 0; buckets != NULL && i < n_buckets; i++)
        hl_list_init(&buckets[i]);
    return buckets;
}

int hl_id_map_init(struct hl_id_map *map, uint64_t seed)
{
    *map = (struct hl_id_map){.n_buckets = BUCKETS_MIN, .seed = seed};
    map->buckets = create_buckets(map->n_buckets);
    return map->buckets == NULL ? -ENOMEM : 0;
}

void hl_id_map_fini(struct hl_id_map *map)
{
    HL_CHECK(map->n_nodes == 0);
    free(map->buckets);
    *map = (struct hl_id_map){.buckets = NULL};
}

/* Moves chains in order, so that nodes of one id keep theirs. */
static void grow_map(struct hl_id_map *map)
{
    struct hl_id_map old = *map;
    struct hl_list *buckets = create_buckets(old.n_buckets * 2);

    if (buckets == NULL)
        return;
    map->buckets = buckets;
    map->n_buckets = old.n_buckets * 2;
    for (size_t i = 0; i < old.n_buckets; i++) {
        while (!hl_list_is_empty(&old.buckets[i])) {
            struct hl_id_node *node = HL_CONTAINER_OF(old.buckets[i].next, struct hl_id_node, link);
            hl_list_remove(&node->link);
            hl_list_add(&map->buckets[find_bucket(map, &node->id)], &node->link);
        }
    }
    free(old.buckets);
}

void hl_id_map_add(struct hl_id_map *map, struct hl_id_node *node)
{
    HL_CHECK(!hl_list_is_linked(&node->link));
    if (map->n_nodes >= map->n_buckets)
        grow_map(map);
    hl_list_add(&map->buckets[find_bucket(map, &node->id)], &node->link);
    map->n_nodes++;
}

void hl_id_map_remove(struct hl_id_map *map, struct hl_id_node *node)
{
    if (!hl_list_is_linked(&node->link))
        return;
    HL_CHECK(map->n_nodes > 0);
    hl_list_remove(&node->link);
    map->n_nodes--;
}

static struct hl_id_node *find_from(const struct hl_list *head, struct hl_list *at,
                                    const struct hl_id *id)
{
    for (; at != head; at = at->next) {
        struct hl_id_node *node = HL_CONTAINER_OF(at, struct hl_id_node, link);
        if (hl_id_equal(&node->id, id))
            return node;
    }
    return NULL;
}

struct hl_id_node *hl_id_map_find(const struct hl_id_map *map, const struct hl_id *id)
{
    struct hl_list *head = &map->buckets[find_bucket(map, id)];

    return find_from(head, head->next, id);
}

struct hl_id_node *hl_id_map_next(const struct hl_id_map *map, const struct hl_id_node *node)
{
    const struct hl_list *head = &map->buckets[find_bucket(map, &node->id)];

    return find_from(head, node->link.next, &node->id);
}

struct hl_id_node *hl_id_map_walk(const struct hl_id_map *map, const struct hl_id_node *node)
{
    size_t i = 0;

    if (node != NULL) {
        i = find_bucket(map, &node->id);
        if (node->link.next != &map->buckets[i])
            return HL_CONTAINER_OF(node->link.next, struct hl_id_node, link);
        i++;
    }
    while (i < map->n_buckets && hl_list_is_empty(&map->buckets[i]))
        i++;
    return i == map->n_buckets ? NULL
                               : HL_CONTAINER_OF(map->buckets[i].next, struct hl_id_node, link);
}
