/* GET /v1/conversations/{id}. */
#include "agent-api/call.h"
#include "agent-api/present.h"

static void answer_found(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_buffer body;
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    hl_present_conversation(&body, &call->conversation);
    hl_reply_add_etag(exchange, call->conversation.revision);
    hl_reply_json(exchange, 200, &body);
    hl_buffer_fini(&body);
}

void hl_conversation_get(void *arg, struct hl_exchange *exchange,
                         const struct hl_route_params *params)
{
    hl_call_open(arg, exchange, params, sizeof(struct hl_call), answer_found);
}
