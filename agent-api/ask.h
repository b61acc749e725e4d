/* A call's questions to the index: like those to the log in call.h. Who asks bounds what is
 * seen; the answer is at least as new as the log was when it was asked, and says so in
 * Holdline-Position.
 * Thread: the loop's. */
#ifndef HL_AGENT_API_ASK_H
#define HL_AGENT_API_ASK_H

#include "agent-api/call.h"

/* Within a step, which returns after it. The member of that name (call->index.list …) is filled
 * before, but for `read` and `done`. The next step comes if the index says 0; else the problem
 * is answered: 404, 503 node_behind, … What the answer points to lives as long
 * as that step. */
void hl_ask_list(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next);
void hl_ask_get(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next);
void hl_ask_contacts(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next);
void hl_ask_person(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next);
void hl_ask_tags(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next);

#endif
