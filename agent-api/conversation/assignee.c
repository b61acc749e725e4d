/* PUT and DELETE /v1/conversations/{id}/assignee: who has a conversation, and which inbox. The
 * order of two rivals is decided by the log: a change that looked before carries the revision
 * that was seen. */
#include <string.h>

#include "agent-api/conversation/change.h"
#include "agent-api/conversation/view.h"

/* Whether it is theirs to give away; false: answered with 403. */
static bool check_holder(const struct hl_call *call, struct hl_exchange *exchange)
{
    const struct hl_id *assignee = &call->conversation.assignee;
    if (hl_id_is_zero(assignee) || hl_id_equal(assignee, &call->who.id) ||
        hl_permission_has((enum hl_key_role)call->who.role, HL_PERMISSION_CONVERSATION_STEAL))
        return true;
    hl_exchange_problem(exchange, HL_PROBLEM_FORBIDDEN,
                        "Another agent has it; only they or a supervisor may pass it on.");
    return false;
}

/* The condition that nothing changed since the look. */
static void require_seen(const struct hl_call *call, struct hl_precondition *when)
{
    if (when->has_revision)
        return;
    when->has_revision = true;
    when->revision = call->conversation.revision;
}

/* Somebody who may work on it. */
static bool find_agent(const struct hl_call *call, const char *text, struct hl_id *out_agent)
{
    const struct hl_conversation *conversation = &call->conversation;
    struct hl_principal agent;
    return hl_id_parse(hl_bytes_of(text), HL_ID_AGENT, out_agent) == 0 &&
           hl_directory_find_agent(call->api->config.directory, out_agent, &agent) == 0 &&
           hl_api_is_agent(&agent) &&
           hl_principal_sees(&agent, conversation->site, &conversation->inbox);
}

/* An inbox of the same site. */
static bool find_inbox(const struct hl_call *call, const char *text, struct hl_id *out_inbox)
{
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(call->api->config.directory);
    const struct hl_inbox *inbox = NULL;
    if (hl_id_parse(hl_bytes_of(text), HL_ID_INBOX, out_inbox) == 0)
        inbox = hl_snapshot_inbox(snapshot, out_inbox);
    bool is_found = inbox != NULL && strcmp(inbox->record.site, call->conversation.site) == 0;
    hl_directory_snapshot_unref(snapshot);
    return is_found;
}

/* {"agent": "me" | "agt_…"} or {"inbox": "inb_…"}. False: answered. */
static bool read_target(const struct hl_call *call, struct hl_exchange *exchange,
                        const json_t *object, struct hl_change_wish *wish)
{
    const json_t *agent = json_object_get(object, "agent");
    const json_t *inbox = json_object_get(object, "inbox");
    wish->kind = inbox != NULL ? HL_ENTRY_MOVED : HL_ENTRY_TRANSFERRED;
    wish->subject = call->who.id;
    if (agent != NULL && inbox != NULL) {
        hl_reply_invalid(exchange, "/inbox", "Give agent or inbox, not both.");
        return false;
    }
    if (inbox != NULL &&
        (!json_is_string(inbox) || !find_inbox(call, json_string_value(inbox), &wish->subject))) {
        hl_reply_invalid(exchange, "/inbox", "inbox is the id of an inbox of the same site.");
        return false;
    }
    if (agent == NULL || (json_is_string(agent) && strcmp(json_string_value(agent), "me") == 0))
        return true;
    if (json_is_string(agent) && find_agent(call, json_string_value(agent), &wish->subject))
        return true;
    hl_reply_invalid(exchange, "/agent",
                     "agent is me, or the id of an active agent who sees this conversation.");
    return false;
}

/* No body: me. */
static bool read_wish(const struct hl_call *call, struct hl_exchange *exchange,
                      struct hl_change_wish *wish)
{
    json_t *object = NULL;
    if (exchange->body.size > 0 && !hl_reply_read_object(exchange, &object))
        return false;
    bool is_valid = read_target(call, exchange, object, wish);
    json_decref(object);
    if (is_valid && wish->when.if_absent && wish->kind == HL_ENTRY_TRANSFERRED &&
        hl_id_equal(&wish->subject, &call->who.id))
        wish->kind = HL_ENTRY_CLAIMED;
    return is_valid;
}

static void put_assignee(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_change_wish wish = {0};
    if (!hl_api_may(&call->who, exchange, HL_PERMISSION_CONVERSATION_WORK) ||
        !hl_precondition_read(exchange, true, &wish.when) || !read_wish(call, exchange, &wish))
        return;
    if (wish.when.if_absent) { /* only if nobody has it: the log says */
        hl_change_submit(call, exchange, &wish);
        return;
    }
    require_seen(call, &wish.when);
    if (wish.when.revision == call->conversation.revision && !check_holder(call, exchange))
        return;
    hl_change_submit(call, exchange, &wish);
}

void hl_assignee_put(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_open(arg, exchange, params, sizeof(struct hl_call), put_assignee);
}

static void delete_assignee(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_change_wish wish = {.kind = HL_ENTRY_RELEASED};
    if (!hl_api_may(&call->who, exchange, HL_PERMISSION_CONVERSATION_WORK) ||
        !hl_precondition_read(exchange, false, &wish.when))
        return;
    wish.when.if_absent = false;
    require_seen(call, &wish.when);
    if (hl_id_is_zero(&call->conversation.assignee))
        hl_view_answer(call, exchange);
    else if (check_holder(call, exchange))
        hl_change_submit(call, exchange, &wish);
}

void hl_assignee_delete(void *arg, struct hl_exchange *exchange,
                        const struct hl_route_params *params)
{
    hl_call_open(arg, exchange, params, sizeof(struct hl_call), delete_assignee);
}
