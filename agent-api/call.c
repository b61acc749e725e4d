#include "agent-api/call.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/position.h"

static void free_call(struct hl_call *call)
{
    hl_entry_unref(call->entry);
    if (call->clean != NULL)
        call->clean(call);
    if (call->pending.set != NULL)
        hl_pending_end(&call->pending);
    free(call);
}

/* NULL: answered. */
static struct hl_call *create_call(struct hl_api *api, struct hl_exchange *exchange,
                                   const struct hl_route_params *params, size_t size)
{
    struct hl_principal key;
    if (!hl_api_authenticate(api, exchange, &key) ||
        (exchange->method == HL_GET && !hl_position_check(exchange, api->config.log)))
        return NULL;
    struct hl_call *call = calloc(1, size);
    if (call == NULL) {
        hl_reply_log_problem(exchange, HL_LOG_BUSY);
        return NULL;
    }
    call->api = api;
    call->who = key;
    call->params = *params;
    return call;
}

static void end_step(struct hl_call *call)
{
    if (!call->is_waiting)
        free_call(call);
}

void hl_call_start(struct hl_api *api, struct hl_exchange *exchange,
                   const struct hl_route_params *params, size_t size, hl_call_step first)
{
    struct hl_call *call = create_call(api, exchange, params, size);
    if (call == NULL)
        return;
    first(call, exchange);
    end_step(call);
}

static void keep_conversation(struct hl_call *call, struct hl_exchange *exchange)
{
    call->conversation = call->find.found;
    if (!hl_principal_sees(&call->who, call->conversation.site, &call->conversation.inbox)) {
        hl_reply_log_problem(exchange, HL_LOG_UNKNOWN);
        return;
    }
    if (!hl_api_may(&call->who, exchange, HL_PERMISSION_CONVERSATION_READ))
        return;
    memset(&call->submit, 0, sizeof(call->submit));
    call->opened(call, exchange);
}

static void find_conversation(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_id id;
    if (!hl_reply_read_conversation(exchange, call->params.values[0], &id))
        return;
    call->find = (struct hl_log_find){.conversation = id};
    hl_call_find(call, exchange, keep_conversation);
}

void hl_call_open(struct hl_api *api, struct hl_exchange *exchange,
                  const struct hl_route_params *params, size_t size, hl_call_step first)
{
    struct hl_call *call = create_call(api, exchange, params, size);
    if (call == NULL)
        return;
    call->opened = first;
    find_conversation(call, exchange);
    end_step(call);
}

void hl_call_wait(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next)
{
    call->next = next;
    call->is_waiting = true;
    call->takes_any = false;
    if (call->pending.set == NULL)
        hl_pending_begin(&call->pending, &call->api->pending, exchange);
    else
        hl_pending_resume(&call->pending, exchange);
}

/* Runs what comes next; the caller then frees what the result holds, and ends. */
static void run_next(struct hl_call *call, int r)
{
    struct hl_exchange *exchange = hl_pending_take(&call->pending);
    call->is_waiting = false;
    call->result = r;
    if (exchange != NULL && r != 0 && !call->takes_any)
        hl_reply_log_problem(exchange, r);
    else if (exchange != NULL)
        call->next(call, exchange);
}

void hl_call_resume(struct hl_call *call, int result)
{
    run_next(call, result);
    end_step(call);
}

static void go_on(struct hl_exchange *exchange)
{
    struct hl_pending *pending = exchange->handler;
    exchange->on_writable = NULL;
    hl_call_resume(HL_CONTAINER_OF(pending, struct hl_call, pending), 0);
}

static void give_up(struct hl_exchange *exchange)
{
    struct hl_pending *pending = exchange->handler;
    pending->exchange = NULL;
    hl_call_resume(HL_CONTAINER_OF(pending, struct hl_call, pending), 0);
}

void hl_call_when_ready(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next)
{
    if (exchange->ops->is_ready(exchange)) {
        next(call, exchange);
        return;
    }
    hl_call_wait(call, exchange, next);
    exchange->on_writable = go_on;
    exchange->on_gone = give_up;
}

void hl_call_refuse(struct hl_call *call, int result)
{
    call->is_waiting = false;
    hl_reply_log_problem(hl_pending_take(&call->pending), result);
}

/* `r` is what the log said to the request itself: 0: it will come back. */
static void check_taken(struct hl_call *call, int r)
{
    if (r != 0)
        hl_call_refuse(call, r);
}

static void take_found(struct hl_log_find *find, int r)
{
    hl_call_resume(HL_CONTAINER_OF(find, struct hl_call, find), r);
}

void hl_call_find(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next)
{
    hl_call_wait(call, exchange, next);
    call->find.loop = call->api->config.loop;
    call->find.done = take_found;
    check_taken(call, hl_log_find(call->api->config.log, &call->find));
}

