/* What agents see of each other and of visitors, and is not stored: who looks at a conversation,
 * who writes, who is there. It is told by signals (session/registry.h) to all loops, which tell
 * their feeds and, of typing, their visitors. It may be lost.
 * Thread: the loop's. */
#ifndef HL_AGENT_API_FEED_PRESENCE_H
#define HL_AGENT_API_FEED_PRESENCE_H

#include "agent-api/feed/feed.h"

enum { HL_VIEWING_MS = 30000, HL_TYPING_MS = 6000 };

/* The agent has a feed open, or one less. The first is told, and the last if none comes soon. */
void hl_presence_enter(struct hl_api *api, const struct hl_id *agent);
void hl_presence_leave(struct hl_api *api, const struct hl_id *agent);
/* Those whose time to come back is over at `now_ms` are away. */
void hl_presence_let_go(struct hl_api *api, uint64_t now_ms);
/* Tells a feed that is new who looks at what; one that is not closed by it. */
void hl_presence_show(struct hl_feed *feed);

void hl_presence_on_signal(struct hl_registry_member *member, const struct hl_signal *signal);
/* Takes back what was not repeated in time. Any loop's tick does it for all. */
void hl_presence_tick(struct hl_api *api);

#endif
