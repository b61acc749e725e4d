/* Committed groups to sessions: each session gets what a group holds for it, entries and the
 * results of its own pubs, as one message; each entry becomes text once per group.
 * Thread: the loop's. Owner: the hub. */
#ifndef HL_SESSION_BROADCAST_H
#define HL_SESSION_BROADCAST_H

#include "base/bytes.h"
#include "store/log.h"

struct hl_hub;
struct hl_session;
struct hl_publish;

enum { HL_GROUP_ITEMS = 1024, HL_GROUP_ENTRIES = 1024, HL_GROUP_TEXT_MAX = 256 << 10 };

struct hl_item { /* one entry for one session */
    uint32_t entry;
    uint32_t next;
    int64_t after;
    struct hl_publish *own; /* the session's own pub: told as its result */
};

struct hl_span {
    size_t start, size; /* in `text`; size 0: not written yet */
};

struct hl_group {
    struct hl_batch *batch; /* lent, while on_commit runs */
    struct hl_list touched; /* sessions */
    size_t n_items;
    struct hl_item items[HL_GROUP_ITEMS];
    struct hl_buffer text;
    size_t first;                              /* entry of the batch that spans[0] is about */
    struct hl_span spans[HL_GROUP_ENTRIES][2]; /* for agents, for visitors */
};

void hl_group_init(struct hl_group *group);
void hl_group_fini(struct hl_group *group);
/* The session has something to be told at the end of the group. */
void hl_group_touch(struct hl_hub *hub, struct hl_session *session);
void hl_group_forget(struct hl_session *session);
void hl_broadcast_on_commit(struct hl_log_subscription *commits, struct hl_batch *batch);

#endif
