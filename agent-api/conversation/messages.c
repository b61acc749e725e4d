/* GET /v1/conversations/{id}/messages: a page of a transcript, by offset; or all of it as lines
 * (transcript.c). */
#include <inttypes.h>

#include "agent-api/call.h"
#include "agent-api/media.h"
#include "agent-api/present.h"

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 200, PAGE_BYTES_MAX = 256 * 1024 };

static void append_page(struct hl_buffer *body, const struct hl_log_read *read)
{
    const struct hl_batch *batch = read->batch;
    uint64_t first = batch->n_entries > 0 ? batch->entries[0]->offset : read->after + 1;
    uint64_t last =
        batch->n_entries > 0 ? batch->entries[batch->n_entries - 1]->offset : read->after;
    bool has_more = read->backward ? batch->n_entries > 0 && first > read->found.floor + 1
                                   : last < read->found.head;
    hl_buffer_append_text(body, "{\"data\":[");
    for (size_t i = 0; i < batch->n_entries; i++) {
        hl_buffer_append_text(body, i > 0 ? "," : "");
        hl_present_entry(body, batch->entries[i]);
    }
    hl_buffer_printf(body, "],\"has_more\":%s,\"head\":%" PRIu64 ",\"floor\":%" PRIu64 ",",
                     has_more ? "true" : "false", read->found.head, read->found.floor);
    if (read->backward)
        hl_buffer_printf(body, "\"next_before\":%" PRIu64 ",", first);
    else
        hl_buffer_printf(body, "\"next_after\":%" PRIu64 ",", last);
    hl_buffer_printf(body, "\"epoch\":\"%" PRIu64 "\"}", batch->epoch);
}

static void answer_page(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_buffer body;
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    append_page(&body, &call->read);
    hl_call_answer_read(call, exchange, "conversation.messages_read", &body);
    hl_buffer_fini(&body);
}

static bool read_query(struct hl_exchange *exchange, struct hl_log_read *read)
{
    char text[24];
    uint64_t limit = 0;
    uint64_t before = 0;
    if (!hl_reply_read_number(exchange, "after", 0, UINT64_C(1) << 53, 0, &read->after) ||
        !hl_reply_read_number(exchange, "before", 0, UINT64_C(1) << 53, 0, &before) ||
        !hl_reply_read_number(exchange, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit))
        return false;
    bool has_after = hl_exchange_query(exchange, "after", text, sizeof(text)) == 0;
    read->backward = hl_exchange_query(exchange, "before", text, sizeof(text)) == 0;
    if (has_after && read->backward) {
        hl_reply_invalid(exchange, "/before", "Give after or before, not both.");
        return false;
    }
    if (read->backward)
        read->after = before;
    read->limit = (uint32_t)limit;
    read->bytes_max = PAGE_BYTES_MAX;
    return true;
}

static void read_page(struct hl_call *call, struct hl_exchange *exchange)
{
    call->read = (struct hl_log_read){.conversation = call->conversation.id};
    if (read_query(exchange, &call->read))
        hl_call_read(call, exchange, answer_page);
}

void hl_messages_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    if (hl_media_names(exchange->headers[HL_HEADER_ACCEPT], "application/x-ndjson"))
        hl_messages_stream(arg, exchange, params);
    else
        hl_call_open(arg, exchange, params, sizeof(struct hl_call), read_page);
}
