#include "agent-api/audit.h"

#include <stdlib.h>
#include <string.h>

#include "agent-api/api_state.h"
#include "agent-api/audit/memory.h"
#include "agent-api/present.h"
#include "base/check.h"

enum { BODY_MAX = HL_AUDIT_DETAILS_MAX + 4096 };

struct note {
    struct hl_pending pending; /* first */
    struct hl_api *api;
    struct hl_log_opening opening;
    char site[HL_SITE_SIZE_MAX + 1];
    char reference[HL_REFERENCE_SIZE_MAX + 1];
    struct hl_id reader, conversation; /* of a read that may be coalesced; zero: of none */
    const char *action;                /* of the same */
    bool is_coalesced;
    void (*then)(void *arg, struct hl_exchange *exchange); /* NULL: nobody waits */
    void *arg;
    struct hl_log_submit submit;
};

static void append_member(struct hl_buffer *out, const char *name, struct hl_bytes text)
{
    if (text.size == 0)
        return;
    hl_buffer_printf(out, ",\"%s\":", name);
    hl_json_append_string(out, text);
}

static void append_actor(struct hl_buffer *out, const struct hl_principal *principal)
{
    struct hl_author author = hl_api_author(principal);
    hl_buffer_append_text(out, ",\"actor\":{\"id\":");
    hl_present_author_id(out, &author);
    hl_buffer_append_text(out, ",\"name\":");
    hl_json_append_string(out, hl_bytes_of(principal->name));
    hl_buffer_printf(out, ",\"role\":\"%s\"}", hl_key_role_name((enum hl_key_role)principal->role));
}

/* The canonical form: members in the order of their names. */
static void append_body(struct hl_buffer *out, const struct hl_exchange *exchange,
                        const struct hl_principal *principal, const struct hl_audit_event *event)
{
    char id[HL_ID_TEXT_SIZE] = "";
    if (!hl_id_is_zero(&event->conversation))
        hl_id_format(&event->conversation, HL_ID_CONVERSATION, id);
    hl_buffer_append_text(out, "{\"action\":");
    hl_json_append_string(out, hl_bytes_of(event->action));
    if (principal != NULL)
        append_actor(out, principal);
    if (exchange != NULL)
        append_member(out, "address", exchange->address);
    append_member(out, "conversation", hl_bytes_of(id));
    if (event->details.size > 0) {
        hl_buffer_append_text(out, ",\"details\":");
        hl_buffer_append_bytes(out, event->details);
    }
    append_member(out, "object", hl_bytes_of(event->object != NULL ? event->object : ""));
    if (exchange != NULL)
        append_member(out, "request_id", hl_bytes_of(exchange->request_id));
    append_member(out, "site", hl_bytes_of(event->site != NULL ? event->site : ""));
    hl_buffer_append_text(out, "}");
}

void hl_audit_fill(struct hl_api *api, const struct hl_exchange *exchange,
                   const struct hl_principal *principal, const struct hl_audit_event *event,
                   struct hl_directory_audit *out_audit, struct hl_buffer *body)
{
    struct hl_author author = {.role = HL_ROLE_SYSTEM};
    HL_CHECK(event->details.size <= HL_AUDIT_DETAILS_MAX);
    if (principal != NULL)
        author = hl_api_author(principal);
    hl_directory_audit_init(out_audit, api->config.random, &author,
                            event->site != NULL ? event->site : "");
    hl_buffer_init(body, BODY_MAX);
    append_body(body, exchange, principal, event);
    out_audit->body = hl_buffer_bytes(body);
}

static struct hl_entry *make_entry(struct note *note, const struct hl_exchange *exchange,
                                   const struct hl_principal *principal,
                                   const struct hl_audit_event *event)
{
    struct hl_buffer body;
    struct hl_directory_audit audit;
    struct hl_entry *entry = NULL;
    hl_audit_fill(note->api, exchange, principal, event, &audit, &body);
    struct hl_entry_fields fields = {.author = audit.author,
                                     .kind = HL_ENTRY_AUDIT,
                                     .mid = hl_bytes_of(audit.mid),
                                     .body = audit.body};
    const char *place = hl_audit_place(audit.site, &fields.conversation, note->reference);
    memcpy(note->site, place, strlen(place) + 1);
    if (!hl_buffer_failed(&body))
        entry = hl_entry_create(&fields);
    hl_buffer_fini(&body);
    return entry;
}

