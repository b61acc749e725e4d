/* POST /v1/erasures, GET /v1/erasures/{id}. */
#include "agent-api/person/request.h"

static void create_erasure(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_person_create(call, exchange, &hl_person_erasure);
}

static void open_erasure(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_person_open(call, exchange, &hl_person_erasure, hl_person_answer);
}

void hl_erasures_post(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_person_request), create_erasure);
}

void hl_erasure_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_person_request), open_erasure);
}
