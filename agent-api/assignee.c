/* PUT and DELETE /v1/conversations/{id}/assignee, PATCH /v1/conversations/{id}: who has a
 * conversation, and whether it is open. The order of two rivals is decided by the log. */
#include <stdlib.h>
#include <string.h>

#include "agent-api/change.h"

/* Only people take conversations: false: answered with 403. */
static bool check_agent(struct hl_exchange *exchange, const struct hl_key *key)
{
    if (hl_api_is_agent(key))
        return true;
    hl_exchange_problem(exchange, HL_PROBLEM_FORBIDDEN,
                        "Keys of integrations do not take, release or close conversations.");
    return false;
}

/* {"agent": "me" | "agt_…"}; no body: me. */
static bool read_subject(struct hl_api *api, struct hl_exchange *exchange, const struct hl_key *key,
                         struct hl_id *out_subject)
{
    json_t *object = NULL;
    struct hl_key subject;
    *out_subject = key->id;
    if (exchange->body.size == 0)
        return true;
    if (!hl_reply_read_object(exchange, &object))
        return false;
    const char *agent = json_string_value(json_object_get(object, "agent"));
    bool is_known =
        json_object_get(object, "agent") == NULL || (agent != NULL && strcmp(agent, "me") == 0);
    if (!is_known && agent != NULL &&
        hl_id_parse(hl_bytes_of(agent), HL_ID_AGENT, out_subject) == 0)
        is_known = hl_keys_find_id(api->config.keys, out_subject, &subject) == 0 &&
                   hl_api_is_agent(&subject);
    if (!is_known)
        hl_reply_invalid(exchange, "/agent", "agent is me, or the id of an active agent.");
    json_decref(object);
    return is_known;
}

void hl_assignee_put(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    struct hl_api *api = arg;
    struct hl_key key;
    struct hl_change_wish wish = {0};
    if (!hl_api_authenticate(api, exchange, &key) || !check_agent(exchange, &key) ||
        !hl_reply_read_conversation(exchange, params->values[0], &wish.conversation) ||
        !hl_precondition_read(exchange, true, &wish.when) ||
        !read_subject(api, exchange, &key, &wish.subject))
        return;
    bool is_claim = wish.when.if_absent && hl_id_equal(&wish.subject, &key.id);
    wish.kind = is_claim ? HL_ENTRY_CLAIMED : HL_ENTRY_TRANSFERRED;
    hl_change_submit(api, exchange, &key, &wish);
}

/* Requests that look before they change. The log still decides: the change carries the
 * revision that was seen. */
struct look_request {
    struct hl_pending pending; /* first */
    struct hl_api *api;
    struct hl_key key;
    struct hl_precondition when;
    enum hl_status wanted; /* of PATCH */
    struct hl_log_find find;
};

static void start_look(struct look_request *wanted, struct hl_exchange *exchange,
                       const struct hl_id *conversation,
                       void (*done)(struct hl_log_find *find, int r))
{
    struct look_request *request = malloc(sizeof(*request));
    if (request == NULL) {
        hl_reply_log_problem(exchange, HL_LOG_BUSY);
        return;
    }
    *request = *wanted;
    request->find = (struct hl_log_find){
        .loop = request->api->config.loop, .done = done, .conversation = *conversation};
    hl_pending_begin(&request->pending, &request->api->pending, exchange);
    int r = hl_log_find(request->api->config.log, &request->find);
    if (r == 0)
        return;
    hl_reply_pending_problem(&request->pending, r);
    free(request);
}

static void release_found(struct look_request *request, struct hl_exchange *exchange)
{
    const struct hl_conversation *found = &request->find.found;
    struct hl_change_wish wish = {
        .conversation = found->id, .kind = HL_ENTRY_RELEASED, .when = request->when};
    if (!wish.when.has_revision) {
        wish.when.has_revision = true;
        wish.when.revision = found->revision;
    }
    if (hl_id_is_zero(&found->assignee)) {
        hl_change_answer(exchange, found);
    } else if (!hl_id_equal(&found->assignee, &request->key.id) &&
               request->key.role != HL_KEY_ADMIN) {
        hl_exchange_problem(exchange, HL_PROBLEM_FORBIDDEN,
                            "Another agent has it; only they or an admin may release it.");
    } else {
        hl_change_submit(request->api, exchange, &request->key, &wish);
    }
}

static void take_look_at_assignee(struct hl_log_find *find, int r)
{
    struct look_request *request = HL_CONTAINER_OF(find, struct look_request, find);
    struct hl_exchange *exchange = hl_pending_take(&request->pending);
    if (exchange != NULL && r != 0)
        hl_reply_log_problem(exchange, r);
    else if (exchange != NULL)
        release_found(request, exchange);
    hl_pending_end(&request->pending);
    free(request);
}

void hl_assignee_delete(void *arg, struct hl_exchange *exchange,
                        const struct hl_route_params *params)
{
    struct hl_api *api = arg;
    struct look_request request = {.api = api};
    struct hl_id conversation;
    if (!hl_api_authenticate(api, exchange, &request.key) || !check_agent(exchange, &request.key) ||
        !hl_reply_read_conversation(exchange, params->values[0], &conversation) ||
        !hl_precondition_read(exchange, false, &request.when))
        return;
    request.when.if_absent = false;
    start_look(&request, exchange, &conversation, take_look_at_assignee);
}

static void take_look_at_status(struct hl_log_find *find, int r)
{
    struct look_request *request = HL_CONTAINER_OF(find, struct look_request, find);
    struct hl_exchange *exchange = hl_pending_take(&request->pending);
    const struct hl_conversation *found = &find->found;
    struct hl_change_wish wish = {.conversation = find->conversation,
                                  .kind = request->wanted == HL_STATUS_CLOSED ? HL_ENTRY_CLOSED
                                                                              : HL_ENTRY_REOPENED,
                                  .when = request->when};
    bool is_current = !request->when.has_revision || found->revision == request->when.revision;
    if (exchange != NULL && r != 0)
        hl_reply_log_problem(exchange, r);
    else if (exchange != NULL && is_current && found->status == request->wanted)
        hl_change_answer(exchange, found);
    else if (exchange != NULL)
        hl_change_submit(request->api, exchange, &request->key, &wish);
    hl_pending_end(&request->pending);
    free(request);
}

void hl_status_patch(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    struct hl_api *api = arg;
    struct look_request request = {.api = api};
    struct hl_id conversation;
    json_t *object = NULL;
    if (!hl_api_authenticate(api, exchange, &request.key) || !check_agent(exchange, &request.key) ||
        !hl_reply_read_conversation(exchange, params->values[0], &conversation) ||
        !hl_precondition_read(exchange, true, &request.when) ||
        !hl_reply_read_object(exchange, &object))
        return;
    const char *status = json_string_value(json_object_get(object, "status"));
    if (status != NULL && strcmp(status, "closed") == 0)
        request.wanted = HL_STATUS_CLOSED;
    else if (status != NULL && strcmp(status, "open") == 0)
        request.wanted = HL_STATUS_OPEN;
    json_decref(object);
    if (request.when.if_absent)
        hl_exchange_problem(exchange, HL_PROBLEM_BAD_REQUEST, "Send If-Match, not If-None-Match.");
    else if (request.wanted != HL_STATUS_OPEN && request.wanted != HL_STATUS_CLOSED)
        hl_reply_invalid(exchange, "/status", "status is open or closed.");
    else
        start_look(&request, exchange, &conversation, take_look_at_status);
}
