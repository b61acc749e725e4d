/* GET /v1/conversations/{id}. */
#include "agent-api/conversation/view.h"

void hl_conversation_get(void *arg, struct hl_exchange *exchange,
                         const struct hl_route_params *params)
{
    hl_call_open(arg, exchange, params, sizeof(struct hl_call), hl_view_answer);
}
