/* PUT /v1/conversations/{id}/messages/{client_id}: the client names the message, so that a
 * repeat is the same message. */
#include <inttypes.h>
#include <string.h>

#include "agent-api/call.h"
#include "agent-api/percent.h"
#include "agent-api/present.h"

enum { MISSED_MAX = 50, MISSED_BYTES_MAX = 128 * 1024 };

static void answer_stored(struct hl_call *call, struct hl_exchange *exchange)
{
    const struct hl_log_submit *submit = &call->submit;
    struct hl_log_info info;
    struct hl_buffer body;
    char id[HL_ID_TEXT_SIZE];
    hl_log_info(call->api->config.log, &info);
    hl_id_format(&call->entry->conversation, HL_ID_CONVERSATION, id);
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    hl_buffer_printf(&body, "{\"conversation\":\"%s\",\"offset\":%" PRIu64 ",\"client_id\":", id,
                     submit->offset);
    hl_json_append_string(&body, hl_entry_mid(call->entry));
    hl_buffer_append_text(&body, ",");
    hl_present_moment(&body, "ts", submit->wall_ms);
    hl_buffer_printf(&body, ",\"visibility\":\"%s\",\"durability\":\"%s\"}",
                     hl_entry_is_internal(call->entry) ? "internal" : "public",
                     hl_durability_name(info.durability));
    hl_reply_add_position(exchange, call->api->config.log, submit->position);
    if (submit->duplicate)
        hl_reply_add_text(exchange, "idempotent-replayed", "true");
    hl_reply_json(exchange, submit->duplicate ? 200 : 201, &body);
    hl_buffer_fini(&body);
}

static void answer_stale(struct hl_call *call, struct hl_exchange *exchange)
{
    const struct hl_batch *batch = call->read.batch;
    uint64_t head = call->read.found.head;
    uint64_t last = batch->n_entries > 0 ? batch->entries[batch->n_entries - 1]->offset : 0;
    struct hl_buffer extra;
    hl_buffer_init(&extra, HL_REPLY_BYTES_MAX);
    hl_buffer_printf(&extra, "\"head\":%" PRIu64 ",\"missed\":[", head);
    for (size_t i = 0; i < batch->n_entries; i++) {
        hl_buffer_append_text(&extra, i > 0 ? "," : "");
        hl_present_entry(&extra, batch->entries[i]);
    }
    hl_buffer_printf(&extra, "],\"has_more\":%s", last < head ? "true" : "false");
    hl_reply_log_problem_with(exchange, HL_PROBLEM_STALE,
                              "Nothing was stored. Read what was missed, then send again with "
                              "if_seen set to head.",
                              &extra);
    hl_buffer_fini(&extra);
}

/* What the writer had not seen. */
static void read_missed(struct hl_call *call, struct hl_exchange *exchange)
{
    uint64_t if_seen = call->submit.when.if_seen;
    call->read = (struct hl_log_read){.conversation = call->conversation.id,
                                      .after = if_seen,
                                      .limit = MISSED_MAX,
                                      .bytes_max = MISSED_BYTES_MAX};
    hl_call_read(call, exchange, answer_stale);
}

static void take_result(struct hl_call *call, struct hl_exchange *exchange)
{
    if (call->result == HL_LOG_STALE)
        read_missed(call, exchange);
    else if (call->result != 0)
        hl_reply_log_problem(exchange, call->result);
    else
        answer_stored(call, exchange);
}

