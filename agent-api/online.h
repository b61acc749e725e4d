/* Which agents are there: those with an open event feed. Shared by all loops.
 * Thread: any; a short lock. */
#ifndef HL_AGENT_API_ONLINE_H
#define HL_AGENT_API_ONLINE_H

#include <stdbool.h>

#include "base/id.h"

struct hl_online;

struct hl_online *hl_online_create(void);         /* NULL: no memory */
void hl_online_destroy(struct hl_online *online); /* accepts NULL */

/* A feed of the agent opened, or ended. Counted. Out of room (thousands of agents) or memory:
 * the agent is not shown as online, nothing else. */
void hl_online_enter(struct hl_online *online, const struct hl_id *agent);
void hl_online_leave(struct hl_online *online, const struct hl_id *agent);
bool hl_online_has(struct hl_online *online, const struct hl_id *agent);

#endif
