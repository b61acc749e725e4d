/* Read your own writes, from any node: a write is answered with Holdline-Position, a read that
 * names it in Holdline-Min-Position sees at least that.
 * Thread: the loop's. */
#ifndef HL_AGENT_API_POSITION_H
#define HL_AGENT_API_POSITION_H

#include "agent-api/exchange.h"
#include "store/log.h"

/* Whether this node can answer a read: what Holdline-Min-Position names is in its log. False:
 * answered: 400 (malformed), 410 (another epoch: what it named may be gone), 503 (not here
 * yet). */
bool hl_position_check(struct hl_exchange *exchange, struct hl_log *log);

#endif
