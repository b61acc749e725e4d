/* GET /v1/agent: who the key belongs to. */
#include "agent-api/api_state.h"
#include "agent-api/present.h"

void hl_api_answer_agent(struct hl_api *api, struct hl_exchange *exchange,
                         const struct hl_principal *who)
{
    struct hl_author author = hl_api_author(who);
    struct hl_buffer body;
    (void)api;
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    hl_buffer_append_text(&body, "{\"id\":");
    hl_present_author_id(&body, &author);
    hl_buffer_append_text(&body, ",\"name\":");
    hl_json_append_string(&body, hl_bytes_of(who->name));
    hl_buffer_printf(&body, ",\"role\":\"%s\",", hl_key_role_name((enum hl_key_role)who->role));
    hl_present_moment(&body, "created_at", who->created_ms);
    hl_buffer_append_text(&body, "}");
    hl_reply_json(exchange, 200, &body);
    hl_buffer_fini(&body);
}

void hl_agent_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    struct hl_api *api = arg;
    struct hl_principal who;
    (void)params;
    if (hl_api_authenticate(api, exchange, &who))
        hl_api_answer_agent(api, exchange, &who);
}
