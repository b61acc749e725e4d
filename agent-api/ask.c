#include "agent-api/ask.h"

#include <string.h>

/* Frees what the answer points to when the step is through; the call itself may go before. */
static void take_answer(struct hl_call *call, const struct hl_index_read *read, int r)
{
    struct hl_index_read kept = *read;
    hl_call_resume(call, r);
    hl_index_read_free(&kept);
}

#define DEFINE_TAKE(kind)                                                                          \
    static void take_##kind(struct hl_index_##kind *request, int r)                                \
    {                                                                                              \
        take_answer(HL_CONTAINER_OF(request, struct hl_call, index.kind), &request->read, r);      \
    }
DEFINE_TAKE(list)
DEFINE_TAKE(get)
DEFINE_TAKE(contacts)
DEFINE_TAKE(tags)
DEFINE_TAKE(person)

static void answer_problem(const struct hl_call *call, struct hl_exchange *exchange, int r)
{
    switch (r) {
    case HL_INDEX_BUSY:
        hl_reply_log_problem(exchange, HL_LOG_BUSY);
        break;
    case HL_INDEX_BEHIND:
        hl_exchange_problem(exchange, HL_PROBLEM_NODE_BEHIND,
                            "The index is being built or has much to catch up on.");
        break;
    case HL_INDEX_UNKNOWN:
        hl_exchange_problem(exchange, call->index_missing, "Check the id.");
        break;
    case HL_INDEX_CLOSED:
        hl_reply_log_problem(exchange, HL_LOG_CLOSED);
        break;
    default:
        hl_exchange_problem(exchange, HL_PROBLEM_BUSY,
                            "The index cannot be read; repeat it later.");
        break;
    }
}

static void judge_answer(struct hl_call *call, struct hl_exchange *exchange)
{
    if (call->result != 0 && call->otherwise != NULL) {
        call->otherwise(call, exchange);
    } else if (call->result != 0) {
        answer_problem(call, exchange, call->result);
    } else {
        if (exchange->method == HL_GET) /* a write tells its own */
            hl_reply_add_position(exchange, call->api->config.log, call->index.read.applied);
        call->then(call, exchange);
    }
}

static void begin_read(struct hl_call *call, struct hl_exchange *exchange,
                       struct hl_index_read *read, hl_call_step next)
{
    const struct hl_principal *who = &call->who;
    *read = (struct hl_index_read){.loop = call->api->config.loop,
                                   .at_least = HL_INDEX_LATEST,
                                   .scope = {.inboxes = who->inboxes, .n_inboxes = who->n_inboxes}};
    _Static_assert(sizeof(read->scope.site) == sizeof(who->site), "same bound");
    memcpy(read->scope.site, who->site, sizeof(who->site));
    if (hl_api_author(who).role == HL_ROLE_AGENT)
        read->asker = who->id;
    call->then = next;
    hl_call_wait(call, exchange, judge_answer);
    call->takes_any = true;
}

static void check_taken(struct hl_call *call, int r)
{
    if (r == 0)
        return;
    call->is_waiting = false;
    call->result = r;
    judge_answer(call, hl_pending_take(&call->pending));
}

/* There may be none: everything then is as if it never caught up. */
static bool check_index(struct hl_call *call)
{
    if (call->api->config.index == NULL)
        check_taken(call, HL_INDEX_BEHIND);
    return call->api->config.index != NULL;
}

void hl_ask_list(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next)
{
    begin_read(call, exchange, &call->index.list.read, next);
    call->index.list.done = take_list;
    if (check_index(call))
        check_taken(call, hl_index_list(call->api->config.index, &call->index.list));
}

void hl_ask_get(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next)
{
    begin_read(call, exchange, &call->index.get.read, next);
    call->index_missing = HL_PROBLEM_UNKNOWN_CONVERSATION;
    call->index.get.done = take_get;
    if (check_index(call))
        check_taken(call, hl_index_get(call->api->config.index, &call->index.get));
}

void hl_ask_contacts(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next)
{
    begin_read(call, exchange, &call->index.contacts.read, next);
    call->index_missing = HL_PROBLEM_NOT_FOUND;
    call->index.contacts.done = take_contacts;
    if (check_index(call))
        check_taken(call, hl_index_contacts(call->api->config.index, &call->index.contacts));
}

void hl_ask_person(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next)
{
    begin_read(call, exchange, &call->index.person.read, next);
    call->index_missing = HL_PROBLEM_NOT_FOUND;
    call->index.person.done = take_person;
    if (check_index(call))
        check_taken(call, hl_index_person(call->api->config.index, &call->index.person));
}

void hl_ask_tags(struct hl_call *call, struct hl_exchange *exchange, hl_call_step next)
{
    begin_read(call, exchange, &call->index.tags.read, next);
    call->index.tags.done = take_tags;
    if (check_index(call))
        check_taken(call, hl_index_tags(call->api->config.index, &call->index.tags));
}