static void take_page(struct hl_log_read *read, int r)
{
    struct hl_call *call = HL_CONTAINER_OF(read, struct hl_call, read);
    struct hl_batch *batch = r == 0 ? read->batch : NULL;
    run_next(call, r);
    hl_batch_unref(batch);
    end_step(call);
}

void hl_call_read(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next)
{
    hl_call_wait(call, exchange, next);
    call->read.loop = call->api->config.loop;
    call->read.done = take_page;
    check_taken(call, hl_log_read(call->api->config.log, &call->read));
}

void hl_call_read_any(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next)
{
    hl_call_wait(call, exchange, next);
    call->takes_any = true;
    call->read.loop = call->api->config.loop;
    call->read.done = take_page;
    int r = hl_log_read(call->api->config.log, &call->read);
    if (r == 0)
        return;
    call->is_waiting = false;
    call->result = r;
    next(call, hl_pending_take(&call->pending));
}

static void take_marks(struct hl_log_marks *marks, int r)
{
    hl_call_resume(HL_CONTAINER_OF(marks, struct hl_call, marks), r);
}

void hl_call_marks(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next)
{
    hl_call_wait(call, exchange, next);
    call->marks.loop = call->api->config.loop;
    call->marks.done = take_marks;
    check_taken(call, hl_log_marks(call->api->config.log, &call->marks));
}

static struct hl_audit_event read_event(const struct hl_call *call, const char *action)
{
    const struct hl_conversation *conversation = &call->conversation;
    return (struct hl_audit_event){.action = action,
                                   .is_read = true,
                                   .site = conversation->site[0] != '\0' ? conversation->site
                                                                         : call->who.site,
                                   .conversation = conversation->id};
}

void hl_call_answer_list(struct hl_call *call, struct hl_exchange *exchange, const char *action,
                         const struct hl_buffer *body)
{
    struct hl_audit_event event = read_event(call, action);
    event.is_frequent = true;
    hl_audit_reply(call->api, exchange, &call->who, &event, 200, body);
}

void hl_call_answer_read(struct hl_call *call, struct hl_exchange *exchange, const char *action,
                         const struct hl_buffer *body)
{
    const struct hl_audit_event event = read_event(call, action);
    hl_audit_reply(call->api, exchange, &call->who, &event, 200, body);
}

/* `exchange` NULL: refused, or gone. */
static void take_recorded(void *arg, struct hl_exchange *exchange)
{
    struct hl_call *call = arg;
    if (call->is_recording) { /* at once: still within the step */
        call->is_waiting = false;
        if (exchange != NULL)
            call->next(call, exchange);
        return;
    }
    if (exchange != NULL)
        hl_pending_resume(&call->pending, exchange);
    hl_call_resume(call, 0);
}

void hl_call_record_read(struct hl_call *call, struct hl_exchange *exchange, const char *action,
                         hl_call_step next)
{
    const struct hl_audit_event event = read_event(call, action);
    if (call->pending.set == NULL)
        hl_pending_begin_alone(&call->pending, &call->api->pending);
    call->next = next;
    call->takes_any = false;
    call->is_waiting = true;
    call->is_recording = true;
    hl_audit_then(call->api, exchange, &call->who, &event, take_recorded, call);
    call->is_recording = false;
}

/* The log itself says durably who wrote what: the note in the audit log is not waited for. */
static void note_write(const struct hl_call *call)
{
    char action[48];
    char details[48];
    snprintf(action, sizeof(action), "conversation.%s",
             hl_entry_kind_name((enum hl_entry_kind)call->entry->kind));
    snprintf(details, sizeof(details), "{\"offset\":%" PRIu64 "}", call->submit.offset);
    const struct hl_audit_event event = {.action = action,
                                         .site = call->conversation.site,
                                         .conversation = call->conversation.id,
                                         .details = hl_bytes_of(details)};
    hl_audit_note(call->api, call->pending.exchange, &call->who, &event);
}

static void take_stored(struct hl_log_submit *submit, int r)
{
    struct hl_call *call = HL_CONTAINER_OF(submit, struct hl_call, submit);
    if (r == 0 && !submit->duplicate)
        note_write(call);
    hl_call_resume(call, r);
}

void hl_call_submit(struct hl_call *call, struct hl_exchange *exchange,
                    const struct hl_entry_fields *fields, hl_call_step next)
{
    struct hl_entry_fields own = *fields;
    own.author = hl_api_author(&call->who);
    hl_call_wait(call, exchange, next);
    call->takes_any = true;
    hl_entry_unref(call->entry);
    call->entry = hl_entry_create(&own);
    if (call->entry == NULL) {
        hl_call_refuse(call, HL_LOG_BUSY);
        return;
    }
    call->submit.loop = call->api->config.loop;
    call->submit.done = take_stored;
    call->submit.entry = call->entry;
    check_taken(call, hl_log_submit(call->api->config.log, &call->submit));
}
