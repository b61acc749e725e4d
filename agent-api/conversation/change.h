/* Changes of a conversation's state (claim, transfer, release, close, reopen, tags …): each is the
 * submit of one entry with a condition, answered with the conversation as it is then. */
#ifndef HL_AGENT_API_CHANGE_H
#define HL_AGENT_API_CHANGE_H

#include "agent-api/call.h"

/* What the request's If-Match or If-None-Match asks for. */
struct hl_precondition {
    bool if_absent;    /* If-None-Match: * */
    bool has_revision; /* If-Match: "r17"; false with If-Match: * */
    uint64_t revision;
};
/* False: answered, with 428 when there is none and `is_required`, with 400 when it is
 * malformed. */
bool hl_precondition_read(struct hl_exchange *exchange, bool is_required,
                          struct hl_precondition *out_precondition);

struct hl_change_wish {
    enum hl_entry_kind kind;
    struct hl_id subject;
    struct hl_precondition when;
    struct hl_bytes body; /* canonical JSON object; empty: {} */
};
/* With a revision the entry's mid is made of kind and revision, so that a repeat of the same
 * request is answered like the first; without one it is random. Within a step, the last of an
 * opened call. */
void hl_change_submit(struct hl_call *call, struct hl_exchange *exchange,
                      const struct hl_change_wish *wish);

#endif
