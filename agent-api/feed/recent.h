/* What was committed last, kept for a moment: feeds are served from it in turns, and the text of
 * an event is made once for all of them. Forgotten at once when something is erased.
 * Thread: the loop's. Owner: the API. */
#ifndef HL_AGENT_API_FEED_RECENT_H
#define HL_AGENT_API_FEED_RECENT_H

#include "store/entry.h"

enum { HL_RECENT_BATCHES = 64, HL_RECENT_TEXTS = 256, HL_RECENT_TEXT_MAX = 4096 };

struct hl_recent {
    struct hl_batch *batches[HL_RECENT_BATCHES]; /* a ring; NULL: none */
    size_t next;
    struct hl_batch *joined; /* what a round gives out; NULL: none */
    struct {
        uint64_t position; /* 0: none */
        struct hl_buffer text;
    } texts[HL_RECENT_TEXTS];
};

void hl_recent_init(struct hl_recent *recent);
void hl_recent_fini(struct hl_recent *recent);
/* A committed group, with at least one entry. Pass: while there is nobody to serve it to; it is
 * not kept, but what it erases is forgotten. */
void hl_recent_pass(struct hl_recent *recent, const struct hl_batch *batch);
void hl_recent_add(struct hl_recent *recent, struct hl_batch *batch);
/* Makes one group of those from the position on, for hl_recent_find to give instead of them: so
 * that a feed gets in one piece what was committed since it had its turn. */
void hl_recent_join(struct hl_recent *recent, uint64_t position);
/* The group that has this position; NULL: none does (any more). Lent until the next add or
 * join. */
const struct hl_batch *hl_recent_find(const struct hl_recent *recent, uint64_t position);
/* The text kept for a position, to be appended to if it is empty; NULL: `size` is too much to
 * keep. */
struct hl_buffer *hl_recent_text(struct hl_recent *recent, uint64_t position, size_t size);

#endif
