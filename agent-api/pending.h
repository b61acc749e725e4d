/* A request that is answered later, when the log has come back. It outlives its exchange: the
 * connection may die meanwhile, the log's answer then goes nowhere.
 * Thread: the loop's. */
#ifndef HL_AGENT_API_PENDING_H
#define HL_AGENT_API_PENDING_H

#include "agent-api/exchange.h"

/* All that are under way, so that their owner can wait for them before it goes. */
struct hl_pending_set {
    size_t n_pending;
    void (*on_empty)(void *arg); /* NULL: nobody waits */
    void *arg;
};

struct hl_pending {               /* handlers embed it as first member */
    struct hl_exchange *exchange; /* NULL: gone */
    struct hl_pending_set *set;
};

/* Takes the exchange's handler and on_gone. */
void hl_pending_begin(struct hl_pending *pending, struct hl_pending_set *set,
                      struct hl_exchange *exchange);
/* The same for what nobody waits for. */
void hl_pending_begin_alone(struct hl_pending *pending, struct hl_pending_set *set);
/* Gives back what hl_pending_take gave, to wait once more. */
void hl_pending_resume(struct hl_pending *pending, struct hl_exchange *exchange);
/* The exchange, to be answered now, or NULL if it is gone. Gives it once. */
struct hl_exchange *hl_pending_take(struct hl_pending *pending);
/* The last call: the handler frees the memory before or after. */
void hl_pending_end(struct hl_pending *pending);

/* Calls on_empty when nothing is under way (any more): at once or later, once. */
void hl_pending_set_await(struct hl_pending_set *set, void (*on_empty)(void *arg), void *arg);

#endif
