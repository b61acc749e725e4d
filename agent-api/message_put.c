/* PUT /v1/conversations/{id}/messages/{client_id}: the client names the message, so that a
 * repeat is the same message. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/api_state.h"
#include "agent-api/percent.h"
#include "agent-api/present.h"

enum { MISSED_MAX = 50, MISSED_BYTES_MAX = 128 * 1024 };

struct put_request {
    struct hl_pending pending; /* first */
    struct hl_api *api;
    struct hl_log_submit submit;
    struct hl_log_read missed; /* what the writer had not seen */
};

static void end_request(struct put_request *request)
{
    hl_pending_end(&request->pending);
    hl_entry_unref(request->submit.entry);
    free(request);
}

static void answer_stored(struct put_request *request, struct hl_exchange *exchange)
{
    struct hl_log_submit *submit = &request->submit;
    struct hl_log_info info;
    struct hl_buffer body;
    char id[HL_ID_TEXT_SIZE];
    hl_log_info(request->api->config.log, &info);
    hl_id_format(&submit->entry->conversation, HL_ID_CONVERSATION, id);
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    hl_buffer_printf(&body, "{\"conversation\":\"%s\",\"offset\":%" PRIu64 ",\"client_id\":", id,
                     submit->offset);
    hl_json_append_string(&body, hl_entry_mid(submit->entry));
    hl_buffer_append_text(&body, ",");
    hl_present_moment(&body, "ts", submit->wall_ms);
    hl_buffer_printf(&body, ",\"visibility\":\"%s\",\"durability\":\"%s\"}",
                     hl_entry_is_internal(submit->entry) ? "internal" : "public",
                     hl_durability_name(info.durability));
    hl_reply_add_position(exchange, request->api->config.log, submit->position);
    if (submit->duplicate)
        hl_reply_add_text(exchange, "idempotent-replayed", "true");
    hl_reply_json(exchange, submit->duplicate ? 200 : 201, &body);
    hl_buffer_fini(&body);
}

static void answer_stale(struct hl_log_read *read, int r)
{
    struct put_request *request = HL_CONTAINER_OF(read, struct put_request, missed);
    struct hl_exchange *exchange = hl_pending_take(&request->pending);
    struct hl_buffer extra;
    hl_buffer_init(&extra, HL_REPLY_BYTES_MAX);
    if (exchange != NULL && r != 0) {
        hl_reply_log_problem(exchange, r);
    } else if (exchange != NULL) {
        const struct hl_batch *batch = read->batch;
        uint64_t last = batch->n_entries > 0 ? batch->entries[batch->n_entries - 1]->offset : 0;
        hl_buffer_printf(&extra, "\"head\":%" PRIu64 ",\"missed\":[", read->found.head);
        for (size_t i = 0; i < batch->n_entries; i++) {
            hl_buffer_append_text(&extra, i > 0 ? "," : "");
            hl_present_entry(&extra, batch->entries[i], NULL);
        }
        hl_buffer_printf(&extra, "],\"has_more\":%s", last < read->found.head ? "true" : "false");
        hl_reply_log_problem_with(exchange, HL_PROBLEM_STALE,
                                  "Nothing was stored. Read what was missed, then send again with "
                                  "if_seen set to head.",
                                  &extra);
    }
    if (r == 0)
        hl_batch_unref(read->batch);
    hl_buffer_fini(&extra);
    end_request(request);
}

static void read_missed(struct put_request *request)
{
    request->missed = (struct hl_log_read){.loop = request->api->config.loop,
                                           .done = answer_stale,
                                           .conversation = request->submit.entry->conversation,
                                           .after = request->submit.when.if_seen,
                                           .limit = MISSED_MAX,
                                           .bytes_max = MISSED_BYTES_MAX};
    int r = hl_log_read(request->api->config.log, &request->missed);
    if (r == 0)
        return;
    struct hl_exchange *exchange = hl_pending_take(&request->pending);
    if (exchange != NULL)
        hl_reply_log_problem(exchange, r);
    end_request(request);
}

static void take_result(struct hl_log_submit *submit, int r)
{
    struct put_request *request = HL_CONTAINER_OF(submit, struct put_request, submit);
    if (r == HL_LOG_STALE) {
        read_missed(request);
        return;
    }
    struct hl_exchange *exchange = hl_pending_take(&request->pending);
    if (exchange != NULL && r != 0)
        hl_reply_log_problem(exchange, r);
    else if (exchange != NULL)
        answer_stored(request, exchange);
    end_request(request);
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

static void submit_message(struct hl_api *api, struct hl_exchange *exchange,
                           const struct hl_entry_fields *fields,
                           const struct hl_log_conditions *when)
{
    struct put_request *request = calloc(1, sizeof(*request));
    struct hl_entry *entry = request != NULL ? hl_entry_create(fields) : NULL;
    if (entry == NULL) {
        free(request);
        hl_reply_log_problem(exchange, HL_LOG_BUSY);
        return;
    }
    request->api = api;
    request->submit = (struct hl_log_submit){
        .loop = api->config.loop, .done = take_result, .entry = entry, .when = *when};
    hl_pending_begin(&request->pending, &api->pending, exchange);
    int r = hl_log_submit(api->config.log, &request->submit);
    if (r == 0)
        return;
    hl_reply_pending_problem(&request->pending, r);
    hl_entry_unref(entry);
    free(request);
}

void hl_message_put(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    struct hl_api *api = arg;
    struct hl_key key;
    struct hl_entry_fields fields = {0};
    struct hl_log_conditions when = {0};
    char mid[HL_MID_SIZE_MAX + 1];
    json_t *object = NULL;
    struct hl_buffer body;
    if (!hl_api_authenticate(api, exchange, &key) ||
        !hl_reply_read_conversation(exchange, params->values[0], &fields.conversation))
        return;
    if (hl_percent_decode(params->values[1], HL_PERCENT_PATH, mid, sizeof(mid)) != 0 ||
        !hl_mid_is_valid(hl_bytes_of(mid))) {
        hl_reply_invalid(exchange, "/client_id",
                         "The message's id is 1 to %d printable ASCII characters, best a UUID.",
                         HL_MID_SIZE_MAX);
        return;
    }
    if (!hl_reply_read_object(exchange, &object))
        return;
    fields.author = hl_api_author(&key);
    fields.mid = hl_bytes_of(mid);
    hl_buffer_init(&body, api->config.body_bytes_max);
    if (read_message(exchange, object, &fields, &when, &body))
        submit_message(api, exchange, &fields, &when);
    hl_buffer_fini(&body);
    json_decref(object);
}
