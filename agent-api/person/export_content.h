/* The content of an export, streamed from the log when it is asked for: no file of it ever lies
 * anywhere, and what was erased since is not in it. At a time one page is held, and what the
 * client has not taken of it.
 * Thread: the loop's. */
#ifndef HL_AGENT_API_PERSON_EXPORT_CONTENT_H
#define HL_AGENT_API_PERSON_EXPORT_CONTENT_H

#include "agent-api/person/request.h"

struct hl_export {
    struct hl_person_request request; /* first */
    struct hl_job job;
    struct hl_index_get get;
    struct hl_buffer view;  /* of the conversation, as the index has it; empty: it has none */
    size_t at;              /* conversation of the job */
    uint64_t after, until;  /* offsets in it; until 0: not begun */
    bool has_conversations; /* one was written */
    bool is_asking;         /* the audit log, within a step */
};

/* The step of hl_person_open, of a call that was started with sizeof(struct hl_export). */
void hl_export_content(struct hl_person_request *request, struct hl_exchange *exchange);

#endif
