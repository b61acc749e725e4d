#include "agent-api/conversation/change.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent-api/conversation/view.h"
#include "agent-api/present.h"

/* RFC 9110 section 13.1: an entity tag of ours, or "*". */
static bool parse_match(struct hl_bytes value, struct hl_precondition *out_precondition)
{
    char text[32];
    char end = '\0';
    if (hl_bytes_is(value, "*"))
        return true;
    if (value.size >= sizeof(text))
        return false;
    memcpy(text, value.data, value.size);
    text[value.size] = '\0';
    out_precondition->has_revision = true;
    return sscanf(text, "\"r%20" SCNu64 "\"%c", &out_precondition->revision, &end) == 1 &&
           text[2] != '-' && text[2] != '+' && text[value.size - 1] == '"';
}

bool hl_precondition_read(struct hl_exchange *exchange, bool is_required,
                          struct hl_precondition *out_precondition)
{
    struct hl_bytes if_match = exchange->headers[HL_HEADER_IF_MATCH];
    struct hl_bytes if_none_match = exchange->headers[HL_HEADER_IF_NONE_MATCH];
    memset(out_precondition, 0, sizeof(*out_precondition));
    if (if_match.size == 0 && if_none_match.size == 0) {
        if (is_required)
            hl_exchange_problem(exchange, HL_PROBLEM_PRECONDITION_REQUIRED,
                                "Send If-Match with the ETag that was given out%s.",
                                exchange->method == HL_PUT ? ", or If-None-Match: * to claim" : "");
        return !is_required;
    }
    if (if_match.size > 0 && if_none_match.size == 0 && parse_match(if_match, out_precondition))
        return true;
    if (if_match.size == 0 && hl_bytes_is(if_none_match, "*")) {
        out_precondition->if_absent = true;
        return true;
    }
    hl_exchange_problem(
        exchange, HL_PROBLEM_BAD_REQUEST,
        "Send either If-Match: \"r17\" (an ETag as given out) or If-None-Match: *.");
    return false;
}

static void answer_with(struct hl_call *call, struct hl_exchange *exchange,
                        const struct hl_conversation *conversation)
{
    call->conversation = *conversation;
    hl_view_answer(call, exchange);
}

/* 412 says how the conversation is now: who has it, since when, and its ETag. */
static void answer_lost(struct hl_call *call, struct hl_exchange *exchange)
{
    const struct hl_conversation *conversation = &call->submit.conversation;
    struct hl_author assignee = {.role = HL_ROLE_AGENT, .id = conversation->assignee};
    struct hl_principal key;
    struct hl_buffer extra;
    hl_buffer_init(&extra, HL_REPLY_BYTES_MAX);
    hl_buffer_append_text(&extra, "\"assignee\":");
    if (hl_id_is_zero(&assignee.id))
        hl_buffer_append_text(&extra, "null");
    else
        hl_present_author_id(&extra, &assignee);
    if (hl_directory_find_agent(call->api->config.directory, &assignee.id, &key) == 0) {
        hl_buffer_append_text(&extra, ",\"assignee_name\":");
        hl_json_append_string(&extra, hl_bytes_of(key.name));
    }
    hl_buffer_append_text(&extra, ",");
    hl_present_moment(&extra, "claimed_at", conversation->claimed_ms);
    hl_buffer_printf(&extra, ",\"conversation_status\":\"%s\",\"etag\":\"\\\"r%" PRIu64 "\\\"\"",
                     hl_status_name((enum hl_status)conversation->status), conversation->revision);
    hl_reply_add_etag(exchange, conversation->revision);
    hl_reply_log_problem_with(exchange, HL_PROBLEM_PRECONDITION_FAILED,
                              "Nothing was changed: somebody else was first.", &extra);
    hl_buffer_fini(&extra);
}

static void answer_change(struct hl_call *call, struct hl_exchange *exchange)
{
    const struct hl_log_submit *submit = &call->submit;
    int r = call->result;
    bool has_it_already =
        r == HL_LOG_ASSIGNED && hl_id_equal(&submit->conversation.assignee, &call->entry->subject);
    if (r == 0) {
        hl_reply_add_position(exchange, call->api->config.log, submit->position);
        if (submit->duplicate)
            hl_reply_add_text(exchange, "idempotent-replayed", "true");
    }
    if (r == 0 || has_it_already)
        answer_with(call, exchange, &submit->conversation);
    else if (r == HL_LOG_ASSIGNED || r == HL_LOG_REVISION)
        answer_lost(call, exchange);
    else if (r == HL_LOG_MID_CONFLICT) /* our mid: the same revision was used for another change */
        hl_exchange_problem(exchange, HL_PROBLEM_PRECONDITION_FAILED,
                            "Nothing was changed: read the conversation again for its ETag.");
    else
        hl_reply_log_problem(exchange, r);
}

static void make_mid(struct hl_api *api, const struct hl_change_wish *wish,
                     char out_mid[HL_MID_SIZE_MAX + 1])
{
    const char *kind = hl_entry_kind_name(wish->kind);
    uint64_t random[2];
    hl_random_fill(api->config.random, random, sizeof(random));
    if (wish->when.has_revision)
        snprintf(out_mid, HL_MID_SIZE_MAX + 1, "%s-r%" PRIu64, kind, wish->when.revision);
    else
        snprintf(out_mid, HL_MID_SIZE_MAX + 1, "%s-%016" PRIx64 "%016" PRIx64, kind, random[0],
                 random[1]);
}

void hl_change_submit(struct hl_call *call, struct hl_exchange *exchange,
                      const struct hl_change_wish *wish)
{
    char mid[HL_MID_SIZE_MAX + 1];
    make_mid(call->api, wish, mid);
    struct hl_entry_fields fields = {.conversation = call->conversation.id,
                                     .kind = wish->kind,
                                     .subject = wish->subject,
                                     .mid = hl_bytes_of(mid),
                                     .body = wish->body.size > 0 ? wish->body : hl_bytes_of("{}")};
    call->submit.when = (struct hl_log_conditions){.if_unassigned = wish->when.if_absent,
                                                   .has_if_revision = wish->when.has_revision,
                                                   .if_revision = wish->when.revision};
    hl_call_submit(call, exchange, &fields, answer_change);
}
