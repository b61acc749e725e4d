/* A conversation as the API gives it out: what the log knows of it, and what the index adds.
 * Thread: the loop's. */
#ifndef HL_AGENT_API_CONVERSATION_VIEW_H
#define HL_AGENT_API_CONVERSATION_VIEW_H

#include "agent-api/ask.h"

/* The whole of it. `snapshot` tells names and goals; `now_ms` is wall time. */
void hl_view_append(struct hl_buffer *out, const struct hl_index_conversation *conversation,
                    const struct hl_directory_snapshot *snapshot, int64_t now_ms);

/* Answers 200 with call->conversation and its ETag, as the index has it once it has come as far
 * as the log. Within a step, the last one. If the index does not come that far in time, a GET
 * is refused; the answer to a change that was stored tells what the log knows. */
void hl_view_answer(struct hl_call *call, struct hl_exchange *exchange);

#endif