/* Ends a note: 0: it is durable. */
static void end_note(struct note *note, int r)
{
    struct hl_exchange *exchange = hl_pending_take(&note->pending);
    void (*then)(void *arg, struct hl_exchange *exchange) = note->then;
    void *arg = note->arg;
    if (r == 0 && note->is_coalesced)
        hl_audit_memory_keep(note->api, &note->reader, &note->conversation, note->action);
    if (r != 0 && exchange != NULL) {
        hl_exchange_problem(exchange, HL_PROBLEM_AUDIT_UNAVAILABLE,
                            "What is read or changed must be recorded, and cannot be now.");
        exchange = NULL;
    }
    if (r != 0)
        note->api->stats.audit_failures++;
    hl_pending_end(&note->pending);
    hl_entry_unref(note->submit.entry);
    free(note);
    if (then != NULL)
        then(arg, exchange);
}

static void take_result(struct hl_log_submit *submit, int r)
{
    end_note(HL_CONTAINER_OF(submit, struct note, submit), r);
}

static bool may_coalesce(const struct hl_audit_event *event)
{
    return event->is_read && (event->is_frequent || !hl_id_is_zero(&event->conversation));
}

/* NULL: no memory. */
static struct note *make_note(struct hl_api *api, const struct hl_exchange *exchange,
                              const struct hl_principal *principal,
                              const struct hl_audit_event *event)
{
    struct note *note = calloc(1, sizeof(*note));
    if (note == NULL)
        return NULL;
    note->api = api;
    note->submit.loop = api->config.loop;
    note->submit.done = take_result;
    note->submit.opening = &note->opening;
    note->submit.entry = make_entry(note, exchange, principal, event);
    note->opening.site = hl_bytes_of(note->site);
    note->opening.reference = hl_bytes_of(note->reference);
    note->is_coalesced = principal != NULL && may_coalesce(event);
    if (note->is_coalesced) {
        note->reader = principal->id;
        note->conversation = event->conversation;
        note->action = event->action;
    }
    if (note->submit.entry != NULL)
        return note;
    free(note);
    return NULL;
}

static void submit_note(struct note *note)
{
    int r = hl_log_submit(note->api->config.audit, &note->submit);
    if (r != 0)
        end_note(note, r);
}

void hl_audit_then(struct hl_api *api, struct hl_exchange *exchange,
                   const struct hl_principal *principal, const struct hl_audit_event *event,
                   void (*then)(void *arg, struct hl_exchange *exchange), void *arg)
{
    if (may_coalesce(event) &&
        hl_audit_memory_has(api, &principal->id, &event->conversation, event->action)) {
        then(arg, exchange);
        return;
    }
    struct note *note = make_note(api, exchange, principal, event);
    if (note == NULL) {
        hl_exchange_problem(exchange, HL_PROBLEM_AUDIT_UNAVAILABLE, "Out of memory.");
        then(arg, NULL);
        return;
    }
    note->then = then;
    note->arg = arg;
    hl_pending_begin(&note->pending, &api->pending, exchange);
    submit_note(note);
}

void hl_audit_note(struct hl_api *api, const struct hl_exchange *exchange,
                   const struct hl_principal *principal, const struct hl_audit_event *event)
{
    struct note *note = make_note(api, exchange, principal, event);
    if (note == NULL) {
        api->stats.audit_failures++;
        return;
    }
    hl_pending_begin_alone(&note->pending, &api->pending);
    submit_note(note);
}

struct reply {
    int status;
    struct hl_buffer body;
};

static void give_reply(void *arg, struct hl_exchange *exchange)
{
    struct reply *reply = arg;
    if (exchange != NULL)
        hl_reply_json(exchange, reply->status, &reply->body);
    hl_buffer_fini(&reply->body);
    free(reply);
}

void hl_audit_reply(struct hl_api *api, struct hl_exchange *exchange,
                    const struct hl_principal *principal, const struct hl_audit_event *event,
                    int status, const struct hl_buffer *body)
{
    struct reply *reply = calloc(1, sizeof(*reply));
    if (reply == NULL) {
        hl_exchange_problem(exchange, HL_PROBLEM_AUDIT_UNAVAILABLE, "Out of memory.");
        return;
    }
    reply->status = status;
    hl_buffer_init(&reply->body, body->size_max);
    hl_buffer_append_bytes(&reply->body, hl_buffer_bytes(body));
    reply->body.failed = reply->body.failed || hl_buffer_failed(body);
    hl_audit_then(api, exchange, principal, event, give_reply, reply);
}
