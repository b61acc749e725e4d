/* What an inbox promises and how a conversation stands to it: when the first answer and the
 * next one are due, in business hours, and whether that was or will be kept.
 * Thread: any; no state. */
#ifndef HL_AGENT_API_TIMERS_H
#define HL_AGENT_API_TIMERS_H

#include "store/directory_snapshot.h"
#include "store/index.h"

struct hl_timers {
    int64_t first_response_due_ms; /* 0: no goal */
    int64_t response_due_ms;       /* of the visitor who waits now; 0: no goal, or nobody waits */
    /* "none": no goal applies; "ok"; "due_soon": less than a fifth of the time is left;
     * "breached"; "met": the first answer came in time and nobody waits. */
    const char *sla;
};

/* `inbox` NULL: no goals. `now_ms` is wall time. */
void hl_timers_make(const struct hl_inbox *inbox, const struct hl_index_wait *wait, int64_t now_ms,
                    struct hl_timers *out_timers);
/* When something is owed to who waits: the first answer if it has not been given and has a goal,
 * else the next one. 0: nothing. */
int64_t hl_timers_due(const struct hl_inbox *inbox, const struct hl_index_wait *wait);

#endif
