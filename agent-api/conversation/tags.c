/* GET /v1/tags: the tags in use. */
#include <inttypes.h>

#include "agent-api/ask.h"
#include "agent-api/page.h"

static void answer_tags(struct hl_call *call, struct hl_exchange *exchange)
{
    const struct hl_index_tags *tags = &call->index.tags;
    struct hl_buffer body;
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    hl_buffer_append_text(&body, "{\"data\":[");
    for (size_t i = 0; i < tags->n_items; i++) {
        hl_buffer_append_text(&body, i > 0 ? ",{\"tag\":" : "{\"tag\":");
        hl_json_append_string(&body, tags->items[i].tag);
        hl_buffer_printf(&body, ",\"count\":%" PRIu64 "}", tags->items[i].count);
    }
    hl_buffer_append_text(&body, "]}");
    hl_reply_json(exchange, 200, &body);
    hl_buffer_fini(&body);
}

static void read_tags(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_index_tags *tags = &call->index.tags;
    if (hl_api_may(&call->who, exchange, HL_PERMISSION_CONVERSATION_READ) &&
        hl_page_read_text(exchange, "site", tags->site, sizeof(tags->site)))
        hl_ask_tags(call, exchange, answer_tags);
}

void hl_tags_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_call), read_tags);
}
