/* What agents last said of themselves, shared by all loops. Thread: any; a short lock. */
#ifndef HL_AGENT_API_FEED_PRESENCE_TABLE_H
#define HL_AGENT_API_FEED_PRESENCE_TABLE_H

#include "store/entry.h"

struct hl_presence;

struct hl_presence *hl_presence_create(void);           /* NULL: no memory */
void hl_presence_destroy(struct hl_presence *presence); /* accepts NULL */

enum { HL_PRESENCE_MAX = 4096 }; /* pairs of agent and conversation */

struct hl_presence_item {
    struct hl_id agent;
    struct hl_id conversation;
    struct hl_place place;
    uint64_t viewing_until_ms; /* 0: not */
    uint64_t typing_until_ms;
};

/* A pair's item is replaced; one that says nothing is forgotten. False: no room. */
bool hl_presence_put(struct hl_presence *presence, const struct hl_presence_item *item);
/* The pair's item; false: none. */
bool hl_presence_get(struct hl_presence *presence, const struct hl_id *agent,
                     const struct hl_id *conversation, struct hl_presence_item *out_item);
/* Takes out what is over by now: out_item says by times above 0 what it was. False: nothing. */
bool hl_presence_expire(struct hl_presence *presence, uint64_t now_ms,
                        struct hl_presence_item *out_item);
/* A copy of all, at most `max`; how many. */
size_t hl_presence_list(struct hl_presence *presence, struct hl_presence_item *out_items,
                        size_t max);

#endif
