/* PUT and DELETE /v1/conversations/{id}/assignee, PATCH /v1/conversations/{id}: who has a
 * conversation, and whether it is open. The order of two rivals is decided by the log: a change
 * that looked before carries the revision that was seen. */
#include <string.h>

#include "agent-api/conversation/change.h"

/* Only people take conversations: false: answered with 403. */
static bool check_agent(struct hl_exchange *exchange, const struct hl_principal *key)
{
    if (hl_api_is_agent(key))
        return true;
    hl_exchange_problem(exchange, HL_PROBLEM_FORBIDDEN,
                        "Keys of integrations do not take, release or close conversations.");
    return false;
}

/* {"agent": "me" | "agt_…"}; no body: me. */
static bool read_subject(const struct hl_call *call, struct hl_exchange *exchange,
                         struct hl_id *out_subject)
{
    json_t *object = NULL;
    struct hl_principal subject;
    *out_subject = call->who.id;
    if (exchange->body.size == 0)
        return true;
    if (!hl_reply_read_object(exchange, &object))
        return false;
    const char *agent = json_string_value(json_object_get(object, "agent"));
    bool is_known =
        json_object_get(object, "agent") == NULL || (agent != NULL && strcmp(agent, "me") == 0);
    if (!is_known && agent != NULL &&
        hl_id_parse(hl_bytes_of(agent), HL_ID_AGENT, out_subject) == 0)
        is_known =
            hl_directory_find_agent(call->api->config.directory, out_subject, &subject) == 0 &&
            hl_api_is_agent(&subject);
    if (!is_known)
        hl_reply_invalid(exchange, "/agent", "agent is me, or the id of an active agent.");
    json_decref(object);
    return is_known;
}

static void put_assignee(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_change_wish wish = {0};
    if (!check_agent(exchange, &call->who) || !hl_precondition_read(exchange, true, &wish.when) ||
        !read_subject(call, exchange, &wish.subject))
        return;
    bool is_claim = wish.when.if_absent && hl_id_equal(&wish.subject, &call->who.id);
    wish.kind = is_claim ? HL_ENTRY_CLAIMED : HL_ENTRY_TRANSFERRED;
    hl_change_submit(call, exchange, &wish);
}

void hl_assignee_put(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_open(arg, exchange, params, sizeof(struct hl_call), put_assignee);
}

/* The condition that nothing changed since the look. */
static void require_seen(const struct hl_call *call, struct hl_precondition *when)
{
    if (when->has_revision)
        return;
    when->has_revision = true;
    when->revision = call->conversation.revision;
}

static void delete_assignee(struct hl_call *call, struct hl_exchange *exchange)
{
    const struct hl_conversation *found = &call->conversation;
    struct hl_change_wish wish = {.kind = HL_ENTRY_RELEASED};
    if (!check_agent(exchange, &call->who) || !hl_precondition_read(exchange, false, &wish.when))
        return;
    wish.when.if_absent = false;
    require_seen(call, &wish.when);
    if (hl_id_is_zero(&found->assignee)) {
        hl_change_answer(exchange, found);
    } else if (!hl_id_equal(&found->assignee, &call->who.id) && call->who.role != HL_KEY_ADMIN) {
        hl_exchange_problem(exchange, HL_PROBLEM_FORBIDDEN,
                            "Another agent has it; only they or an admin may release it.");
    } else {
        hl_change_submit(call, exchange, &wish);
    }
}

void hl_assignee_delete(void *arg, struct hl_exchange *exchange,
                        const struct hl_route_params *params)
{
    hl_call_open(arg, exchange, params, sizeof(struct hl_call), delete_assignee);
}

/* {"status": "open" | "closed"} */
static bool read_status(struct hl_exchange *exchange, enum hl_status *out_status)
{
    json_t *object = NULL;
    if (!hl_reply_read_object(exchange, &object))
        return false;
    const char *status = json_string_value(json_object_get(object, "status"));
    bool is_closed = status != NULL && strcmp(status, "closed") == 0;
    bool is_valid = is_closed || (status != NULL && strcmp(status, "open") == 0);
    json_decref(object);
    *out_status = is_closed ? HL_STATUS_CLOSED : HL_STATUS_OPEN;
    if (!is_valid)
        hl_reply_invalid(exchange, "/status", "status is open or closed.");
    return is_valid;
}

static void patch_status(struct hl_call *call, struct hl_exchange *exchange)
{
    const struct hl_conversation *found = &call->conversation;
    struct hl_change_wish wish = {0};
    enum hl_status wanted = HL_STATUS_OPEN;
    if (!check_agent(exchange, &call->who) || !hl_precondition_read(exchange, true, &wish.when) ||
        !read_status(exchange, &wanted))
        return;
    wish.kind = wanted == HL_STATUS_CLOSED ? HL_ENTRY_CLOSED : HL_ENTRY_REOPENED;
    bool is_current = !wish.when.has_revision || found->revision == wish.when.revision;
    if (wish.when.if_absent)
        hl_exchange_problem(exchange, HL_PROBLEM_BAD_REQUEST, "Send If-Match, not If-None-Match.");
    else if (is_current && found->status == wanted)
        hl_change_answer(exchange, found);
    else
        hl_change_submit(call, exchange, &wish);
}

void hl_status_patch(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_open(arg, exchange, params, sizeof(struct hl_call), patch_status);
}
