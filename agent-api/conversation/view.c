#include "agent-api/conversation/view.h"

#include <inttypes.h>

#include "agent-api/present.h"
#include "agent-api/timers.h"

static void append_text(struct hl_buffer *out, const char *name, struct hl_bytes text)
{
    hl_buffer_printf(out, ",\"%s\":", name);
    if (text.size == 0)
        hl_buffer_append_text(out, "null");
    else
        hl_json_append_string(out, text);
}

static void append_id(struct hl_buffer *out, const char *name, const char *prefix,
                      const struct hl_id *id)
{
    char text[HL_ID_TEXT_SIZE];
    hl_id_format(id, prefix, text);
    append_text(out, name, hl_id_is_zero(id) ? (struct hl_bytes){0} : hl_bytes_of(text));
}

static void append_json(struct hl_buffer *out, const char *name, struct hl_bytes json)
{
    hl_buffer_printf(out, ",\"%s\":", name);
    hl_buffer_append_bytes(out, json);
}

/* What the log knows. */
static void append_state(struct hl_buffer *out, const struct hl_conversation *state,
                         const struct hl_directory_snapshot *snapshot)
{
    const struct hl_agent *agent = hl_snapshot_agent(snapshot, &state->assignee);
    char id[HL_ID_TEXT_SIZE];
    hl_id_format(&state->id, HL_ID_CONVERSATION, id);
    hl_buffer_printf(out, "{\"id\":\"%s\",\"site\":", id);
    hl_json_append_string(out, hl_bytes_of(state->site));
    append_id(out, "inbox", HL_ID_INBOX, &state->inbox);
    hl_buffer_append_text(out, ",\"reference\":");
    hl_json_append_string(out, hl_bytes_of(state->reference));
    hl_buffer_printf(out, ",\"status\":\"%s\"", hl_status_name((enum hl_status)state->status));
    append_id(out, "assignee", HL_ID_AGENT, &state->assignee);
    append_text(out, "assignee_name",
                agent != NULL ? hl_bytes_of(agent->name) : (struct hl_bytes){0});
    append_text(out, "identity", hl_bytes_of(state->identity));
    hl_buffer_printf(
        out, ",\"etag\":\"\\\"r%" PRIu64 "\\\"\",\"head\":%" PRIu64 ",\"floor\":%" PRIu64 ",",
        state->revision, state->head, state->floor);
    hl_buffer_printf(out, "\"erased\":%s,", state->is_erased ? "true" : "false");
    hl_present_moment(out, "opened_at", state->opened_ms);
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "updated_at", state->updated_ms);
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "claimed_at", state->claimed_ms);
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "waiting_since", state->waiting_since_ms);
}

static void append_contact(struct hl_buffer *out, const struct hl_index_conversation *conversation)
{
    char id[HL_ID_TEXT_SIZE];
    if (hl_id_is_zero(&conversation->contact)) {
        hl_buffer_append_text(out, ",\"contact\":null");
        return;
    }
    hl_id_format(&conversation->contact, HL_ID_CONTACT, id);
    hl_buffer_printf(out, ",\"contact\":{\"id\":\"%s\"", id);
    append_text(out, "name", conversation->name);
    append_text(out, "email", conversation->email);
    append_text(out, "phone", conversation->phone);
    hl_buffer_printf(out, ",\"verified\":%s}", conversation->is_verified ? "true" : "false");
}

static void append_last(struct hl_buffer *out, const struct hl_index_conversation *conversation)
{
    if (conversation->last_offset == 0) {
        hl_buffer_append_text(out, ",\"last_message\":null");
        return;
    }
    hl_buffer_printf(out, ",\"last_message\":{\"offset\":%" PRIu64 ",\"from_role\":\"%s\",",
                     conversation->last_offset,
                     hl_role_name((enum hl_role)conversation->last_role));
    hl_present_moment(out, "ts", conversation->last_ms);
    hl_buffer_append_text(out, ",\"excerpt\":");
    hl_json_append_string(out, conversation->excerpt);
    hl_buffer_append_text(out, "}");
}

static void append_timers(struct hl_buffer *out, const struct hl_index_conversation *conversation,
                          const struct hl_directory_snapshot *snapshot, int64_t now_ms)
{
    const struct hl_conversation *state = &conversation->state;
    const struct hl_inbox *inbox = hl_id_is_zero(&state->inbox)
                                       ? hl_snapshot_default_inbox(snapshot, state->site)
                                       : hl_snapshot_inbox(snapshot, &state->inbox);
    struct hl_index_wait wait = {.site = state->site,
                                 .inbox = state->inbox,
                                 .opened_ms = state->opened_ms,
                                 .waiting_since_ms = state->waiting_since_ms,
                                 .first_response_ms = conversation->first_response_ms};
    struct hl_timers timers;
    hl_timers_make(inbox, &wait, now_ms, &timers);
    hl_buffer_append_text(out, ",\"timers\":{");
    hl_present_moment(out, "first_response_at", conversation->first_response_ms);
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "first_response_due_at", timers.first_response_due_ms);
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "response_due_at", timers.response_due_ms);
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "closed_at", conversation->closed_ms);
    hl_buffer_printf(out, ",\"sla\":\"%s\"}", timers.sla);
}

void hl_view_append(struct hl_buffer *out, const struct hl_index_conversation *conversation,
                    const struct hl_directory_snapshot *snapshot, int64_t now_ms)
{
    append_state(out, &conversation->state, snapshot);
    append_contact(out, conversation);
    append_json(out, "tags", conversation->tags);
    append_json(out, "custom_fields", conversation->custom_fields);
    append_json(out, "context", conversation->context);
    hl_buffer_printf(out, ",\"unread\":%" PRIu32, conversation->unread);
    append_last(out, conversation);
    append_timers(out, conversation, snapshot, now_ms);
    hl_buffer_append_text(out, "}");
}

/* `found` NULL: the index does not tell. */
static void answer_view(struct hl_call *call, struct hl_exchange *exchange,
                        const struct hl_index_conversation *found)
{
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(call->api->config.directory);
    const struct hl_conversation *state = found != NULL ? &found->state : &call->conversation;
    struct hl_buffer body;
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    if (found != NULL) {
        hl_view_append(&body, found, snapshot, hl_clock_wall_ms(call->api->config.clock));
    } else {
        append_state(&body, state, snapshot);
        hl_buffer_append_text(&body, "}");
    }
    hl_reply_add_etag(exchange, state->revision);
    if (exchange->method == HL_GET)
        hl_call_answer_read(call, exchange, "conversation.read", &body);
    else
        hl_reply_json(exchange, 200, &body);
    hl_buffer_fini(&body);
    hl_directory_snapshot_unref(snapshot);
}

static void answer_found(struct hl_call *call, struct hl_exchange *exchange)
{
    answer_view(call, exchange, &call->index.get.found);
}

static void answer_known(struct hl_call *call, struct hl_exchange *exchange)
{
    answer_view(call, exchange, NULL);
}

void hl_view_answer(struct hl_call *call, struct hl_exchange *exchange)
{
    bool is_stored = exchange->method != HL_GET;
    call->index.get = (struct hl_index_get){.conversation = call->conversation.id};
    call->otherwise = is_stored ? answer_known : NULL;
    hl_ask_get(call, exchange, answer_found);
}
