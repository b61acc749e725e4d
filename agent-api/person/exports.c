/* POST /v1/exports, GET /v1/exports/{id}, GET /v1/exports/{id}/content. */
#include "agent-api/person/export_content.h"

static void create_export(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_person_create(call, exchange, &hl_person_export);
}

static void open_export(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_person_open(call, exchange, &hl_person_export, hl_person_answer);
}

static void open_content(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_person_open(call, exchange, &hl_person_export, hl_export_content);
}

void hl_exports_post(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_person_request), create_export);
}

void hl_export_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_person_request), open_export);
}

void hl_export_content_get(void *arg, struct hl_exchange *exchange,
                           const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_export), open_content);
}
