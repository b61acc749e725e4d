/* Where conversations belong, as far as this loop has heard: entries that were committed say
 * so, and the log is asked for others. For what is told and not stored; the log alone decides
 * what may be read. Thread: the loop's. Owner: the API. */
#ifndef HL_AGENT_API_FEED_PLACES_H
#define HL_AGENT_API_FEED_PLACES_H

#include "store/entry.h"

enum { HL_PLACES_MAX = 1024 };

struct hl_places { /* one of a kind per slot: the newest */
    struct {
        struct hl_id conversation;
        struct hl_place place;
    } slots[HL_PLACES_MAX];
};

void hl_places_learn(struct hl_places *places, const struct hl_id *conversation,
                     const struct hl_place *place);
/* NULL: not known. Good until the next call of the above. */
const struct hl_place *hl_places_find(const struct hl_places *places,
                                      const struct hl_id *conversation);

#endif