/* The entry's body: {"text": …} or the given object. False: answered. */
static bool append_body(struct hl_exchange *exchange, const json_t *object, struct hl_buffer *out)
{
    const json_t *text = json_object_get(object, "text");
    const json_t *body = json_object_get(object, "body");
    if ((text == NULL) == (body == NULL)) {
        hl_reply_invalid(exchange, "/text", "Give text, or body, one of them.");
        return false;
    }
    if (text != NULL && json_string_length(text) == 0) {
        hl_reply_invalid(exchange, "/text", "text must be a string that is not empty.");
        return false;
    }
    if (body != NULL && json_string_length(json_object_get(body, "text")) == 0) {
        hl_reply_invalid(exchange, "/body/text",
                         "body must be an object with text, a string that is not empty.");
        return false;
    }
    if (body != NULL) {
        hl_json_append_canonical(out, body);
    } else {
        hl_buffer_append_text(out, "{\"text\":");
        hl_json_append_canonical(out, text);
        hl_buffer_append_text(out, "}");
    }
    if (!hl_buffer_failed(out))
        return true;
    hl_exchange_problem(exchange, HL_PROBLEM_TOO_LARGE, "A message may have %zu bytes.",
                        out->size_max);
    return false;
}

static bool read_kind(struct hl_exchange *exchange, const json_t *object,
                      enum hl_entry_kind *out_kind)
{
    const json_t *visibility = json_object_get(object, "visibility");
    const char *kind = json_string_value(json_object_get(object, "kind"));
    const char *name = visibility == NULL ? "public" : json_string_value(visibility);
    /* an unknown member is ignored, but who means a note must not reach the visitor by it */
    if (kind != NULL && strcmp(kind, "message") != 0) {
        hl_reply_invalid(exchange, "/kind", "Say visibility, public or internal, not kind.");
        return false;
    }
    if (name != NULL && strcmp(name, "public") == 0)
        *out_kind = HL_ENTRY_MESSAGE;
    else if (name != NULL && strcmp(name, "internal") == 0)
        *out_kind = HL_ENTRY_NOTE;
    else {
        hl_reply_invalid(exchange, "/visibility", "visibility is public or internal.");
        return false;
    }
    return true;
}

static bool read_condition(struct hl_exchange *exchange, const json_t *object,
                           struct hl_log_conditions *out_when)
{
    const json_t *if_seen = json_object_get(object, "if_seen");
    if (if_seen == NULL)
        return true;
    if (!json_is_integer(if_seen) || json_integer_value(if_seen) < 0) {
        hl_reply_invalid(exchange, "/if_seen", "if_seen is the offset you have seen.");
        return false;
    }
    out_when->has_if_seen = true;
    out_when->if_seen = (uint64_t)json_integer_value(if_seen);
    return true;
}

static bool read_message(struct hl_exchange *exchange, const json_t *object,
                         struct hl_entry_fields *fields, struct hl_log_conditions *out_when,
                         struct hl_buffer *body)
{
    if (!append_body(exchange, object, body) || !read_kind(exchange, object, &fields->kind) ||
        !read_condition(exchange, object, out_when))
        return false;
    fields->body = hl_buffer_bytes(body);
    return true;
}

static void put_message(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_entry_fields fields = {.conversation = call->conversation.id};
    char mid[HL_MID_SIZE_MAX + 1];
    json_t *object = NULL;
    struct hl_buffer body;
    if (!hl_api_may(&call->who, exchange, HL_PERMISSION_MESSAGE_WRITE))
        return;
    if (hl_percent_decode(call->params.values[1], HL_PERCENT_PATH, mid, sizeof(mid)) != 0 ||
        !hl_mid_is_valid(hl_bytes_of(mid))) {
        hl_reply_invalid(exchange, "/client_id",
                         "The message's id is 1 to %d printable ASCII characters, best a UUID.",
                         HL_MID_SIZE_MAX);
        return;
    }
    if (!hl_reply_read_object(exchange, &object))
        return;
    fields.mid = hl_bytes_of(mid);
    hl_buffer_init(&body, call->api->config.body_bytes_max);
    if (read_message(exchange, object, &fields, &call->submit.when, &body))
        hl_call_submit(call, exchange, &fields, take_result);
    hl_buffer_fini(&body);
    json_decref(object);
}

void hl_message_put(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_open(arg, exchange, params, sizeof(struct hl_call), put_message);
}
