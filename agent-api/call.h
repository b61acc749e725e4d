/* One request from its first look to its answer, in steps: each step writes the answer, or asks
 * the log and names the step that comes next. What all handlers do between is done here: who
 * asks, the conversation it is about, waiting, a client that is gone, freeing.
 * Thread: the loop's. Owner: itself; it frees itself after the step that waits for nothing. */
#ifndef HL_AGENT_API_CALL_H
#define HL_AGENT_API_CALL_H

#include "agent-api/api_state.h"

struct hl_call;
typedef void (*hl_call_step)(struct hl_call *call, struct hl_exchange *exchange);

struct hl_call { /* handlers that keep more embed it as first member */
    struct hl_pending pending;
    struct hl_api *api;
    struct hl_principal who; /* asks */
    struct hl_route_params params;
    struct hl_conversation conversation; /* as found by hl_call_open */
    int result;                          /* of what was waited for */
    hl_call_step next, opened, then;
    hl_call_step otherwise; /* when the index does not answer; NULL: the problem is told */
    enum hl_problem_code index_missing;  /* of what the index does not find */
    void (*clean)(struct hl_call *call); /* frees what the handler's struct holds; NULL: nothing */
    bool is_waiting;
    bool is_recording;      /* within hl_call_record_read */
    bool takes_any;         /* the next step looks at `result` itself */
    struct hl_entry *entry; /* of the last submit */
    union {                 /* what the next step reads; gone when that step asks again */
        struct hl_log_find find;
        struct hl_log_read read;
        struct hl_log_marks marks;
        struct hl_log_submit submit;
        union { /* ask.h */
            struct hl_index_read read;
            struct hl_index_list list;
            struct hl_index_get get;
            struct hl_index_contacts contacts;
            struct hl_index_tags tags;
            struct hl_index_person person;
        } index;
    };
};

/* Runs the first step once it is known who asks; else answers 401. What a GET names in
 * Holdline-Min-Position is here then (position.h). `size` is that of the
 * handler's own struct, zeroed. */
void hl_call_start(struct hl_api *api, struct hl_exchange *exchange,
                   const struct hl_route_params *params, size_t size, hl_call_step first);
/* The same for a request about the conversation in params->values[0]: the first step finds it
 * in call->conversation. 404 if there is none, or none for who asks. */
void hl_call_open(struct hl_api *api, struct hl_exchange *exchange,
                  const struct hl_route_params *params, size_t size, hl_call_step first);

/* Within a step, which returns after it. The member of that name is filled before, but for
 * loop and done. The next step comes if the log says 0; else the problem is answered. */
void hl_call_find(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next);
void hl_call_read(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next);
/* The same, and the next step comes with any result, in a later turn or within this. */
void hl_call_read_any(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next);
void hl_call_marks(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next);
/* Of an entry by who asks; call->submit.when may be filled before. The next step comes with
 * any result. */
void hl_call_submit(struct hl_call *call, struct hl_exchange *exchange,
                    const struct hl_entry_fields *fields, hl_call_step next);

/* The answer to a GET that shows what people wrote: given once the audit log has who reads it.
 * `action` is static. Of the opened conversation, if there is one. */
void hl_call_answer_read(struct hl_call *call, struct hl_exchange *exchange, const char *action,
                         const struct hl_buffer *body);
/* The same for a page of a queue, which is looked at again and again: once a minute and person. */
void hl_call_answer_list(struct hl_call *call, struct hl_exchange *exchange, const char *action,
                         const struct hl_buffer *body);
/* The same before an answer that is streamed: the next step comes once it is recorded. */
void hl_call_record_read(struct hl_call *call, struct hl_exchange *exchange, const char *action,
                         hl_call_step next);

/* To wait for something else: hl_call_wait, then hl_call_resume once, in a later turn. */
void hl_call_wait(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next);
void hl_call_resume(struct hl_call *call, int result);
/* Of a streamed answer: the next step comes once the client took what was written, at once if it
 * has; a client that is gone ends the call. */
void hl_call_when_ready(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next);
/* What was to be waited for was not taken: answers the problem of `result`, within the step. */
void hl_call_refuse(struct hl_call *call, int result);

#endif
