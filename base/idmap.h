/* A hash table of intrusive nodes keyed by 128-bit ids. Several nodes may bear one id: they
 * are found one after the other. Grows, never shrinks.
 * Thread: none of its own; a map belongs to one thread (or lock) at a time. */
#ifndef HL_BASE_IDMAP_H
#define HL_BASE_IDMAP_H

#include <stddef.h>

#include "base/id.h"
#include "base/list.h"

struct hl_id_node { /* zeroed: in no map */
    struct hl_list link;
    struct hl_id id;
};

struct hl_id_map {
    struct hl_list *buckets;
    size_t n_buckets; /* a power of two */
    size_t n_nodes;
    uint64_t seed;
};

int hl_id_map_init(struct hl_id_map *map, uint64_t seed); /* 0, -ENOMEM */
void hl_id_map_fini(struct hl_id_map *map);               /* must be empty, or zeroed */
/* Never fails: if there is no memory to grow, the chains get longer. Set node->id first. */
void hl_id_map_add(struct hl_id_map *map, struct hl_id_node *node);
void hl_id_map_remove(struct hl_id_map *map, struct hl_id_node *node); /* accepts one in no map */
/* The first node of the id, and the next one after `node` of the same id; or NULL. */
struct hl_id_node *hl_id_map_find(const struct hl_id_map *map, const struct hl_id *id);
struct hl_id_node *hl_id_map_next(const struct hl_id_map *map, const struct hl_id_node *node);
/* All nodes in no order: the first for NULL, then the one after `node`; NULL at the end. The
 * node asked for may be removed before the next is asked for if that was asked for first. */
struct hl_id_node *hl_id_map_walk(const struct hl_id_map *map, const struct hl_id_node *node);

#endif
