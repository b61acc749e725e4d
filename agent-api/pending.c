#include "agent-api/pending.h"

#include "base/check.h"

static void forget_exchange(struct hl_exchange *exchange)
{
    struct hl_pending *pending = exchange->handler;
    pending->exchange = NULL;
}

void hl_pending_begin(struct hl_pending *pending, struct hl_pending_set *set,
                      struct hl_exchange *exchange)
{
    pending->set = set;
    set->n_pending++;
    hl_pending_resume(pending, exchange);
}

void hl_pending_begin_alone(struct hl_pending *pending, struct hl_pending_set *set)
{
    pending->exchange = NULL;
    pending->set = set;
    set->n_pending++;
}

void hl_pending_resume(struct hl_pending *pending, struct hl_exchange *exchange)
{
    pending->exchange = exchange;
    exchange->handler = pending;
    exchange->on_gone = forget_exchange;
}

struct hl_exchange *hl_pending_take(struct hl_pending *pending)
{
    struct hl_exchange *exchange = pending->exchange;
    pending->exchange = NULL;
    if (exchange != NULL) {
        exchange->handler = NULL;
        exchange->on_gone = NULL;
    }
    return exchange;
}

static void report_empty(struct hl_pending_set *set)
{
    void (*on_empty)(void *arg) = set->on_empty;
    set->on_empty = NULL;
    if (on_empty != NULL)
        on_empty(set->arg); /* may free the set */
}

void hl_pending_end(struct hl_pending *pending)
{
    struct hl_pending_set *set = pending->set;
    HL_CHECK(pending->exchange == NULL);
    HL_CHECK(set->n_pending > 0);
    if (--set->n_pending == 0)
        report_empty(set);
}

void hl_pending_set_await(struct hl_pending_set *set, void (*on_empty)(void *arg), void *arg)
{
    set->on_empty = on_empty;
    set->arg = arg;
    if (set->n_pending == 0)
        report_empty(set);
}
