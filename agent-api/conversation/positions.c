/* GET /v1/conversations/{id}/positions and PUT …/positions/{me, or one's own id}: who has read
 * how far. */
#include <inttypes.h>
#include <string.h>

#include "agent-api/call.h"
#include "agent-api/present.h"

static void append_mark(struct hl_buffer *body, const struct hl_log_mark *mark)
{
    hl_buffer_printf(
        body, "{\"role\":\"%s\",\"id\":", hl_role_name((enum hl_role)mark->participant.role));
    hl_present_author_id(body, &mark->participant);
    hl_buffer_printf(body, ",\"delivered\":%" PRIu64 ",\"read\":%" PRIu64 "}", mark->delivered,
                     mark->read);
}

static void answer_marks(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_buffer body;
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    hl_buffer_append_text(&body, "{\"data\":[");
    for (size_t i = 0; i < call->marks.n_items; i++) {
        hl_buffer_append_text(&body, i > 0 ? "," : "");
        append_mark(&body, &call->marks.items[i]);
    }
    hl_buffer_append_text(&body, "]}");
    hl_reply_json(exchange, 200, &body);
    hl_buffer_fini(&body);
}

static void read_marks(struct hl_call *call, struct hl_exchange *exchange)
{
    call->marks = (struct hl_log_marks){.conversation = call->conversation.id};
    hl_call_marks(call, exchange, answer_marks);
}

void hl_positions_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_open(arg, exchange, params, sizeof(struct hl_call), read_marks);
}

static bool read_position(struct hl_exchange *exchange, uint64_t head, uint64_t *out_read)
{
    json_t *object = NULL;
    if (!hl_reply_read_object(exchange, &object))
        return false;
    const json_t *read = json_object_get(object, "read");
    bool is_valid = json_is_integer(read) && json_integer_value(read) >= 0;
    *out_read = is_valid ? (uint64_t)json_integer_value(read) : 0;
    json_decref(object);
    if (!is_valid)
        hl_reply_invalid(exchange, "/read", "read is the offset you have read up to.");
    else if (*out_read > head)
        hl_reply_invalid(exchange, "/read", "The last offset is %" PRIu64 ".", head);
    return is_valid && *out_read <= head;
}

/* Everybody says only of himself how far he has read. False: answered. */
static bool is_own(const struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_author author = hl_api_author(&call->who);
    struct hl_buffer id;
    hl_buffer_init(&id, 2 + HL_ID_TEXT_SIZE);
    hl_present_author_id(&id, &author);
    struct hl_bytes own = hl_buffer_bytes(&id); /* quoted */
    struct hl_bytes asked = call->params.values[1];
    bool is_good = hl_bytes_is(asked, "me") || (own.size == asked.size + 2 &&
                                                memcmp(own.data + 1, asked.data, asked.size) == 0);
    hl_buffer_fini(&id);
    if (!is_good)
        hl_exchange_problem(exchange, HL_PROBLEM_FORBIDDEN, "Positions are one's own: use me.");
    return is_good;
}

static void put_mark(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_buffer body;
    uint64_t read = 0;
    if (!hl_api_may(&call->who, exchange, HL_PERMISSION_MESSAGE_WRITE) || !is_own(call, exchange) ||
        !read_position(exchange, call->conversation.head, &read))
        return;
    struct hl_log_mark mark = {.conversation = call->conversation.id,
                               .participant = hl_api_author(&call->who),
                               .delivered = read,
                               .read = read};
    hl_log_mark(call->api->config.log, &mark);
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    hl_buffer_printf(&body, "{\"read\":%" PRIu64 "}", read);
    hl_reply_json(exchange, 200, &body);
    hl_buffer_fini(&body);
}

void hl_position_put(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_open(arg, exchange, params, sizeof(struct hl_call), put_mark);
}
