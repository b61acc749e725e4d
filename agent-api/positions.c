/* GET /v1/conversations/{id}/positions and PUT …/positions/me: who has read how far. */
#include <inttypes.h>
#include <stdlib.h>

#include "agent-api/api_state.h"
#include "agent-api/present.h"

struct marks_request {
    struct hl_pending pending; /* first */
    struct hl_log_marks marks;
};

static void answer_marks(struct hl_log_marks *marks, int r)
{
    struct marks_request *request = HL_CONTAINER_OF(marks, struct marks_request, marks);
    struct hl_exchange *exchange = hl_pending_take(&request->pending);
    struct hl_buffer body;
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    if (exchange != NULL && r != 0) {
        hl_reply_log_problem(exchange, r);
    } else if (exchange != NULL) {
        hl_buffer_append_text(&body, "{\"data\":[");
        for (size_t i = 0; i < marks->n_items; i++) {
            const struct hl_log_mark *mark = &marks->items[i];
            hl_buffer_printf(&body, "%s{\"role\":\"%s\",\"id\":", i > 0 ? "," : "",
                             hl_role_name((enum hl_role)mark->participant.role));
            hl_present_author_id(&body, &mark->participant);
            hl_buffer_printf(&body, ",\"delivered\":%" PRIu64 ",\"read\":%" PRIu64 "}",
                             mark->delivered, mark->read);
        }
        hl_buffer_append_text(&body, "]}");
        hl_reply_json(exchange, 200, &body);
    }
    hl_buffer_fini(&body);
    hl_pending_end(&request->pending);
    free(request);
}

void hl_positions_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    struct hl_api *api = arg;
    struct hl_key key;
    struct hl_id conversation;
    if (!hl_api_authenticate(api, exchange, &key) ||
        !hl_reply_read_conversation(exchange, params->values[0], &conversation))
        return;
    struct marks_request *request = calloc(1, sizeof(*request));
    if (request == NULL) {
        hl_reply_log_problem(exchange, HL_LOG_BUSY);
        return;
    }
    request->marks.loop = api->config.loop;
    request->marks.done = answer_marks;
    request->marks.conversation = conversation;
    hl_pending_begin(&request->pending, &api->pending, exchange);
    int r = hl_log_marks(api->config.log, &request->marks);
    if (r == 0)
        return;
    hl_reply_pending_problem(&request->pending, r);
    free(request);
}

struct mark_request {
    struct hl_pending pending; /* first */
    struct hl_api *api;
    struct hl_log_mark mark;
    struct hl_log_find find; /* whether the offset is there to be read */
};

static void take_conversation(struct hl_log_find *find, int r)
{
    struct mark_request *request = HL_CONTAINER_OF(find, struct mark_request, find);
    struct hl_exchange *exchange = hl_pending_take(&request->pending);
    struct hl_buffer body;
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    if (exchange != NULL && r != 0) {
        hl_reply_log_problem(exchange, r);
    } else if (exchange != NULL && request->mark.read > find->found.head) {
        hl_reply_invalid(exchange, "/read", "The last offset is %" PRIu64 ".", find->found.head);
    } else if (exchange != NULL) {
        hl_log_mark(request->api->config.log, &request->mark);
        hl_buffer_printf(&body, "{\"read\":%" PRIu64 "}", request->mark.read);
        hl_reply_json(exchange, 200, &body);
    }
    hl_buffer_fini(&body);
    hl_pending_end(&request->pending);
    free(request);
}

static bool read_position(struct hl_exchange *exchange, uint64_t *out_read)
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
    return is_valid;
}

void hl_position_put(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    struct hl_api *api = arg;
    struct hl_key key;
    struct hl_id conversation;
    uint64_t read = 0;
    if (!hl_api_authenticate(api, exchange, &key) ||
        !hl_reply_read_conversation(exchange, params->values[0], &conversation) ||
        !read_position(exchange, &read))
        return;
    struct mark_request *request = calloc(1, sizeof(*request));
    if (request == NULL) {
        hl_reply_log_problem(exchange, HL_LOG_BUSY);
        return;
    }
    request->api = api;
    request->mark = (struct hl_log_mark){.conversation = conversation,
                                         .participant = hl_api_author(&key),
                                         .delivered = read,
                                         .read = read};
    request->find = (struct hl_log_find){
        .loop = api->config.loop, .done = take_conversation, .conversation = conversation};
    hl_pending_begin(&request->pending, &api->pending, exchange);
    int r = hl_log_find(api->config.log, &request->find);
    if (r == 0)
        return;
    hl_reply_pending_problem(&request->pending, r);
    free(request);
}
